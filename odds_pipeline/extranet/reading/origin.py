"""Where a value comes from, as far as its reader may know: its figures, their lines, the gate's verdict.

Of a figure that is hidden nothing is told but that it is: not its file, nor how many lines it adds up.
"""

from dataclasses import dataclass, replace

from odds_pipeline.declarations.project import Project
from odds_pipeline.extranet.reading.serving import Row, Unknown, View
from odds_pipeline.indicators.explain import Explanation, RawFigure, explain
from odds_pipeline.storage.sql import read_sql

_SAID = read_sql(__file__, "origin")
_WEIGHT = "weight: "
"""What :func:`explain` puts before the name of a weight."""


@dataclass(frozen=True)
class Input:
    """One term of the formula: what it is, whether it only weighs the mean of another, its figures."""

    label: str
    unit: str
    weighs: bool
    figures: list[RawFigure]


@dataclass(frozen=True)
class Origin:
    """The chain of a value; ``inputs`` is ``None`` when its definition is no longer the one it had."""

    value: Explanation | None
    inputs: list[Input] | None
    verdicts: list[Row]


def origin(project: Project, view: View, indicator: str, territory: str, month: str) -> Origin:
    """Follow a value back to its deliveries. :class:`Unknown` when the reader has no such value."""
    sheet = view.indicator(indicator)
    entry = project.indicators.get(indicator)
    if entry is None or entry.indicator.formula != sheet["formula"]:
        return Origin(None, None, [])
    try:
        found = explain(project, view.connection.cursor(), indicator, territory, month)
    except LookupError as error:
        raise Unknown(f"{indicator} {territory} {month}") from error
    read = {term.key: term.variable for term in entry.indicator.parsed.terms}
    inputs = [_input(project, read, term, figures) for term, figures in found.inputs.items()]
    verdicts = [_in_words(project, _hashed(project, row)) for row in _verdicts(view, inputs)]
    return Origin(found, inputs, verdicts)


def _input(project: Project, read: dict[str, str], term: str, figures: list[RawFigure]) -> Input:
    weighs = term.startswith(_WEIGHT)
    _, variable = project.variables[term.removeprefix(_WEIGHT) if weighs else read[term]]
    unit = project.units[variable.unit].label
    return Input(variable.label, unit, weighs, [_told(figure) for figure in figures])


def _told(figure: RawFigure) -> RawFigure:
    if figure.conf_status == "F":
        return figure
    return replace(
        figure,
        value=None,
        file="",
        line=0,
        lines=0,
        delivery="",
        sha256=None,
        correction=None,
        origin=None,
    )


def _hashed(project: Project, row: Row) -> Row:
    """With the hash of a public file only: earlier releases have that of every file."""
    entry = project.feeds.get(row["feed"])
    return row if entry and entry.feed.kind != "template" else {**row, "sha256": None}


def _in_words(project: Project, row: Row) -> Row:
    """With what each rule says in French; nothing of a rule that is no longer declared."""
    entry = project.feeds.get(row["feed"])
    rules = project.rules_of(entry) if entry else {}
    said = {name: rule.message for name, rule in rules.items()}
    worded = {
        key: [{**one, "said": said.get(one["rule"], "")} for one in row[key]]
        for key in ("others", "overruled")
    }
    return {**row, **worded, "label": entry.feed.label if entry else row["feed"]}


def _verdicts(view: View, inputs: list[Input]) -> list[Row]:
    """What the gate said of the files that are told."""
    told = {(f.delivery, f.month) for one in inputs for f in one.figures if f.delivery}
    deliveries, months = zip(*sorted(told), strict=True) if told else ((), ())
    return view.rows(_SAID, {"deliveries": list(deliveries), "months": list(months)})
