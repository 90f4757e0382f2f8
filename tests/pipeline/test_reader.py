"""Nothing secret is told to a reader who kept every release, knows the rules and his own figures.

Deliveries are those of the demonstration, where small counts are many; revisions make some larger. Two ways: an attacker
who solves integer programmes, and a second observatory that differs in secret figures only: if everything that a
reader gets is the same, byte for byte, nothing that he gets tells them.
"""

import ast
import inspect
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from mimetypes import guess_type
from pathlib import Path

import duckdb
import pytest

from odds_pipeline.declarations.access import WIDEST, WIDEST_FIRST
from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.read_publications import read_publications
from odds_pipeline.publications.committees.publish import pack
from odds_pipeline.publications.committees.span import Span
from odds_pipeline.publications.documents.html import to_html
from odds_pipeline.publications.portrait.publish import publish_portrait
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.reception.receive import receive
from odds_pipeline.release.publish import publish
from odds_pipeline.release.published import open_release
from odds_pipeline.storage.home import Home
from tests import reader as attacker
from tests.demonstration import A_YEAR_BEFORE, MONTHS, Demonstration
from tests.extranet.conftest import Site, open_site
from tests.extranet.test_access_matrix import addresses, get_routes, text_of
from tests.reader import Reader, Rules, Truth

from .test_gate import populations

pytestmark = pytest.mark.slow

CCAS, EVICTIONS = "udccas/aides", "prefecture/expulsions"
ALL = (EVICTIONS, CCAS, "conseil_general/ase", "conseil_general/autonomie", "conseil_general/fsl")
MONTH = MONTHS[0]

Shift = tuple[str, str, int]
"""Variable, commune, by how much its figure differs in the other world."""


@dataclass
class World:
    """An observatory, and what it knew at each of its releases."""

    home: Home
    truths: list[Truth] = field(default_factory=list)

    def reader(self, project: Project, access: str) -> Reader:
        """Someone who kept that class of every release."""
        reader = Reader(project)
        for number, truth in enumerate(self.truths, start=1):
            reader.read_class_file(self.home, number, access, truth)
        return reader


def world(project: Project, folder: Path, revisions: int, shifts: list[Shift]) -> World:
    """Populations and two feeds published, then revised: the one, then the other."""
    folder.mkdir()
    found = World(Home(folder / "odds"))
    list(receive(project, found.home, [populations(folder / "in", 2021)]))
    judge_pending(project, found.home, "insee/populations_legales")
    demonstration = Demonstration(project, found.home, folder)
    for variable, code, by in shifts:
        demonstration.changed[variable, code, MONTH] = by
    for month in (A_YEAR_BEFORE, MONTH):
        demonstration.deliver(month, (CCAS, EVICTIONS))
    found.truths.append(demonstration.publish())
    for feed in (CCAS, EVICTIONS)[:revisions]:
        demonstration.revise(MONTH, 6, [feed])
        found.truths.append(demonstration.publish())
    return found


@pytest.fixture(scope="module")
def published(project: Project, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Three releases."""
    return world(project, tmp_path_factory.mktemp("real") / "world", 2, [])


# ── what he derives ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("access", WIDEST_FIRST)
def test_no_reader_of_an_edition_is_told_a_secret(
    project: Project, published: World, access: str
) -> None:
    reader = published.reader(project, access)
    assert reader.in_the_open() == []
    derived, over_secrets = reader.over_secrets()
    assert over_secrets == 0
    told = reader.attack([MONTH])
    assert [t for t in told if t.wrong] == []
    assert [t for t in told if t.narrow] == []
    assert len(told) > 80 or access == "public"
    assert derived > 80 or access != WIDEST  # evolutions since a year before


def test_the_body_of_a_commune_is_not_told_of_another_by_its_own_figures(
    project: Project, published: World
) -> None:
    reader = published.reader(project, WIDEST)
    communes = [
        reader.rules.number[commune.code, 2024] for commune in project.territories.communes(2024)
    ]
    told = reader.attack_as_each(communes, [MONTH])
    assert [t for t in told if t.wrong or t.narrow] == []
    assert len(told) > 500


def test_a_wrong_mark_and_a_sum_over_a_secret_do_not_escape_him(
    project: Project, published: World, tmp_path: Path
) -> None:
    """A small count marked as a larger one misleads him; a year's sum may not rest on a hidden month."""
    home = Home(tmp_path / "odds")
    shutil.copytree(published.home.path, home.path, symlinks=True)
    with duckdb.connect(home.releases / "0001" / f"{WIDEST}.duckdb") as connection:
        connection.execute(
            "UPDATE observations SET hidden_by = 'secondaire' WHERE variable = 'prefecture.assignations' AND territory = "
            "(SELECT min(territory) FROM observations WHERE variable = 'prefecture.assignations' "
            "AND level = 'commune' AND hidden_by = 'primaire')"
        )
        connection.execute(
            "INSERT INTO indicator_values BY NAME SELECT 'expulsions_effectives' AS indicator, territory, geography, "
            "'2024-12' AS month, 40 AS value, 'F' AS conf_status FROM observations "
            "WHERE variable = 'prefecture.expulsions_effectives' AND hidden_by IS NOT NULL"
        )
    reader = Reader(project)
    reader.read_class_file(home, 1, WIDEST, published.truths[0])
    assert any(told.wrong for told in reader.attack([MONTH]))
    assert reader.over_secrets()[1] > 0


def test_he_uses_nothing_of_the_code_that_protects() -> None:
    imports = [
        node
        for node in ast.walk(ast.parse(inspect.getsource(attacker)))
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    names = {a.name for node in imports for a in node.names} | {
        getattr(n, "module", "") for n in imports
    }
    assert not any("secrecy" in name for name in names)


# ── what he cannot tell apart ────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Worlds:
    """The same to every reader."""

    real: Home
    other: Home
    shifts: list[Shift]


@pytest.fixture(scope="module")
def worlds(project: Project, published: World, tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    moved = list(shifts(project, published))
    assert len(moved) >= 6
    other = world(project, tmp_path_factory.mktemp("other") / "world", 2, moved)
    return Worlds(published.home, other.home, moved)


def shifts(project: Project, real: World) -> Iterator[Shift]:
    """One more here, one less there, in one EPT and one arrondissement: every sum stays what it was."""
    rules = Rules(project)
    held = {*rules.parts, *rules.parts.values(), *rules.totals}
    merged = {code for _, *codes in project.territories.mergers for code in codes}
    places = {t.code: (t.ept, t.arrondissement) for t in project.territories.communes(2024)}
    secret = stable_secrets(real, rules)
    for variable in sorted({v for v, _ in secret} - held):
        own = {t: n for (v, t), n in secret.items() if v == variable and t not in merged}
        pairs = [(a, b) for a in own for b in own if a != b and places[a] == places[b]]
        pair = next(((a, b) for a, b in sorted(pairs) if own[a] < 4 and own[b] > 1), None)
        if pair:
            yield variable, pair[0], 1
            yield variable, pair[1], -1


def stable_secrets(real: World, rules: Rules) -> dict[tuple[str, str], float]:
    """Small counts, by variable and commune, that every release hides and none revises."""
    hidden = set()
    for number in (1, 2, 3):
        with open_release(real.home, number) as connection:
            rows = connection.execute(
                "SELECT variable, territory FROM observations WHERE hidden_by = 'primaire' AND month = ?",
                [MONTH],
            ).fetchall()
        hidden = hidden & set(rows) if number > 1 else set(rows)
    found = {}
    for variable, code in hidden:
        place = rules.number[code, 2024]
        values = {truth.values[variable, place, MONTH] or 0.0 for truth in real.truths}
        if len(values) == 1 and rules.threshold(variable):
            found[variable, code] = values.pop()
    return found


TIME = re.compile(r"20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.+:]*|datetime\.datetime\([\d, ]+\)")


def said(home: Home, release: int, access: str) -> dict[str, list[str]]:
    """All that a file of a release says, but when it was made."""
    with open_release(home, release, access) as connection:  # type: ignore[arg-type]  # a literal
        tables = [name for (name,) in connection.execute("SHOW TABLES").fetchall()]
        return {
            name: sorted(TIME.sub("", str(row)) for row in connection.execute(f"FROM {name}").fetchall())
            for name in tables
        }


@pytest.mark.parametrize("release", [1, 2, 3])
def test_the_files_of_a_release_are_the_same(worlds: Worlds, release: int) -> None:
    for access in WIDEST_FIRST:
        real, other = said(worlds.real, release, access), said(worlds.other, release, access)
        assert real.keys() == other.keys()
        for table, rows in real.items():
            assert rows == other[table], table


def test_the_committees_pages_are_the_same(project: Project, worlds: Worlds) -> None:
    now = datetime.now(UTC)
    for name, period in (("technique", f"{now:%Y-%m}"), ("pilotage", f"{now:%Y}-S{1 + now.month // 7}")):
        real, other = (
            TIME.sub("", to_html(pack(project, home, name, Span.named(period))).decode())
            for home in (worlds.real, worlds.other)
        )
        assert real == other


def answers(
    project: Project, site: Site, role: str, shifted: list[Shift], folder: Path
) -> Iterator[tuple[str, str]]:
    """What the site says at each address, earlier releases' too."""
    client = site.client(role)
    asked = [a for route in get_routes(site) for a in addresses(route, "demandes_rsa_ccas", site)]
    codes = list(dict.fromkeys(code for _, code, _ in shifted))
    for code in codes:
        pages = (
            "",
            "/social",
            "/quartiers",
            "/nouveautes",
            "/flux.atom",
            "/public/difficulte",
            "/portrait",
        )
        asked += [f"/territoires/{code}{page}" for page in pages]
        asked += [f"/portraits/{code}.html", f"/telecharger/territoire/{code}.csv"]
    # Communes that differ, as a group, and shared by the organisation on its dashboard.
    group = f"t=Groupe:{'.'.join(codes[:2])}&t=93&" + "&".join(f"t={code}" for code in codes[:2])
    for chosen in ("theme=abs", "theme=tous", "i=demandes_rsa_ccas"):
        asked.append(f"/comparer?{group}&{chosen}")
        shared = {"name": chosen, "query": f"{group}&{chosen}", "shared": "true"}
        assert client.post("/selections", data=shared).status_code == 303
    for chosen in ("theme=abs", "i=demandes_rsa_ccas"):
        asked += [f"/telecharger/tableau.{kind}?{group}&{chosen}" for kind in ("xlsx", "pdf")]
    # What a search answers of a place.
    labels = {t.code: t.label for t in project.territories.communes(2024)}
    asked += [f"/recherche?q=demandes+rsa+{labels[code].lower().replace(' ', '+')}" for code in codes]
    asked.append("/tableau-de-bord")
    asked += [f"/e/1{a}" for a in asked if a.startswith(("/territoires/", "/indicateurs/", "/themes/"))]
    # The PDF is of the same document; another format of the same table.
    left = (".pdf",) if role == "observatoire" else (".pdf", ".xlsx", ".parquet", ".machine.csv")
    for address in dict.fromkeys(a for a in asked if not a.endswith(left)):
        answer = client.get(address)
        kind = answer.headers.get("content-type", "")
        yield address, TIME.sub("", f"{answer.status_code} {text_of(answer.content, kind, folder)}")


@pytest.mark.parametrize("role", ["ccas", "observatoire"])
def test_the_site_says_the_same(project: Project, worlds: Worlds, tmp_path: Path, role: str) -> None:
    """Pages, files, API, portraits, earlier releases."""
    portrait = read_publications(project).portrait
    assert portrait is not None
    found = []
    for name, home in (("real", worlds.real), ("other", worlds.other)):
        publish_portrait(project, portrait, home, territories=[worlds.shifts[0][1]])
        found.append(
            dict(
                answers(
                    project, open_site(project, home, tmp_path / name), role, worlds.shifts, tmp_path
                )
            )
        )
    for address, text in found[0].items():
        assert text == found[1][address], address
    assert sum(text.startswith("200 ") for text in found[0].values()) > 50


def test_printed_portraits_and_what_a_commune_takes_away_say_the_same(
    project: Project, worlds: Worlds, tmp_path: Path
) -> None:
    """Of the widest class: pages, PDF, and in the kit its workbook and images."""
    portrait = read_publications(project).portrait
    assert portrait is not None
    found = []
    for home in (worlds.real, worlds.other):
        folder = publish_portrait(
            project, portrait, home, access=WIDEST, territories=[worlds.shifts[0][1]]
        ).folder
        found.append(
            {
                file.name: TIME.sub("", text_of(file.read_bytes(), guess_type(file)[0] or "", tmp_path))
                for file in sorted(folder.iterdir())
            }
        )
    assert found[0] == found[1]
    assert {Path(name).suffix for name in found[0]} == {".html", ".pdf", ".zip"}
    assert "chiffres.xlsx" in "".join(found[0].values())


# ── the whole year ───────────────────────────────────────────────────────────────────────────────


def kept(home: Home, release: int) -> str:
    """The share of indicator values that a release shows, of those it has: of all, and level by level."""
    with open_release(home, release) as connection:
        rows = connection.execute(
            "SELECT coalesce(level, 'all'), 100 * count(value) / count(*), count(*) FROM indicator_values "
            "WHERE value IS NOT NULL OR conf_status <> 'F' GROUP BY GROUPING SETS ((), (level)) ORDER BY 3 DESC"
        ).fetchall()
    return ", ".join(f"{level} {share:.2f} % of {count}" for level, share, count in rows)


def without_its_past(project: Project, home: Home, folder: Path) -> Home:
    """The same figures published for the first time: what is hidden when no release has told anything."""
    shutil.copytree(home.path, folder, symlinks=True)
    again = Home(folder)
    shutil.rmtree(again.releases)
    with duckdb.connect(str(again.warehouse)) as connection:
        for table in ("published_cells", "settled_blocks", "audited_cells"):
            connection.execute(f"DELETE FROM {table}")
    publish(project, again)
    return again


@pytest.mark.long
def test_a_year_of_releases_and_three_revisions_tell_nobody_a_secret(
    project: Project, home: Home, tmp_path: Path
) -> None:
    """Twelve months, a release each; after the fourth, the eighth and the last one a revision of three
    months. `make attack`: five minutes of processor."""
    demonstration = Demonstration(project, home, tmp_path)
    year = World(home)
    for number, month in enumerate(MONTHS):
        demonstration.deliver(month, ALL)
        year.truths.append(demonstration.publish())
        if number in (3, 7, 11):
            for past in MONTHS[number - 3 : number]:
                demonstration.revise(past, 12, ALL)
            year.truths.append(demonstration.publish())
    print()
    for release in range(1, len(year.truths) + 1):
        print(f"release {release} shows {kept(home, release)}")
    print(f"without its past it would show {kept(without_its_past(project, home, tmp_path / 'new'), 1)}")
    for access in WIDEST_FIRST:
        reader = year.reader(project, access)
        told = reader.attack()
        widths = [(t.high - t.low) / (t.most - t.least) for t in told if t.most > t.least]
        derived, over_secrets = reader.over_secrets()
        print(
            f"{access}: {len(told)} secrets tried, {sum(t.narrow for t in told)} narrow, "
            f"{sum(t.exact for t in told)} exact, the narrowest {100 * min(widths, default=1):.0f} % of its "
            f"rule; {derived} values over other months or places, {over_secrets} over a hidden figure"
        )
        assert [t for t in told if t.wrong or t.narrow] == []
        assert reader.in_the_open() == []
        assert over_secrets == 0
