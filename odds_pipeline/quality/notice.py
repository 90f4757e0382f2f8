"""The rejection notice: what a partner needs to send a refused file again, in French.

As text for a message, and as one self-contained page that prints.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import duckdb
from jinja2 import Environment, PackageLoader, StrictUndefined

from odds_pipeline.declarations.project import FeedEntry, Project
from odds_pipeline.declarations.suite import TOLERATED
from odds_pipeline.french import french_month, french_number
from odds_pipeline.quality.quarantine import Case
from odds_pipeline.quality.structure import TEAM
from odds_pipeline.reception.contents import NAME, NO_MONTH
from odds_pipeline.reception.kept import table_of
from odds_pipeline.reception.recording import OLDER
from odds_pipeline.storage.sql import first

_IN_USE = """
SELECT 1 FROM trusted_months t JOIN deliveries d ON d.id = t.delivery
WHERE d.sha256 = ? AND d.file_name = ? LIMIT 1
"""

PERIOD = ("calendrier", "periode_future")
"""Rules on the month that a name tells, whose remedy is another name."""

MARKS = {
    "secret": "secret statistique",
    "not_available": "non disponible",
    "not_concerned": "sans objet",
    "absent": "absent",
}


@dataclass(frozen=True)
class Cell:
    """One wrong cell, in the words of the file: line, column, territory, found, expected."""

    line: str
    column: str
    territory: str
    found: str
    expected: str


@dataclass(frozen=True)
class Fault:
    """One rule that the month breaks, with the first cells of all ``count``; ``rest`` are not told.

    ``of_columns``: it speaks of whole columns; ``of_absent``: of territories that have no line.
    ``unknown``: how many codes it cites that are no territory's. ``follows``: it has no cause of its
    own, as far as one can tell: so many cells beside a column, no more absent places than unknown codes.
    """

    rule: str
    message: str
    remedy: str
    count: int
    cells: tuple[Cell, ...]
    rest: int
    of_columns: bool
    of_absent: bool = False
    unknown: int = 0
    follows: bool = False


@dataclass(frozen=True)
class Notice:
    """Everything the two templates show.

    The rules ``refusing`` refuse, those ``doubtful`` are signalled besides; ``acceptable``: the
    figures may be accepted as they are if the partner says why; ``partly``: the rest of the file is in
    use.
    """

    partner: str
    contact: str
    feed: str
    contract: str
    file: str
    sha256: str
    received: datetime
    month: str
    refusing: tuple[Fault, ...]
    doubtful: tuple[Fault, ...]
    acceptable: bool
    partly: bool
    territories: tuple[str, ...]
    marks: tuple[str, ...]

    @property
    def to_rename(self) -> bool:
        """Whether the file itself is not in doubt, but the month that its name tells."""
        return all(f.rule in PERIOD or f.remedy == NAME[1] for f in self.refusing)

    @property
    def to_send_again(self) -> bool:
        """Whether the partner can mend something: not what is ours, nor which of two files is right."""
        return any(f.rule != OLDER and f.remedy != TEAM for f in self.refusing)


def _number(value: float) -> str:
    return french_number(value, 0 if float(value).is_integer() else 2)


def _expected(row: dict[str, Any]) -> str:
    """What a right cell would hold, as far as the rule tells it."""
    if row.get("expected"):
        return str(row["expected"])
    for key, words in (
        ("total", "au plus {}"),
        ("previous", "proche de {}"),
        ("minimum", "au moins {}"),
        ("maximum", "au plus {}"),
    ):
        if row.get(key) is not None:
            return words.format(_number(float(row[key])))
    return ""


def _found(row: dict[str, Any]) -> str:
    if row.get("raw") is not None:
        return str(row["raw"]).replace("\x00", "") or "(vide)"
    if row.get("value") is not None:
        return _number(float(row["value"]))
    return str(row.get("detail") or "")


def _fault(
    project: Project, entry: FeedEntry, rule: str, message: str, remedy: str, count: int, rows: str
) -> Fault:
    labels = {t.code: t.label for t in reversed(project.territories.all)}
    declared = {entry.variable_id(name): v.label for name, v in entry.feed.variables.items()}
    said = declared | {name: one.indicator.label for name, one in project.indicators.items()}
    cells: list[Cell] = []
    failing = json.loads(rows)
    for row, others in _by_line(failing):
        code = str(row.get("territory") or "")
        where = f"{labels[code]} ({code})" if code in labels else code
        words = [row.get("column"), declared.get(str(row.get("variable")))]
        column = " — ".join(dict.fromkeys(str(word) for word in words if word))
        column += f" et {others} autres colonnes" if others else ""
        found, detail = _found(row), str(row.get("detail") or "")
        spoken = _NAME.sub(lambda name: f"« {said[name[0]]} »" if name[0] in said else name[0], detail)
        spoken = _MONTH.sub(lambda month: french_month(month[0]), _WHOLE.sub("", spoken))
        found = spoken if found == detail else f"{found} ({spoken})" if detail else found
        line = str(row["line"]) if row.get("line") is not None else ""
        cells.append(Cell(line, column, where, found, _expected(row)))
    columns = bool(failing) and all(r.get("variable") and not r.get("territory") for r in failing)
    rest = max(count - len(failing), 0) if failing else 0  # a fault of the whole file has no cells
    places = [str(row.get("territory") or "") for row in failing]
    absent = all(places) and not any(row.get("line") or row.get("variable") for row in failing)
    unknown = len({place for place in places if place and place not in labels})
    absent = absent and bool(failing) and not unknown
    return Fault(rule, message, remedy, count, tuple(cells), rest, columns, absent, unknown)


_NAME = re.compile(r"\b[a-z][a-z0-9]*(?:[._][a-z0-9]+)+\b")
"""What may be the name of a variable or of an indicator in our own words."""

_MONTH = re.compile(r"(?<![\d-])(?:19|20)\d\d-(?:0[1-9]|1[0-2])(?![\d-])")
_WHOLE = re.compile(r"(?<=\d)\.0(?!\d)")
"""The decimals of a whole number, as SQL writes them."""

_FEW = 3
"""Cells of one line that are told one by one: more have a cause that is the line's."""

_MANY = 20
"""Cells of a rule that one displaced column explains, sooner than as many mistakes."""


def _by_line(rows: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], int]]:
    """Failing cells to tell, each with how many others of its line it stands for."""
    lines: dict[tuple[object, object], list[dict[str, Any]]] = {}
    for number, row in enumerate(rows):
        line = (row["line"], row.get("territory")) if row.get("line") is not None else (None, number)
        lines.setdefault(line, []).append(row)
    for own in lines.values():
        if len(own) > _FEW:
            yield own[0], len(own) - 1
        else:
            yield from ((row, 0) for row in own)


def _one_cause(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """Faults of whole columns first; what follows from them, after and without its cells."""
    unknown = max((fault.unknown for fault in faults), default=0)
    faults = [replace(f, follows=f.of_absent and f.count <= unknown) for f in faults]
    own = [fault for fault in faults if not fault.of_columns]
    faults = [
        replace(fault, follows=True, cells=(), rest=0)
        if any(_explains(other, fault) for other in (own if fault.of_columns else []) + faults[:n])
        else fault
        for n, fault in enumerate(faults)
    ]
    first = [fault for fault in faults if fault.of_columns and not fault.follows]
    others = [
        replace(fault, follows=True, cells=(), rest=0) if first and fault.count >= _MANY else fault
        for fault in faults
        if fault not in first
    ]
    return (*first, *sorted(others, key=lambda fault: fault.follows))


def _explains(cause: Fault, fault: Fault) -> bool:
    """Whether a fault tells again of what another tells: the same cells, or the column of its one."""
    if not fault.cells or not cause.cells or cause.rest or cause.follows:
        return False
    if fault.of_columns and not cause.of_columns:
        told = all(cell.expected for cell in fault.cells)
        return told and cause.count == 1 and {c.column for c in fault.cells} == {cause.cells[0].column}
    if fault.of_columns != cause.of_columns or fault.count > cause.count:
        return False
    return {(c.line, c.column) for c in fault.cells} <= {(c.line, c.column) for c in cause.cells}


def notice_of(project: Project, connection: duckdb.DuckDBPyConnection, case: Case) -> Notice:
    """The notice of one refused month."""
    entry = project.feeds[case.feed]
    rows = connection.execute(
        "SELECT severity, rule, message, remedy, failing, rows FROM verdicts "
        "WHERE delivery = ? AND month = ? AND NOT passed ORDER BY rule",
        [case.delivery, case.month],
    ).fetchall()
    faults = [(severity, _fault(project, entry, *rest)) for severity, *rest in rows]
    refusing = _one_cause([f for severity, f in faults if severity not in TOLERATED])
    rules = project.rules_of(entry)
    absent = {cell.territory for fault in refusing if fault.of_absent for cell in fault.cells}
    named = dict.fromkeys(c.territory for f in refusing for c in f.cells if c.territory)
    row = first(connection, "SELECT format FROM deliveries WHERE id = ?", [case.delivery])
    asks_for_marks = any("marque" in fault.remedy for fault in refusing if not fault.follows)
    fmt = next((f for f in entry.feed.formats if row and f.id == row[0]), entry.feed.formats[0])
    return Notice(
        entry.partner.label,
        entry.partner.contact_role,
        entry.feed.label,
        str(entry.file.path),
        case.file,
        table_of(case.delivery)[0],
        case.received_at,
        french_month(case.month) if case.month != NO_MONTH else "",
        refusing,
        tuple(
            fault
            for severity, fault in faults
            if severity == "warning"
            and not (fault.of_absent and {cell.territory for cell in fault.cells} <= absent)
        ),
        bool(refusing) and all(f.rule in rules and rules[f.rule].overrulable for f in refusing),
        bool(connection.execute(_IN_USE, [table_of(case.delivery)[0], case.file]).fetchall()),
        tuple(named),
        tuple(f"{mark} : {MARKS[kind]}" for mark, kind in fmt.marks.items()) if asks_for_marks else (),
    )


def _render(template: str, notice: Notice) -> str:
    environment = Environment(
        loader=PackageLoader("odds_pipeline.quality"),
        autoescape=template.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(notice=notice)


def as_text(notice: Notice) -> str:
    """The notice as the text of a message."""
    return _render("notice.txt", notice)


def as_page(notice: Notice) -> str:
    """The notice as one HTML page without any outside file."""
    return _render("notice.html", notice)
