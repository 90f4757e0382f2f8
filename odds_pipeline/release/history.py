"""The history of one value: what each release said of it, each delivery that changed its figures."""

from dataclasses import dataclass, fields
from typing import Any

import duckdb

from odds_pipeline.declarations.project import Project
from odds_pipeline.release.published import numbers, open_release
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.sql import first, read_sql


@dataclass(frozen=True)
class Said:
    """What a release says, when it differs from the one before. ``releases`` counts those that agree."""

    release: int
    published_at: str
    value: float | None
    obs_status: str
    conf_status: str
    reserve: str | None
    releases: int


@dataclass(frozen=True)
class Revision:
    """A raw figure as one delivery brought it. ``what``: première, révision, retour à une valeur
    antérieure (a roll-back), retirée."""

    variable: str
    territory: str
    month: str
    value: float | None
    obs_status: str
    conf_status: str
    file: str
    received_at: str
    judgement: int
    replaced_by: int | None
    correction: str | None
    what: str


_FIGURE = [f.name for f in fields(Revision)][:-1]

_VALUE = """
SELECT v.value, v.obs_status, v.conf_status, v.reserve, a.published_at
FROM about a LEFT JOIN indicator_values v ON v.indicator = ? AND v.territory = ? AND v.month = ?
ORDER BY v.geography DESC LIMIT 1
"""

_REVISIONS = read_sql(__file__, "revisions")


def releases_that_say(home: Home, indicator: str, territory: str, month: str) -> tuple[Said, ...]:
    """The releases whose value differs from the release before, the oldest first."""
    found: list[Said] = []
    for number in numbers(home):
        with open_release(home, number) as connection:
            row = first(connection, _VALUE, [indicator, territory, month])
        if row is None or row[1] is None:
            continue
        value, obs_status, conf_status, reserve, published_at = row
        said = (value, obs_status, conf_status, reserve)
        last = found[-1] if found else None
        if last and (last.value, last.obs_status, last.conf_status, last.reserve) == said:
            found[-1] = Said(last.release, last.published_at, *said, last.releases + 1)
        else:
            found.append(Said(number, str(published_at), *said, 1))
    return tuple(found)


def revisions(
    project: Project, connection: duckdb.DuckDBPyConnection, indicator: str, territory: str, month: str
) -> tuple[Revision, ...]:
    """Each version of the raw figures of the month, of the territory or else of its communes."""
    variables = list(project.indicators[indicator].indicator.parsed.variables)
    parts = {p.part for p in project.territories.parts if p.whole == territory}
    rows: list[tuple[Any, ...]] = []
    for territories in ([territory], sorted(parts - {territory})):
        rows = connection.execute(
            _REVISIONS, {"variables": variables, "month": month, "territories": territories}
        ).fetchall()
        if rows:
            break
    found = []
    for row in rows:
        version, back = row[-2:]
        what = "première" if version == 1 else "retour à une valeur antérieure" if back else "révision"
        figure = dict(zip(_FIGURE, row, strict=False))
        found.append(Revision(**figure, what=what))
    return tuple(found)
