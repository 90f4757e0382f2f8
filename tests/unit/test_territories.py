"""Territories: 40 communes then 39, EPT that nest, and the two meanings of 93066."""

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.geography.territories import Territories, Territory
from odds_pipeline.reception.geographies import ambiguous, geography_of


def test_forty_communes_then_thirty_nine(project: Project) -> None:
    territories = project.territories
    assert territories.geographies == (2024, 2025)
    assert len(territories.communes(2024)) == 40
    assert len(territories.communes(2025)) == 39
    assert territories.merged_away == {"93059": 2024}


def test_ept_nest(project: Project) -> None:
    sizes = {
        geography: Counter(t.ept for t in project.territories.communes(geography))
        for geography in (2024, 2025)
    }
    assert sorted(sizes[2024].values()) == [8, 9, 9, 14]
    assert sizes[2024]["200057867"] == 9
    assert sizes[2025]["200057867"] == 8


@pytest.mark.parametrize(("year", "geography"), [(2019, 2024), (2024, 2024), (2025, 2025), (2030, 2025)])
def test_a_year_is_told_in_the_geography_of_its_first_of_january(
    project: Project, year: int, geography: int
) -> None:
    # Pierrefitte-sur-Seine joined Saint-Denis on 1 January 2025 (decree of 3 October 2024).
    assert project.territories.geography_of(year) == geography
    assert ("93059" in {t.code for t in project.territories.communes(geography)}) == (year < 2025)


def test_a_file_is_of_the_last_communes_that_it_has_all(project: Project, tmp_path: Path) -> None:
    """76001 joined 76002 in 2016, 76003 joined 76004 in 2019: a file of between has the second only."""
    rows = [f"7600{n};Commune {n};commune;;;76;1968-01-01;{until};" for n, until in
            ((1, "2016-01-01"), (2, ""), (3, "2019-01-01"), (4, ""))]  # fmt: skip
    head = "code;label;level;ept;arrondissement;departement;valid_from;valid_to;aliases"
    (tmp_path / "territories.csv").write_text(
        "\n".join([head, *rows, "76;S;departement;;;;1968-01-01;;"])
    )
    events = [f"{year}-01-01;merger;7600{source};7600{target};x" for year, source, target in
              ((2016, 1, 2), (2016, 2, 2), (2019, 3, 4), (2019, 4, 4))]  # fmt: skip
    head = "effective;kind;source_code;target_code;reference"
    (tmp_path / "territory_events.csv").write_text("\n".join([head, *events]))
    own = Territories.read(tmp_path)
    fmt = next(f for e in project.feeds.values() for f in e.feed.formats if f.geography is None)
    every, between = {f"7600{n}" for n in range(1, 5)}, {"76002", "76003", "76004"}
    assert own.geographies == (2015, 2018, 2019)
    assert own.joined == {(2016, "76002"): ["76001", "76002"], (2019, "76004"): ["76003", "76004"]}
    told = [geography_of(codes, "2018-12", fmt, own) for codes in (every, between, {"76004"})]
    assert told == [2015, 2018, 2018]  # 76002 of 2018 is not 76002 of before 76001 joined it
    assert ambiguous(between, "2018-12", fmt, own) is None
    assert "76002 est là et 76001 n'y est pas" in (ambiguous(between, "2014-12", fmt, own) or "")


def test_merger_adds_up(project: Project) -> None:
    parts = {
        p.part
        for p in project.territories.parts
        if (p.whole, p.whole_geography, p.part_geography) == ("93066", 2025, 2024)
    }
    assert parts == {"93059", "93066"}


def test_the_new_commune_is_never_split(project: Project) -> None:
    backwards = [
        p
        for p in project.territories.parts
        if p.part_geography == 2025 and p.whole_geography == 2024 and p.part == "93066"
    ]
    assert backwards == []


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("SAINT DENIS", "93066"),
        ("St-Ouen", "93070"),
        ("L'Île-Saint-Denis", "93039"),
        ("BLANC MESNIL", "93007"),
        ("LE PRE SAINT GERVAIS", "93061"),
        ("Epinay sur Seine", "93031"),
    ],
)
def test_labels_without_accents_or_articles(project: Project, label: str, code: str) -> None:
    from odds_pipeline.geography.territories import plain

    assert project.territories.by_label[plain(label)] == code


def test_the_sums_of_neighbourhoods_come_in_one_order_in_every_process() -> None:
    """Secrecy's decisions stand while its equations do: in another order, all were taken anew."""
    code = (
        "from odds_pipeline.declarations.root import project_root\n"
        "from odds_pipeline.geography.territories import Territories\n"
        "known = Territories.read(project_root() / 'resources' / 'reference')\n"
        "print([(whole, len(sums)) for whole, sums in known.sums_of_neighbourhoods.items()])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "123"
    }
    assert len(said) == 1 and "('93', 2024)" in said.pop()


def test_another_departement_is_left_out_whole(project: Project) -> None:
    own = project.territories
    other = tuple(
        replace(t, code=f"94{t.code[2:]}", departement=t.departement and "94")
        for t in own.all
        if t.level in ("commune", "departement")
    )
    both = Territories((*own.all, *other), own.geographies, own.mergers)
    assert both.within(["93"]) == own
    assert {t.code for t in both.within(["94"]).all if t.level == "departement"} == {"94"}


def test_a_place_is_the_communes_that_it_covers(project: Project) -> None:
    """The arrondissement of Saint-Denis is made of the nine communes of Plaine Commune in 2024, eight
    since two of them merged: one place, in both geographies, and not that of another EPT."""
    places, all_ = project.territories.places, project.territories.all
    plaine, est = "200057867", "200057875"
    (arrondissement,) = {t.arrondissement for t in all_ if t.code == "93066" and t.geography == 2024}
    assert places[arrondissement, 2024] == places[plaine, 2024] == places[plaine, 2025]
    assert places[arrondissement, 2024] != places[est, 2024]
    assert places["93066", 2024] != places["93066", 2025]  # Saint-Denis, without and with Pierrefitte


def test_a_label_of_two_communes_names_neither_and_a_whole_that_is_cut_has_no_parts() -> None:
    def commune(code: str, label: str, departement: str) -> Territory:
        return Territory(code, label, "commune", 2024, "", "", departement, epci="200000001")

    both = Territories(
        (commune("93001", "Saint-Ouen", "93"), commune("75001", "Saint-Ouen", "75")), (2024,)
    )
    assert both.by_label == {}
    (kept,) = both.within(["93"]).all
    assert (kept.code, kept.epci) == ("93001", "")
