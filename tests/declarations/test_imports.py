"""What a module may import: Dagster's private modules have one room, no import goes in a circle, and
what shows a release has no way to figures that it hides."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from odds_pipeline.documentation.rooms import ENGINE, circles

ROOM = ENGINE / "orchestration" / "dagster_internals"
SOURCES = {path: path.read_text(encoding="utf-8") for path in sorted(ENGINE.rglob("*.py"))}


def imported(source: str, everywhere: bool = True) -> Iterator[str]:
    """Names that a source imports, in full; ``everywhere``: within functions too."""
    tree = ast.parse(source)
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def private(source: str) -> list[str]:
    """Those that lie in a private module of Dagster or of one of its libraries."""
    names = (name.split(".") for name in imported(source))
    return [".".join(n) for n in names if n[0].startswith("dagster") and any(p[0] == "_" for p in n)]


@pytest.mark.parametrize(
    "source",
    [
        "from dagster._core.events import DagsterEvent",
        "from dagster import _utils",
        "def f():\n    import dagster_postgres._x as x",
    ],
)
def test_a_private_import_is_seen(source: str) -> None:
    assert len(private(source)) == 1
    assert private("from dagster import AssetKey\nfrom odds_pipeline._x import y") == []


def test_private_modules_of_dagster_have_one_room() -> None:
    found = {str(path.relative_to(ENGINE)): private(text) for path, text in SOURCES.items()}
    leaning = {name for name, names in found.items() if names}
    assert {name for name in leaning if not (ENGINE / name).is_relative_to(ROOM)} == set()
    assert leaning  # else the room itself is not needed


def _module(path: Path) -> str:
    parts = [ENGINE.name, *path.relative_to(ENGINE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_no_module_leads_back_to_itself() -> None:
    """When it is loaded; what a function imports as it is called is no circle."""
    sources = {_module(path): text for path, text in SOURCES.items()}
    graph = {
        module: {
            name if name in sources else name.rpartition(".")[0]
            for name in imported(text, everywhere=False)
        }
        & sources.keys()
        for module, text in sources.items()
    }
    assert sum(map(len, graph.values())) > 500
    assert circles(graph) == []


# ── what is hidden cannot be shown ───────────────────────────────────────────────────────────────

FIGURES = ("odds_pipeline.storage.store.", "odds_pipeline.storage.lake.", "odds_pipeline.secrecy.",
           "odds_pipeline.reception.")  # fmt: skip
PLACES = {"warehouse", "memory", "archive", "landing"}
"""Of an observatory: where true values of hidden figures are. A class file has none."""
COMMITTEES = "publications/committees/facts.py"


def ways_to_figures(source: str) -> list[str]:
    """By which a module could read figures before their protection: imports, and folders it names."""
    names = [node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)]
    return [n for n in imported(source) if n.startswith(FIGURES)] + [n for n in names if n in PLACES]


def test_what_shows_a_release_reads_nothing_else() -> None:
    """Site, charts and documents read class files; the committees' page counts deliveries besides."""
    shown = {
        name: ways_to_figures(text)
        for path, text in SOURCES.items()
        if (name := path.relative_to(ENGINE).as_posix()).startswith(
            ("charts/", "extranet/", "publications/")
        )
    }
    assert len(shown) > 80
    assert [name for name, ways in shown.items() if ways] == [COMMITTEES]
    # Of the tables of the warehouse, those that hold no figure.
    counted = (ENGINE / COMMITTEES).with_name("sql") / "received.sql"
    asked = SOURCES[ENGINE / COMMITTEES].replace("FROM indicator_values WHERE value IS NOT NULL", "")
    for words in (asked, counted.read_text(encoding="utf-8")):
        assert not {"observations", "indicator_values", "published_cells", "audited_cells"} & {
            *re.findall(r"\w+", words)
        }


@pytest.mark.parametrize(
    "source",
    [
        "from odds_pipeline.storage.store import Store",
        "def f(home):\n    from odds_pipeline.secrecy.memory import recall",
        "def f(home):\n    return duckdb.connect(str(home.warehouse))",
        "files = home.memory.glob('*')",
    ],
)
def test_a_way_to_hidden_figures_is_seen(source: str) -> None:
    assert len(ways_to_figures(source)) == 1
