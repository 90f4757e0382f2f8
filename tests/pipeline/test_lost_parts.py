"""A whole that a file's rows add up to loses its figure with a commune: it is missing, with its lower bound."""

from pathlib import Path

import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.quality.gate import judge_pending
from odds_pipeline.reception.receive import receive
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.store import Store

FEED = "insee/equipements_sante"
BOBIGNY, PANTIN, MONTREUIL = "93008", "93055", "93048"


def _file(folder: Path, year: int, practices: dict[str, int]) -> Path:
    """A base of equipments: so many general practitioners in each commune."""
    lines = [f"{code};D265;" for code, count in practices.items() for _ in range(count)]
    path = folder / f"bpe{year % 100}.csv"
    path.write_text("\n".join(["DEPCOM;TYPEQU;SDOM", *lines]), encoding="utf-8")
    return path


def _practitioners(home: Home) -> dict[tuple[str, str], tuple[float | None, str, float | None]]:
    """By month and whole: the figure, its status and its lower bound."""
    with Store(home.warehouse).connect() as connection:
        rows = connection.execute(
            "SELECT month, territory, value, obs_status, lower_bound FROM observations "
            "WHERE known_to IS NULL AND level <> 'commune' AND variable = 'insee.generalistes_bpe'"
        ).fetchall()
    return {(month, code): tuple(rest) for month, code, *rest in rows}


EAST, DEPARTEMENT = "200057875", "93"
"""The part of Greater Paris that Bobigny, Pantin and Montreuil are in."""


@pytest.mark.parametrize("together", [True, False])
def test_a_whole_that_loses_a_commune_is_missing(
    project: Project, home: Home, tmp_path: Path, together: bool
) -> None:
    """As long as the month before had it, judged with it or after it."""
    full = {BOBIGNY: 5, PANTIN: 7, MONTREUIL: 9, "93001": 4}
    less = {code: count for code, count in full.items() if code != PANTIN}
    years = {2021: full, 2022: less, 2023: less | {BOBIGNY: 6}}
    files = [_file(tmp_path, year, practices) for year, practices in years.items()]
    for batch in [files] if together else [[file] for file in files]:
        list(receive(project, home, batch))
        judge_pending(project, home, FEED)
    found = _practitioners(home)
    assert found["2021-01", DEPARTEMENT] == (25, "A", None)
    assert found["2022-01", DEPARTEMENT] == (None, "O", 18)
    assert found["2022-01", EAST] == (None, "O", 14)
    assert found["2022-01", "200057867"] == (4, "A", None)
    assert found["2023-01", DEPARTEMENT] == (19, "A", None)
