"""A national file gives the total of France when every commune is in it, and nothing when it is cut."""

import csv
import gzip
from pathlib import Path

import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.reception.national import National

from .test_producers import figures_of

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


def test_the_sum_of_every_commune_is_that_of_france(
    project: Project, communes: list[str], tmp_path: Path
) -> None:
    found = figures_of(project, population(tmp_path, communes))
    n = len(communes)
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
    national = National(project.root)
    for code in (*communes, *added):
        if not code.startswith(left_out) or not left_out:
            national.add(code)
    assert national.complete("2021-01") is whole
