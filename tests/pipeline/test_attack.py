"""An attacker who reads published files only: every file of his class, of every release.

He knows the declared sums and the rules, and solves linear programmes of his own: nothing here uses the
modules that protect. Without secondary suppression he recovers small counts, and the release is refused.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog

from odds_pipeline.declarations.project import Project
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import numbers, open_release
from odds_pipeline.secrecy import protect as protection
from odds_pipeline.secrecy.suppression import Suppression
from odds_pipeline.secrecy.system import HIDDEN, System
from odds_pipeline.storage.home import Home

from .test_class_files import deliver

FEED = "conseil_general/autonomie"
MONTH = "2024-03"
TOTAL, PARTS = "apa_domicile", [f"apa_domicile_gir_{i}" for i in (1, 2, 3, 4)]
DEPARTEMENT = "93"
REVISED = {"93013", "200058097", DEPARTEMENT}
SMALL = {
    ("93015", "apa_domicile_gir_1"): 2,
    ("93033", "apa_domicile_gir_1"): 4,
    ("93062", "apa_domicile_gir_2"): 1,
    ("93008", "apa_domicile_gir_3"): 3,
    ("93059", "apa_domicile_gir_1"): 3,
    ("93059", "apa_domicile_gir_4"): 4,
}


def truth(code: str, name: str, revised: bool = False) -> int:
    """Beneficiaries: some dozens in each group of dependence, a few in some; a total that adds up."""
    own = int(code[2:])
    if name in PARTS:
        usual = 20 + (own * (PARTS.index(name) + 3)) % 23 + (5 if revised and code == "93013" else 0)
        return SMALL.get((code, name), usual)
    if name == TOTAL:
        return sum(truth(code, part, revised) for part in PARTS)
    if name.startswith("montant"):
        return 100_000 + own
    return 30 + own % 7


def file_of(project: Project, month: str) -> str:
    """The name that the contract expects of a month's file."""
    pattern = str(project.feeds[FEED].feed.formats[0].file).replace("^", "")
    return pattern.replace("(?P<year>20\\d\\d)-(?P<month>\\d\\d)", month) + ".csv"


@pytest.fixture(scope="module")
def delivered(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with one month delivered, and nothing published."""
    folder = tmp_path_factory.mktemp("delivered")
    home = Home(folder / "odds")
    path = folder / file_of(project, MONTH)
    deliver(project, home, path, FEED, lambda code, variable: str(truth(code, variable)))
    return home


@pytest.fixture
def observatory(delivered: Home, home: Home) -> Home:
    """A copy of one's own."""
    shutil.copytree(delivered.path, home.path, symlinks=True)
    return home


class Attacker:
    """What he has read: figures by variable and territory, and what is hidden, for each release."""

    def __init__(self, project: Project, home: Home, classes: tuple[str, ...]) -> None:
        self.unknown: dict[tuple[str, ...], int] = {}
        self.marks: dict[int, str] = {}
        rows: list[tuple[dict[int, float], float]] = []
        for release in numbers(home):
            known: dict[tuple[str, str], float] = {}
            hidden: dict[tuple[str, str], str] = {}
            for access in classes:
                with open_release(home, release, access) as connection:  # type: ignore[arg-type]  # a literal
                    for variable, territory, value, mark in connection.execute(
                        "SELECT split_part(variable, '.', 2), territory, value, hidden_by FROM observations "
                        "WHERE month = ? AND variable LIKE 'conseil_general.apa_domicile%'",
                        [MONTH],
                    ).fetchall():
                        (known if mark is None else hidden)[variable, territory] = (
                            value if mark is None else mark
                        )
                    for formula, territory, value in connection.execute(
                        "SELECT formula, territory, v.numerator FROM indicator_values v JOIN definitions USING (indicator) "
                        "WHERE month = ? AND v.numerator IS NOT NULL "
                        "AND regexp_matches(formula, 'conseil_general.apa_domicile')",
                        [MONTH],
                    ).fetchall():
                        top = formula.split("/")[0].replace("100", "").replace("*", "").strip(" ()")
                        variable = top.removeprefix("conseil_general.")
                        if variable in (TOTAL, *PARTS):
                            known.setdefault((variable, territory), value)
            rows += self.equations(project, release, known, hidden)
        self.matrix = sparse.lil_array((len(rows), len(self.unknown)))
        self.told = np.zeros(len(rows))
        for i, (terms, constant) in enumerate(rows):
            for cell, sign in terms.items():
                self.matrix[i, cell] += sign
            self.told[i] = -constant

    def equations(
        self,
        project: Project,
        release: int,
        known: dict[tuple[str, str], float],
        hidden: dict[tuple[str, str], str],
    ) -> Iterator[tuple[dict[int, float], float]]:
        """Sums over communes and over groups.

        A hidden figure is the same unknown in every release, but where he knows of a revision.
        """
        communes = project.territories.communes(2024)
        sums: list[list[tuple[str, str]]] = []
        for variable in (TOTAL, *PARTS):
            wholes: dict[str, list[str]] = {}
            for t in communes:
                for whole in (t.ept, DEPARTEMENT):
                    wholes.setdefault(whole, []).append(t.code)
            sums += [[(variable, w), *((variable, c) for c in codes)] for w, codes in wholes.items()]
        places = [t.code for t in communes] + [DEPARTEMENT, *{t.ept for t in communes}]
        sums += [[(TOTAL, place), *((part, place) for part in PARTS)] for place in places]
        for total, *parts in sums:
            terms: dict[int, float] = {}
            constant = 0.0
            for sign, cell in ((1.0, total), *((-1.0, part) for part in parts)):
                if cell in known:
                    constant += sign * known[cell]
                else:
                    # A whole that is not published is nobody's secret, but unknown all the same.
                    mark = hidden.get(cell, "unpublished")
                    own = (*cell, mark, str(release) if cell[1] in REVISED else "")
                    number = self.unknown.setdefault(own, len(self.unknown))
                    self.marks[number] = mark
                    terms[number] = sign
            yield terms, constant

    def bounds(self, cell: tuple[str, ...]) -> tuple[int, int | None]:
        """Zeros are shown: what is hidden is from 1 to 4, or 5 and more, or a total of any size."""
        variable, place, mark, _ = cell
        if mark == "primaire":
            return 1, 4
        return (5 if mark == "secondaire" and variable != TOTAL and len(place) == 5 else 0), None

    def recovered(self) -> list[tuple[str, ...]]:
        """Small counts of which he learns more than "from 1 to 4"."""
        bounds = [self.bounds(cell) for cell in self.unknown]
        found = []
        for (variable, place, mark, _), cell in self.unknown.items():
            if mark != "primaire":
                continue
            cost = np.zeros(len(self.unknown))
            cost[cell] = 1
            low, high = (
                sign * linprog(sign * cost, A_eq=self.matrix.tocsr(), b_eq=self.told, bounds=bounds).fun
                for sign in (1, -1)
            )
            if low > 1 + 1e-5 or high < 4 - 1e-5:
                found.append((variable, place))
        return found


def test_nothing_is_recovered_from_one_release(project: Project, observatory: Home) -> None:
    publish(project, observatory)
    attacker = Attacker(project, observatory, ("public", "membres", "partenaires"))
    assert sum(mark == "primaire" for mark in attacker.marks.values()) == len(SMALL)
    assert attacker.recovered() == []


def test_nothing_is_recovered_from_successive_releases(
    project: Project, observatory: Home, tmp_path: Path
) -> None:
    """A revision changes one commune; the attacker sets the two releases beside each other."""
    publish(project, observatory)
    second = tmp_path / "second"
    second.mkdir()
    deliver(
        project, observatory, second / file_of(project, MONTH), FEED, lambda c, v: str(truth(c, v, True))
    )
    assert publish(project, observatory).number == 2
    attacker = Attacker(project, observatory, ("public", "membres", "partenaires"))
    assert attacker.recovered() == []


def test_without_secondary_suppression_the_release_is_refused(
    project: Project, observatory: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protection, "suppress", primary_only)
    with pytest.raises(protection.SecrecyError, match=r"could be derived.*\n.*apa_domicile_gir"):
        publish(project, observatory)
    assert numbers(observatory) == []


def test_without_secondary_suppression_nor_audit_small_counts_are_recovered(
    project: Project, observatory: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attack is worth something."""
    monkeypatch.setattr(protection, "suppress", primary_only)
    monkeypatch.setattr(protection, "_refuse", lambda *_: None)
    publish(project, observatory)
    attacker = Attacker(project, observatory, ("public", "membres", "partenaires"))
    assert ("apa_domicile_gir_3", "93008") in attacker.recovered()


def primary_only(system: System) -> Suppression:
    """Hides what is secret by itself, and nothing else."""
    return Suppression(np.asarray(system.state == HIDDEN), np.zeros(len(system.value), dtype=bool))
