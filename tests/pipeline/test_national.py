"""A file of every commune gives the figure of what goes beyond the perimeter, one that is cut gives none."""

import csv
import gzip
from pathlib import Path

import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.compute import tables_of
from odds_pipeline.reception.national import National

from .test_producers import Figures, figures_of

COG = "geographie/cog2024/v_commune_2024.csv.gz"
TOTAL = ("insee.population_totale", "FR", "2021-01")
MUNICIPAL = ("insee.population_municipale", "FR", "2021-01")


@pytest.fixture(scope="module")
def communes(producers: Path) -> list[str]:
    """The codes of the 34,935 communes of 2024, of Mayotte too."""
    with gzip.open(producers / COG, "rt", encoding="utf-8") as file:
        return [row["COM"] for row in csv.DictReader(file) if row["TYPECOM"] == "COM"]


def population(folder: Path, communes: list[str]) -> Path:
    """A file of legal populations in which each commune has 10 inhabitants more than the one before."""
    path = folder / "donnees_communes_pop2021.csv"
    rows = (f"11;{c[:2]};{c};{10 * n};1;{10 * n + 1}" for n, c in enumerate(communes))
    path.write_text("REG;DEP;COM;PMUN;PCAP;PTOT\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def of_all(project: Project, communes: list[str], tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """What is read of a file of every commune."""
    return figures_of(project, population(tmp_path_factory.mktemp("all"), communes))


def test_the_sum_of_every_commune_is_that_of_france(of_all: Figures, communes: list[str]) -> None:
    found, n = of_all, len(communes)
    assert n == 34935
    assert found[MUNICIPAL] == 10 * n * (n - 1) / 2
    assert found[TOTAL] == found[MUNICIPAL] + n
    assert found["insee.population_municipale", "93001", "2021-01"] == 10 * communes.index("93001")


def test_a_file_cut_to_a_département_gives_no_national_figure(
    project: Project, communes: list[str], tmp_path: Path
) -> None:
    found = figures_of(project, population(tmp_path, [c for c in communes if c[:2] in ("93", "59")]))
    assert MUNICIPAL not in found
    assert ("insee.population_municipale", "93001", "2021-01") in found


@pytest.mark.parametrize(
    ("left_out", "added", "whole"),
    [
        ((), (), True),
        (("976",), (), True),  # Mayotte has its own census
        (("75056",), tuple(f"751{n:02}" for n in range(1, 21)), True),
        ((), ("75101",), False),  # Paris and one of its arrondissements: counted twice
        (("59",), (), False),
        (("97",), (), False),
    ],
)
def test_which_files_are_the_whole_country(
    project: Project, communes: list[str], left_out: tuple[str, ...], added: tuple[str, ...], whole: bool
) -> None:
    national = National(project.root, project.territories)
    for code in (*communes, *added):
        if not code.startswith(left_out) or not left_out:
            national.add(code)
    assert ("FR" in national.complete("2021-01")) is whole


def lines_of(producers: Path, column: str, codes: set[str]) -> set[str]:
    """The communes of 2024 of some régions or départements."""
    with gzip.open(producers / COG, "rt", encoding="utf-8") as file:
        return {r["COM"] for r in csv.DictReader(file) if r["TYPECOM"] == "COM" and r[column] in codes}


GRAND_PARIS = {"91027", "91326", "91432", "91479", "91589", "91687", "95018"}
"""Its communes out of the four départements, by decree (2015-1212)."""


def test_the_region_and_the_metropole_are_the_sums_of_all_their_communes(
    of_all: Figures, producers: Path, communes: list[str]
) -> None:
    region = lines_of(producers, "REG", {"11"})
    metropole = lines_of(producers, "DEP", {"75", "92", "93", "94"}) | GRAND_PARIS
    assert (len(region), len(metropole)) == (1267, 131)  # as the COG and the decree say
    for code, inside in (("11", region), ("200054781", metropole)):
        expected = sum(10 * communes.index(c) for c in inside)
        assert of_all["insee.population_municipale", code, "2021-01"] == expected


def test_a_file_of_the_region_gives_its_figure_and_not_that_of_france(
    project: Project, producers: Path, communes: list[str], tmp_path: Path
) -> None:
    """Paris in its arrondissements, and a commune that has been merged since."""
    region = lines_of(producers, "REG", {"11"}) - {"75056"}
    own = [c for c in communes if c in region]
    found = figures_of(project, population(tmp_path, [*own, "75101", "75102", "95282"]))
    assert MUNICIPAL not in found
    assert found["insee.population_municipale", "11", "2021-01"] == 10 * 1268 * 1269 / 2


@pytest.mark.parametrize(
    ("lacking", "complete"),
    [("77001", {"FR", "200054781"}), ("92002", {"FR"}), ("93001", {"FR"}), ("95018", {"FR"})],
)
def test_one_commune_that_lacks_takes_their_figure(
    project: Project, communes: list[str], lacking: str, complete: set[str]
) -> None:
    national = National(project.root, project.territories)
    for code in communes:
        if code != lacking:
            national.add(code)
    assert national.complete("2021-01") == complete


def test_what_exists_for_france_and_a_group_exists_for_them(project: Project) -> None:
    levels = tables_of(project, ["population_municipale"]).levels["level"]
    assert {"region", "metropole"} <= set(levels)
