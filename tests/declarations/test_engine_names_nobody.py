"""The engine names no partner, département, theme, committee or indicator: they are declarations."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

import odds_pipeline
from odds_pipeline.declarations.project import Project
from odds_pipeline.geography.territories import plain

ENGINE = Path(odds_pipeline.__file__).parent
SOURCES = sorted(p for s in ("py", "html", "j2", "typ", "sql", "txt", "yaml") for p in ENGINE.rglob(f"*.{s}") if "_project" not in p.parts)  # fmt: skip
COMMON = {
    "france",  # a level, and the words FR and FM of every French table
    "logement", "social", "sante",  # words of the language; "logement" is also what a study is about
    "cadrage",  # of a page
}  # fmt: skip
COLUMNS = {"niveau_vie_median"}
"""Columns of the reference tables that the simulation reads."""
INSEE = {"code_insee", "insee"}
"""Insee gives communes their codes, which any partner's file and any map may name by it."""


WORD = re.compile(r"\w+")


def _said(names: set[str]) -> list[str]:
    """Where one of the names stands, whole; only names whose first word a line holds are looked for."""
    by_first: dict[str, list[re.Pattern[str]]] = defaultdict(list)
    for name in sorted(names):
        by_first[WORD.findall(name)[0]].append(re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])"))
    return [
        f"{path.relative_to(ENGINE)}:{number}: {match[0]}"
        for path in SOURCES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for word in set(WORD.findall(line)) & by_first.keys()
        for wanted in by_first[word]
        for match in wanted.finditer(line)
    ]


def test_sources_are_found() -> None:
    assert len(SOURCES) > 200 and {p.suffix for p in SOURCES} >= {".py", ".html", ".sql", ".typ"}


@pytest.mark.parametrize("kind", ["partner", "theme", "committee", "indicator", "study", "variable"])
def test_no_id_stands_in_the_engine(project: Project, kind: str) -> None:
    names = {
        "partner": set(project.partners) - INSEE,
        "theme": set(project.observatory.themes) - COMMON,
        "committee": set(project.observatory.committees),
        "indicator": {name for name in project.indicators if "_" in name} - COLUMNS,
        "study": {p.stem for p in (project.root / "assets/studies").glob("*.yaml")},
        "variable": set(project.variables),
    }[kind]
    assert names
    assert _said(names) == []


def test_no_place_stands_in_the_engine(project: Project) -> None:
    # Neighbourhoods are called Centre or Gare, as much else is.
    wide = [t for t in project.territories.all if not t.communes]
    places = {t.label for t in wide if plain(t.label) not in COMMON}
    codes = {t.code for t in project.territories.all if t.level == "commune"}
    assert _said({*places, *codes, project.observatory.territory, '"93"', "'93'"}) == []
