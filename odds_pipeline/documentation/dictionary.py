"""The warehouse's data dictionary: tables and columns as made, with the comments of their SQL."""

import re
from pathlib import Path

from odds_pipeline.storage import schema
from odds_pipeline.storage.duck import connect

FOLDER = Path(schema.__file__).parent
_TABLE = re.compile(r"((?:^--[^\n]*\n)*)^CREATE TABLE (?:IF NOT EXISTS )?(\w+)", re.MULTILINE)
_COLUMN = re.compile(r"^ +(\w+) [A-Z][^\n]*?-- ([^\n]*)$", re.MULTILINE)
_COLUMNS = """
SELECT table_name, column_name, data_type, NOT is_nullable FROM duckdb_columns()
WHERE NOT internal AND table_name IN (SELECT table_name FROM duckdb_tables())
ORDER BY table_name, column_index
"""


def page() -> str:
    """The dictionary as Markdown."""
    said = _comments()
    connection = connect()
    schema.apply_schema(connection, schema.MIGRATIONS)
    lines = ["# Data dictionary of the warehouse", ""]
    lines += ["Written by `make docs` from `odds_pipeline/storage/schema/`."]
    table = ""
    for name, column, kind, needed in connection.execute(_COLUMNS).fetchall():
        if name != table:
            table = name
            lines += ["", f"## {name}", "", *([said[name, ""], ""] if said.get((name, "")) else [])]
            lines += ["| column | type | | |", "| --- | --- | --- | --- |"]
        must = "required" if needed else ""
        lines.append(f"| `{column}` | {kind} | {must} | {said.get((name, column), '')} |")
    return "\n".join(lines) + "\n"


def _comments() -> dict[tuple[str, str], str]:
    """What the SQL says of each table (no column) and of each column."""
    found: dict[tuple[str, str], str] = {}
    for path in sorted(FOLDER.glob("[0-9]*.sql")):
        text = path.read_text(encoding="utf-8")
        for above, name in _TABLE.findall(text):
            found[name, ""] = " ".join(line.removeprefix("--").strip() for line in above.splitlines())
        for statement in re.split(r";\s*\n", text):
            if table := _TABLE.search(statement):
                found |= {(table[2], column): words for column, words in _COLUMN.findall(statement)}
    return found
