"""How several rows of one territory make one figure: worked by hand on the contracts as they stand."""

import pandas as pd
import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.reception.astride import ASTRIDE, by_difference
from odds_pipeline.reception.matching import Match
from odds_pipeline.reception.periods import with_year
from odds_pipeline.reception.reading import Reading, read
from odds_pipeline.reception.recognition import recognise
from odds_pipeline.reception.tables import open_tables

EQUIPMENT = """AN;DEPCOM;DCIRIS;TYPEQU;SDOM
2021;93001;93001_0101;D307;D3
2021;93001;93001_0102;D307;D3
2021;93001;93001_0102;D107;D1
2021;93005;93005_0101;B201;B2
2021;75104;75104_1601;D106;D1
"""
EFFECTIVES = """DEPCOM;DCIRIS;AN;TYPEQU;NB_EQUIP
93001;93001_0101;2018;D301;2
93001;93001_0102;2018;D301;3
93005;93005_0101;2018;B201;4
"""
SCHOOLS = """Rentrée scolaire;UAI;Code INSEE de la commune;Secteur;Effectifs;IPS
2022-2023;0930001A;93001;public;300.0;80.0
2022-2023;0930002B;93001;privé sous contrat;100.0;120.0
2022-2023;0930003C;93005;public;;90.0
2022-2023;0930004D;93005;public;150.0;100.0
"""
NEIGHBOURHOODS = """CODGEO;POP_MUN;POP_COM_QP;POP_COM;A;PERCOU;AI;AM;ENF;ENF_2;NOTE_CNAF
Ensemble;5 019 573;;;;;;;;;
QP093001;1 687;3 969;15 708;397;1;1;1;1;1;0
QP093002;2 282;3 969;15 708;536;1;1;1;1;1;0
QP093004;3 590;11 056;68 241;973;1;1;1;1;1;0
QP093005;3 962;44 221;118 043;1 323;1;1;1;1;1;0
"""


def read_text(project: Project, name: str, text: str) -> Reading:
    (table,) = open_tables(name, text.encode())
    match = recognise(project, table)
    assert isinstance(match, Match), match
    return read(project, match)


def figure(reading: Reading, variable: str, territory: str) -> tuple[float | None, str]:
    frame = reading.frame
    (row,) = frame[(frame["variable"] == variable) & (frame["territory"] == territory)].itertuples()
    return (None if pd.isna(row.value) else row.value, row.obs_status)


@pytest.mark.parametrize(
    ("variable", "territory", "value"),
    [
        ("insee.pharmacies_bpe", "93001", 2),
        ("insee.maternites_bpe", "93001", 1),
        ("insee.pharmacies_bpe", "93005", 0),  # it has rows, and none of a pharmacy
        ("insee.maternites_bpe", "93005", 0),
        ("insee.pharmacies_bpe", "93", 2),
        ("insee.urgences_bpe", "93", 0),
    ],
)
def test_an_exhaustive_file_counts_none_where_it_has_no_row(
    project: Project, variable: str, territory: str, value: float
) -> None:
    reading = read_text(project, "bpe21.csv", EQUIPMENT)
    assert figure(reading, variable, territory) == (value, "A")


def test_an_exhaustive_file_says_nothing_of_a_territory_it_does_not_name(project: Project) -> None:
    reading = read_text(project, "bpe21.csv", EQUIPMENT)
    assert set(reading.frame[reading.frame["level"] == "commune"]["territory"]) == {"93001", "93005"}


def test_numbers_of_equipment_are_added(project: Project) -> None:
    reading = read_text(project, "bpe18.csv", EFFECTIVES)
    assert figure(reading, "insee.pharmacies_bpe", "93001") == (5, "A")
    assert figure(reading, "insee.pharmacies_bpe", "93005") == (0, "A")


def test_a_mean_of_schools_is_weighted_by_their_pupils(project: Project) -> None:
    """(300 × 80 + 100 × 120) / 400 = 90; a plain mean would be 100."""
    reading = read_text(project, "fr-en-ips_ecoles.csv", SCHOOLS)
    assert figure(reading, "inspection_academique.ips_ecoles", "93001") == (90, "A")
    # A school without its number of pupils: the mean of its commune is not known.
    assert figure(reading, "inspection_academique.ips_ecoles", "93005") == (None, "L")


def test_pupils_of_a_school_without_an_index_weigh_nothing(project: Project) -> None:
    """(300 × 80 + 100 × 120) / 400 = 90, and not 72 with the hundred pupils of the third school; it is
    told that some pupils are not in the mean, unless the school has none."""
    text = SCHOOLS + "2022-2023;0930005E;93001;public;100.0;NS\n"
    reading = read_text(project, "fr-en-ips_ecoles.csv", text)
    assert figure(reading, "inspection_academique.ips_ecoles", "93001") == (90, "E")
    for none in ("", "0"):
        empty = read_text(
            project, "fr-en-ips_ecoles.csv", text.replace("public;100.0;NS", f"public;{none};NS")
        )
        assert figure(empty, "inspection_academique.ips_ecoles", "93001") == (90, "A")


def test_a_mean_without_the_column_of_weights_is_plain(project: Project) -> None:
    plain = "\n".join(
        ";".join(cell for i, cell in enumerate(line.split(";")) if i != 4)
        for line in SCHOOLS.splitlines()
    )
    reading = read_text(project, "fr-en-ips_ecoles.csv", plain)
    assert figure(reading, "inspection_academique.ips_ecoles", "93001") == (100, "A")
    reading = read_text(
        project, "fr-en-ips_ecoles.csv", f"{plain}\n2022-2023;0930005E;93001;public;NS\n"
    )
    assert figure(reading, "inspection_academique.ips_ecoles", "93001") == (100, "E")


def test_a_figure_of_the_territory_is_read_once_and_not_from_shared_rows(project: Project) -> None:
    reading = read_text(project, "DEMO_2019_QPV93.csv", NEIGHBOURHOODS)
    assert figure(reading, "caf.population_qpv_commune", "93013") == (3969, "A")
    assert figure(reading, "caf.population_qpv_commune", "93029") == (11056, "A")
    own = reading.frame[reading.frame["variable"] == "caf.population_qpv_commune"]
    # QP093005 is of Bobigny and Drancy together, 44,221: Bobigny is what Drancy leaves of it.
    assert set(own["territory"]) == {"93013", "93029", "93008"}
    assert figure(reading, "caf.population_qpv_commune", "93008") == (44221 - 11056, "A")


def shared(*sums: tuple[str, float], **known: float) -> dict[str, float]:
    """What is known of each commune when those and their sums are."""
    rows = [("v", code, "commune", "2020-12", value) for code, value in known.items()]
    rows += [("v", codes, ASTRIDE, "2020-12", value) for codes, value in sums]
    columns = ["variable", "territory", "level", "month", "value"]
    found = by_difference(pd.DataFrame(rows, columns=columns))
    assert set(found["level"]) <= {"commune"}
    return dict(zip(found["territory"], found["value"], strict=True))


def test_a_sum_over_communes_tells_the_one_that_is_not_known() -> None:
    assert shared(("a|b", 10), a=4) == {"a": 4, "b": 6}
    assert shared(("b|c", 9), ("a|b", 10), a=4) == {"a": 4, "b": 6, "c": 3}
    assert shared(("a|b", 10), ("c|d", 7), a=4, c=2) == {"a": 4, "b": 6, "c": 2, "d": 5}
    assert shared(("b|c", 9), a=4) == {"a": 4}  # neither is known


def test_sums_that_cannot_be_tell_nothing() -> None:
    assert shared(("a|b", 10), a=12) == {"a": 12}  # b below zero
    # DEMO_2017: the sum of three communes leaves out Aubervilliers, whose inhabitants would be none.
    assert shared(("a|b", 10), ("b|c", 9), a=10, c=2) == {"a": 10, "c": 2}
    assert shared(("a|b", 10), ("c|d", 9), a=10, c=2) == {"a": 10, "c": 2}
    assert shared(("a|b", 10), ("a|b|c", 9), a=4, c=1) == {"a": 4, "c": 1}  # 6 or 4
    assert shared(("a|b", 10), ("b|c", 9), a=4, b=5) == {"a": 4, "b": 5}  # a and b are 9


def test_rows_that_contradict_each_other_are_told(project: Project) -> None:
    text = NEIGHBOURHOODS.replace("2 282;3 969", "2 282;3 970")
    reading = read_text(project, "DEMO_2019_QPV93.csv", text)
    frame = reading.frame
    (row,) = frame[
        (frame["variable"] == "caf.population_qpv_commune") & (frame["territory"] == "93013")
    ].itertuples()
    assert row.unreadable == "selon la ligne : 3969.0 ou 3970.0"


def test_a_column_may_bear_the_year_before() -> None:
    assert with_year("pp_total_{yy-1}", 2025) == "pp_total_24"
    assert with_year("Population standardisée {yyyy-2}", 2023) == "Population standardisée 2021"
    assert with_year("pp_vacant_{yy}", 2025) == "pp_vacant_25"
