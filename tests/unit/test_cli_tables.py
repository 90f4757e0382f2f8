"""Tables on a terminal of 80 columns, and in a pipe."""

import io

import pytest
from rich.console import Console

from odds_pipeline.cli.tables import print_table

VALUE = ["mois", "valeur", "statut", "intervalle à 95 %", "département", "écart", "France", "rang", "1 an, en pts",
         "5 ans, en pts", "géographie", "plus ancienne donnée"]  # fmt: skip
MONTHS = [
    [f"2024-{m:02d}", "25,13", "valeur normale", "24,91 – 25,36", "27,60", "-2,47", "14,40", f"{m}/40", "+0,12",
     None, 2024, "2020-12"]
    for m in range(1, 13)
]  # fmt: skip
FILES = [
    [
        "caf_allocataires_2024-12.csv",
        "caf/allocataires",
        "Le total des communes n’est pas celui du département. " * 3,
    ]
]


def shown(columns: list[str], rows: list[list[object]], width: int | None) -> str:
    """What is printed on a terminal of that width, or into a pipe."""
    file = io.StringIO()
    console = Console(
        file=file, width=width, force_terminal=width is not None, color_system=None, highlight=False
    )
    print_table(console, "Un titre", columns, rows)
    return file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 132, 400])
def test_no_line_is_wider_than_the_terminal_and_no_value_is_split(width: int) -> None:
    text = shown(VALUE, MONTHS, width)
    assert max(len(line) for line in text.splitlines()) <= width
    for name in VALUE[1:9]:
        assert name in text
    for value in ("24,91 – 25,36", "valeur normale", "12/40", "2024-12", "+0,12"):
        assert any(value in line for line in text.splitlines()), value
    assert "None" not in text


def test_a_long_column_folds_and_the_others_do_not() -> None:
    lines = shown(["file", "feed", "why"], FILES, 80).splitlines()
    assert max(map(len, lines)) <= 80
    assert any("caf_allocataires_2024-12.csv" in line and "caf/allocataires" in line for line in lines)


def test_in_a_pipe_each_row_is_one_line() -> None:
    lines = shown(["file", "feed", "why"], FILES, None).splitlines()
    assert len([line for line in lines if "caf_alloc" in line]) == 1
    assert FILES[0][2] in "".join(lines)
    assert (
        sum(
            "2024-" in line and "24,91 – 25,36" in line
            for line in shown(VALUE, MONTHS, None).splitlines()
        )
        == 12
    )


def test_brackets_of_a_cell_are_shown() -> None:
    assert "a [1].csv" in shown(["file"], [["a [1].csv"]], 80)
