"""Rows whose meaning is not certain are told by their line; those whose meaning is certain are read."""

import pytest

from odds_pipeline.declarations.feed import Format
from odds_pipeline.declarations.project import Project
from odds_pipeline.reception import bounds
from odds_pipeline.reception.contents import UNREADABLE, Delivery, deliveries_of
from odds_pipeline.reception.notations import common_cause

from ..unit.test_formats import edited, workbook
from .test_hostile_files import zipped

FSL = "conseil_general_fsl_2024-12.csv"
HEADER = "code_insee;FSL_ACC;FSL_MAI;FSL_ENE;FSL_MT"
ROWS = ["93001;30;14;28;53163", "93008;24;11;30;45722", "93066;10;5;12;20000"]


def one(project: Project, name: str, *lines: str) -> Delivery:
    (delivery,) = deliveries_of(project, name, "\n".join(lines).encode(), "0" * 64)
    return delivery


def problems(project: Project, *lines: str) -> list[tuple[int, str]]:
    reading = one(project, FSL, HEADER, *lines).reading
    assert reading is not None
    return list(reading.problems)


@pytest.mark.parametrize("label", ["", "93066*", "Bobigny"])
def test_a_row_of_figures_that_is_no_territory_s_is_told(project: Project, label: str) -> None:
    ((line, said),) = problems(project, *ROWS, f"{label};7;7;7;7")
    assert line == 5
    assert "FSL_ACC y vaut 7, la somme des communes 64" in said


@pytest.mark.parametrize("label", ["T6", "EPT T6", "EPT Plaine Commune", "200057867"])
def test_a_territory_of_the_metropole_is_named_by_its_number_too(project: Project, label: str) -> None:
    """T1 to T12: decrees of 11 December 2015. Bobigny is of another one than the two others."""
    assert problems(project, *ROWS, f"{label};40;19;40;73163") == []
    ((_, said),) = problems(project, *ROWS, f"{label};64;19;40;73163")
    assert "n'est pas le total" in said and "y vaut 64, la somme des communes 40" in said


def test_a_total_that_counts_a_commune_without_a_row_names_it(project: Project) -> None:
    communes = sorted(t.code for t in project.territories.communes(project.territories.current))
    rows = [f"{code};1;1;1;100" for code in communes]
    ((_, said),) = problems(project, *rows[:7], *rows[8:], f"93;{len(rows)};30;30;3000")
    assert f"FSL_ACC y vaut {len(rows)}, la somme des communes {len(rows) - 1}" in said
    assert f"({communes[7]}) est sans ligne" in said and "code de territoire" not in said


@pytest.mark.parametrize(
    ("shown", "status"),
    [("< 5", "Q"), ("<\u00a05", "Q"), (" NS ", "Q"), ("n d", "L"), ("< 6", None), ("n.d.", None)],
)
def test_spaces_in_a_mark_tell_nothing(project: Project, shown: str, status: str | None) -> None:
    header = "code_insee;" + ";".join(
        c.names[0] for c in project.feeds["caf/rsa"].feed.columns_of(_rsa(project)).values()
    )
    cells = ";".join([shown] * header.count(";"))
    reading = one(project, "caf_rsa_2024-11.csv", header, f"93001;{cells}").reading
    assert reading is not None
    statuses, unread = set(reading.frame["obs_status"]), reading.frame["unreadable"].notna().all()
    assert (statuses, unread) == (({status}, False) if status else ({"A"}, True))


def _rsa(project: Project) -> Format:
    (fmt,) = project.feeds["caf/rsa"].feed.formats
    return fmt


@pytest.mark.parametrize("cell", ["4328(1)", "4 328 (2)", "4328 [a]", "12,5*", "4328¹", "4328 foyers"])
def test_a_note_after_numbers_is_told_as_the_cause(cell: str) -> None:
    assert common_cause([cell] * 12, ",") == "un appel de note ou un mot après le nombre"


@pytest.mark.parametrize(
    ("cell", "cause"),
    [
        ("4_328", "un tiret bas"), ("\uff14\uff13\uff12\uff18", "autre écriture"), ("٤٣", "autre écriture"),
        ("４ ３２８", "autre écriture"), ("12-", "après le nombre"), ("(4 328)", "parenthèses"), ("“4328”", "guillemets"),
    ],
)  # fmt: skip
def test_other_ways_of_writing_numbers_are_one_cause(cell: str, cause: str) -> None:
    assert cause in (common_cause([cell] * 12, ",") or "")


@pytest.mark.parametrize("label", ["", "93066*"])
def test_so_it_is_where_nothing_adds_up_or_others_are_left_out(project: Project, label: str) -> None:
    """A file of the country, whose total is not that of the perimeter: the row may be one of its own."""
    ((line, said),) = problems(project, *ROWS, "75056;1;1;1;1", f"{label};7;7;7;7")
    assert line == 6
    assert "de quel territoire" in said


@pytest.mark.parametrize("label", ["Total France", "Étranger", "Ensemble"])
def test_a_row_of_elsewhere_in_a_file_of_the_country_is_left_out(project: Project, label: str) -> None:
    assert problems(project, *ROWS, "75056;1;1;1;1", f"{label};7;7;7;7") == []


def test_a_mean_that_nothing_checks_is_read_by_its_label_alone(project: Project) -> None:
    entry = project.feeds["cpam/apl"]
    fmt = next(f for f in entry.feed.formats if f.file)
    names = {c.names[0]: n for n, c in entry.feed.columns_of(fmt).items()}
    header = ["Code commune INSEE", *names]

    def told(label: str) -> int:
        rows = [[label, *("1.5" for _ in names)], ["93008", *("2.5" for _ in names)]]
        lines = [";".join(row) for row in ([c.replace("{yyyy-2}", "2021") for c in header], *rows)]
        reading = one(project, "drees_apl_2023.csv", *lines).reading
        assert reading is not None
        return len(reading.problems)

    assert told("93066*") == 1


@pytest.mark.parametrize(
    ("end", "columns", "told"),
    [
        ("", [0, 1, 2, 3, 4], [(4, "dernière cellule : « 20000 »")]),
        ("\n", [0, 1, 2, 3, 4], []),
        ("\r\n\x1a", [0, 1, 2, 3, 4], []),
        ("", [1, 2, 3, 4, 0], []),  # a code would be unknown
    ],
)
def test_a_file_that_ends_inside_a_line_tells_its_last_figure(
    project: Project, end: str, columns: list[int], told: list[tuple[int, str]]
) -> None:
    """Cut at 2000, 200 or 20 it is a number all the same."""
    cells = [line.split(";") for line in (HEADER, *ROWS)]
    text = "\n".join(";".join(row[i] for i in columns) for row in cells) + end
    (delivery,) = deliveries_of(project, FSL, text.encode(), "0" * 64)
    assert delivery.reading is not None
    seen = [(line, detail) for line, kind, detail in delivery.reading.oddities if kind == "coupée"]
    assert seen == told


def test_a_second_table_under_the_first_is_told_by_its_header(project: Project) -> None:
    ((line, said),) = problems(project, *ROWS, HEADER, *ROWS)
    assert (line, "deux tableaux" in said) == (5, True)


def test_a_column_that_the_contract_reads_is_no_other_one_renamed(project: Project) -> None:
    lacking = one(project, FSL, HEADER.replace("FSL_MAI;", ""), "93001;30;28;53163").reason or ""
    assert "FSL_MAI" in lacking and "renommée" not in lacking
    renamed = one(project, FSL, HEADER.replace("FSL_MAI", "FSL_MAIN"), *ROWS).reason or ""
    assert "FSL_MAI (renommée en FSL_MAIN ?)" in renamed


def test_a_header_under_forty_lines_of_notes_is_found(project: Project) -> None:
    assert problems(project, *ROWS) == []
    notes = [f"Note {n} : texte;de lecture" for n in range(45)]
    assert one(project, FSL, *notes, HEADER, *ROWS).months == ("2024-12",)


def test_what_a_sheet_does_not_show_is_read_and_told(project: Project) -> None:
    content = workbook(("FSL", [row.split(";") for row in (HEADER, *ROWS)], "visible"))
    hidden = edited(content, b'<row r="3">', b'<row r="3" hidden="1">')
    hidden = edited(hidden, b"<sheetData>", b'<cols><col min="4" max="9" hidden="1"/></cols><sheetData>')
    plain, masked = (
        deliveries_of(project, FSL.replace("csv", "xlsx"), c, "0" * 64)[0].reading
        for c in (content, hidden)
    )
    assert plain is not None and masked is not None and plain.frame.equals(masked.frame)
    assert plain.oddities == ()
    assert [(line, seen) for line, _, seen in masked.oddities] == [
        (1, "colonne masquée : FSL_ENE"),
        (1, "colonne masquée : FSL_MT"),
        (3, "ligne masquée"),
    ]


def test_more_figures_than_any_file_holds_end_in_a_sentence(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MAX_FIGURES", 10)
    refused = one(project, FSL, HEADER, *ROWS)
    assert (refused.feed, refused.months, refused.fault) == (
        "conseil_general/fsl",
        ("2024-12",),
        UNREADABLE,
    )
    assert "jusqu'à la ligne 4" in str(refused.reason)


def test_the_header_of_another_page_is_none(project: Project) -> None:
    assert problems(project, *ROWS[:2], HEADER, *ROWS[2:]) == []


def test_codes_without_their_departement_are_the_contract_s_refusal(project: Project) -> None:
    """Whose file it is stands in its name and its header: it is not set aside as another place's."""
    delivery = one(project, FSL, HEADER, *(row[2:] for row in ROWS))
    assert (delivery.feed, delivery.months) == ("conseil_general/fsl", ("2024-12",))
    assert "on y lit « 001 »" in (delivery.reason or "")
    assert "code Insee" in delivery.fault[1]


def test_another_departement_s_file_is_nobody_s(project: Project) -> None:
    assert one(project, FSL, HEADER, "75101;1;1;1;1", "75102;1;1;1;1").feed is None


def test_a_copy_in_another_folder_is_listed(project: Project) -> None:
    """It says the same: nobody is asked which of the two is right."""
    content = "\n".join([HEADER, *ROWS]).encode()
    other = content.replace(b"93001;30", b"93001;31")
    same = zipped({FSL: content, f"copie/{FSL}": content})
    (delivery,) = deliveries_of(project, "envoi.zip", same, "0" * 64)
    assert delivery.reason is None and delivery.reading is not None
    assert delivery.rest == (f"copie / {FSL} : mêmes chiffres qu'un autre tableau, non lu.",)
    twice = zipped({FSL: content, f"copie/{FSL}": other})
    (delivery,) = deliveries_of(project, "envoi.zip", twice, "0" * 64)
    assert delivery.fault[0] == "deux_tableaux"


def test_a_header_alone_is_told_as_such(project: Project) -> None:
    delivery = one(project, FSL, HEADER)
    assert "n'a que son en-tête" in (delivery.reason or "")
    assert "tableau entier" in delivery.fault[1]


def test_a_percentage_in_a_count_is_no_number(project: Project) -> None:
    reading = one(project, FSL, HEADER, "93001;30%;14;28;53163", *ROWS[1:]).reading
    assert reading is not None
    assert reading.frame["unreadable"].dropna().to_list() == ["30%"]


def test_a_hidden_sheet_is_no_delivery(project: Project) -> None:
    rows: list[list[object]] = [
        [int(c) if c.isdigit() else c for c in line.split(";")] for line in (HEADER, *ROWS)
    ]
    older = [rows[0], *([code, 1, *rest] for code, _, *rest in rows[1:])]
    content = workbook(("FSL", rows, "visible"), ("ancien", older, "veryHidden"))
    (delivery,) = deliveries_of(project, FSL.replace("csv", "xlsx"), content, "0" * 64)
    assert delivery.reason is None and delivery.reading is not None
    assert delivery.reading.frame["value"].max() == 53163
    assert delivery.rest == ("ancien : feuille masquée, non lue.",)


@pytest.mark.parametrize(("short", "read"), [("1001", True), ("9301", False)])
def test_a_zero_is_put_back_only_where_it_was_lost(project: Project, short: str, read: bool) -> None:
    """9301 is no commune of the Ain: it may be one of the perimeter, typed without a digit."""
    told = one(project, FSL, HEADER, *ROWS, "75056;1;1;1;1", f"{short};1;1;1;1").reading
    assert told is not None
    codes = set(told.frame["territory"])
    assert (short not in codes) is read


def test_a_row_without_a_code_that_names_a_commune_is_not_ignored(project: Project) -> None:
    """The contract leaves out households that are nowhere: none of them is Bobigny's."""
    header = "dtreffre;numcomdo;nomcom;indfoy_ndur"

    def told(name: str) -> list[str]:
        rows = ("2022-12;93001;AUBERVILLIERS;120", f"2022-12;;{name};85")
        reading = one(project, "s_ben_com_f_2022.csv", header, *rows).reading
        assert reading is not None
        return [said for _, said in reading.problems]

    assert told("") == told("NON LOCALISE") == []
    assert told("BOBIGNY") == ["la ligne nomme BOBIGNY et n'a pas de code"]


def test_a_contract_s_table_under_another_name_is_its_refusal(project: Project) -> None:
    """Its columns leave no doubt: the partner is asked for the name, and the month is not lost."""
    delivery = one(project, "Copie de fsl décembre 2024.csv", HEADER, *ROWS)
    assert (delivery.feed, delivery.months) == ("conseil_general/fsl", ("2024-12",))
    assert "nom du fichier" in (delivery.reason or "") and "nom de cette forme" in delivery.fault[1]
    assert one(project, "envoi.csv", HEADER, *ROWS).feed is None
    assert one(project, "fsl_2024-12.csv", HEADER, "75101;1;1;1;1").feed is None


def test_a_month_that_is_none_is_told(project: Project) -> None:
    """Nor is December guessed of a monthly file that tells its year alone."""
    delivery = one(project, FSL.replace("-12", "-13"), HEADER, *ROWS)
    assert (delivery.reason, delivery.months) == (
        "Le nom du fichier dit un mois qui n'existe pas.",
        ("0000-00",),
    )


def test_communes_in_columns_are_told_as_such(project: Project) -> None:
    lines = [
        ";".join(cells) for cells in zip(*(row.split(";") for row in [HEADER, *ROWS * 2]), strict=True)
    ]
    delivery = one(project, FSL, *lines)
    assert (delivery.feed, delivery.months) == ("conseil_general/fsl", ("2024-12",))
    assert "les communes y sont en colonnes" in (delivery.reason or "")


@pytest.mark.parametrize("spoiled", ["0{}", "{}0", "93OO1"])
def test_spoiled_codes_of_ours_are_the_contract_s_refusal(project: Project, spoiled: str) -> None:
    rows = [f"{spoiled.format(code)};{rest}" for code, rest in (row.split(";", 1) for row in ROWS)]
    assert one(project, FSL, HEADER, *rows).feed == "conseil_general/fsl"


def test_a_table_that_only_a_hidden_sheet_holds_is_told_as_such(project: Project) -> None:
    rows: list[list[object]] = [
        [int(c) if c.isdigit() else c for c in line.split(";")] for line in (HEADER, *ROWS)
    ]
    notes: list[list[object]] = [["Lisez-moi"], ["texte"]]
    content = workbook(("Notes", notes, "visible"), ("FSL", rows, "hidden"))
    (delivery,) = deliveries_of(project, "conseil_general_fsl_2024-12.xlsx", content, "0" * 64)
    assert delivery.feed == "conseil_general/fsl" and delivery.months == ("2024-12",)
    assert "feuille masquée" in (delivery.reason or "") and delivery.reading is None


def test_a_commune_that_merged_away_tells_the_older_geography(project: Project) -> None:
    """Whatever the file's year: 93066 beside 93059 is Saint-Denis before it took Pierrefitte in."""
    rows = [*ROWS, "93059;7;5;12;9000"]
    readings = [
        one(project, FSL.replace("2024-12", "2025-02"), HEADER, *own).reading for own in (ROWS, rows)
    ]
    assert [reading and reading.geography for reading in readings] == [2025, 2024]


def test_a_sum_over_a_row_without_figure_is_none(project: Project) -> None:
    header = "dtreffre;numcomdo;nomcom;qf_400;indfoy_ndur"
    rows = ("Moins de 400 euros;120", "Entre 400 et 799 euros;")
    lines = [f"2022-12;93001;AUBERVILLIERS;{row}" for row in rows]
    reading = one(project, "ndur_s_qf_400_com_f_2022.csv", header, *lines).reading
    assert reading is not None
    frame = reading.frame.set_index("variable")
    assert frame["value"].to_dict()["caf.foyers_qf_400"] == 120
    assert frame["value"].isna().to_dict()["caf.foyers_qf_800"]
    assert frame["lower_bound"].to_dict()["caf.foyers_qf_800"] == 120
