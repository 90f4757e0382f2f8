"""Records deliveries in the warehouse: what each file held, under which contracts, and what waits."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb

from odds_pipeline.declarations.project import Project
from odds_pipeline.reception.contents import Delivery
from odds_pipeline.reception.origin import Origin
from odds_pipeline.storage.sql import read_sql

_DELIVERY = """
INSERT INTO deliveries BY NAME SELECT $id AS id, $sha AS sha256, $file AS file_name,
    $part AS part, $size AS size, $now AS received_at,
    coalesce((SELECT max(received_order) FROM deliveries), 0) + 1 AS received_order,
    $feed AS feed, $format AS format, $geography AS geography, $ignored AS ignored_rows,
    $unknown AS unknown_columns, $simulated AS simulated, $reason AS reason, $levels AS levels
"""

_ARRIVAL = """
INSERT INTO arrivals (delivery, dated, contracts, rest) VALUES ($id, $dated, $contracts, $rest)
"""

_MONTHS = """
INSERT INTO delivered_months (delivery, feed, month, state, judged_at)
SELECT $id, $feed, unnest($months::VARCHAR[]), $state, $now
"""

_VERDICTS = """
INSERT INTO verdicts (delivery, month, rule, severity, passed, message, remedy, failing, rows)
SELECT $id, unnest($months::VARCHAR[]), $rule, 'critical', false, $message, $remedy, 1, '[]'
"""

_NEWER = read_sql(__file__, "newer")

OLDER = "plus_ancien"


@dataclass(frozen=True)
class Source:
    """A file as received: its name, hash and size, when it was last changed, where it is from."""

    file: str
    sha256: str
    size: int
    dated: datetime
    origin: Origin = field(default_factory=Origin)


def now() -> datetime:
    """This moment, as the warehouse writes it."""
    return datetime.now(UTC).replace(tzinfo=None)


def contracts_of(project: Project) -> str:
    """A fingerprint of everything that recognising a file rests on."""
    texts = [entry.feed.model_dump_json() for entry in project.feeds.values()]
    return hashlib.sha256("".join([*texts, repr(project.territories.departements)]).encode()).hexdigest()


def identity(source: Source, one: Delivery) -> str:
    """The delivery's id: the file's hash, which table of it, as which contract, the how manieth time."""
    table = f"{source.sha256}#{one.number}" if one.number else source.sha256
    table = f"{table}+{one.shared}" if one.shared else table
    return f"{table}@{one.again}" if one.again else table


def forget(connection: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> None:
    """Take back deliveries that could not be read, which are recorded anew."""
    for table, column in (
        ("verdicts", "delivery"),
        ("delivered_months", "delivery"),
        ("arrivals", "delivery"),
        ("origins", "delivery"),
        ("deliveries", "id"),
    ):
        connection.execute(f"DELETE FROM {table} WHERE {column} IN (SELECT unnest(?))", [list(ids)])


def record(connection: duckdb.DuckDBPyConnection, source: Source, one: Delivery, contracts: str) -> None:
    """Insert a delivery: its months wait for the gate, but for those that it would make older."""
    id, moment, reading = identity(source, one), now(), one.reading
    connection.execute(
        _DELIVERY,
        {
            "id": id,
            "sha": source.sha256,
            "file": source.file,
            "part": one.part,
            "size": source.size,
            "now": moment,
            "feed": one.feed,
            "format": one.format,
            "geography": reading.geography if reading else None,
            "ignored": reading.ignored if reading else None,
            "unknown": list(reading.unknown_columns) if reading else [],
            "simulated": one.simulated,
            "reason": one.reason,
            "levels": sorted(map(str, reading.frame["level"].unique())) if reading else None,
        },
    )
    arrival = {"id": id, "dated": source.dated, "contracts": contracts, "rest": list(one.rest)}
    connection.execute(_ARRIVAL, arrival)
    origin = {"id": id, "origin": source.origin.as_json()}
    connection.execute("INSERT INTO origins (delivery, origin) VALUES ($id, $origin)", origin)
    if one.feed is None:
        return
    months = {"id": id, "feed": one.feed, "now": moment}
    if one.reason is not None:
        connection.execute(_MONTHS, {**months, "months": list(one.months), "state": "refused"})
        _refuse(connection, id, one.months, *one.fault, one.reason)
        return
    older = _older(connection, source, one)
    waiting = tuple(month for month in one.months if month not in older)
    connection.execute(_MONTHS, {**months, "months": list(waiting), "state": "pending", "now": None})
    connection.execute(_MONTHS, {**months, "months": list(older), "state": "refused"})
    for month, why in older.items():
        _refuse(connection, id, (month,), OLDER, "Dire lequel des deux fichiers fait foi.", why)


def _refuse(
    connection: duckdb.DuckDBPyConnection,
    id: str,
    months: Sequence[str],
    rule: str,
    remedy: str,
    message: str,
) -> None:
    given = {"id": id, "months": list(months), "rule": rule, "message": message, "remedy": remedy}
    connection.execute(_VERDICTS, given)


def _older(connection: duckdb.DuckDBPyConnection, source: Source, one: Delivery) -> dict[str, str]:
    """Why months of a delivery wait for a person: a file dated later says otherwise."""
    assert one.reading is not None
    connection.register("incoming", one.reading.frame)
    given = {"feed": one.feed, "format": one.format, "dated": source.dated}
    rows = connection.execute(_NEWER, given).fetchall()
    connection.unregister("incoming")
    return {
        month: (
            f"Ce fichier, du {source.dated:%d/%m/%Y à %H:%M}, est plus ancien que « {name} », "
            f"du {dated:%d/%m/%Y à %H:%M}, déjà reçu pour ce mois avec d'autres chiffres."
        )
        for month, name, dated in rows
    }
