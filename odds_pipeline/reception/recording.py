"""Records deliveries in the warehouse: what each file held, under which contracts, and what waits."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb
import pandas as pd

from odds_pipeline.declarations.project import Project
from odds_pipeline.reception.contents import Delivery
from odds_pipeline.reception.origin import Origin
from odds_pipeline.storage.sql import read_sql

_RECORD, _NEWER = read_sql(__file__, "record"), read_sql(__file__, "newer")

OLDER = "plus_ancien"
_WHICH = "Dire lequel des deux fichiers fait foi."


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
    if not ids:
        return
    for table, column in (
        ("verdicts", "delivery"),
        ("delivered_months", "delivery"),
        ("arrivals", "delivery"),
        ("origins", "delivery"),
        ("deliveries", "id"),
    ):
        connection.execute(f"DELETE FROM {table} WHERE {column} IN (SELECT unnest(?))", [list(ids)])


def record(
    connection: duckdb.DuckDBPyConnection, found: Sequence[tuple[Source, Delivery]], contracts: str
) -> None:
    """Insert deliveries in their order: months wait for the gate, but those they would make older."""
    if not found:
        return
    older, moment = _older(connection, found), now()
    months = [month for source, one in found for month in _months(source, one, older)]
    frames = {
        "received": _frame(
            _RECEIVED,
            [(number, *_row(*each, contracts, moment)) for number, each in enumerate(found, start=1)],
        ),
        "received_months": _frame(_MONTHS, [(*month, moment) for month in months]),
    }
    for name, frame in frames.items():
        connection.register(name, frame)
    connection.execute(_RECORD)
    for name in frames:
        connection.unregister(name)


_RECEIVED = (
    "number id sha256 file_name part size received_at feed format geography ignored_rows "
    "unknown_columns simulated reason levels dated contracts rest origin"
).split()
_MONTHS = "delivery feed month state rule remedy message judged_at".split()
_MOMENTS, _NUMBERS, _OTHERS = (
    {"received_at", "dated", "judged_at"},
    {"number", "size", "geography", "ignored_rows"},
    {"unknown_columns", "levels", "rest", "simulated"},
)


def _frame(columns: list[str], rows: list[tuple[object, ...]]) -> pd.DataFrame:
    """Typed even where a column holds nothing: DuckDB takes a type from what it sees."""
    types = {
        name: "datetime64[us]" if name in _MOMENTS else "Int64" if name in _NUMBERS else "string"
        for name in columns
        if name not in _OTHERS
    }
    return pd.DataFrame(rows, columns=columns).astype(types)


def _row(source: Source, one: Delivery, contracts: str, moment: datetime) -> tuple[object, ...]:
    reading = one.reading
    return (
        identity(source, one), source.sha256, source.file, one.part, source.size, moment, one.feed,
        one.format, reading.geography if reading else None, reading.ignored if reading else None,
        list(reading.unknown_columns) if reading else [], one.simulated, one.reason,
        sorted(map(str, reading.frame["level"].unique())) if reading else None,
        source.dated, contracts, list(one.rest), source.origin.as_json(),
    )  # fmt: skip


def _months(
    source: Source, one: Delivery, older: dict[tuple[str, str], str]
) -> Iterator[tuple[object, ...]]:
    """Each month of a delivery: it waits, or is refused by a rule, with its remedy and the reason."""
    id = identity(source, one)
    for month in one.months if one.feed is not None else ():
        if one.reason is not None:
            yield id, one.feed, month, "refused", *one.fault, one.reason
        elif (id, month) in older:
            yield id, one.feed, month, "refused", OLDER, _WHICH, older[id, month]
        else:
            yield id, one.feed, month, "pending", None, None, None


def _older(
    connection: duckdb.DuckDBPyConnection, found: Sequence[tuple[Source, Delivery]]
) -> dict[tuple[str, str], str]:
    """Why months of deliveries wait for a person: a file dated later says otherwise."""
    dated = {identity(*each): each[0].dated for each in found}
    frames = [
        one.reading.frame.assign(
            delivery=identity(source, one), feed=one.feed, format=one.format, dated=source.dated
        )
        for source, one in found
        if one.reading is not None
    ]
    if not frames:
        return {}
    incoming = pd.concat(frames, ignore_index=True).astype({"dated": "datetime64[us]"})
    connection.register("incoming", incoming)
    rows = connection.execute(_NEWER).fetchall()
    connection.unregister("incoming")
    return {
        (id, month): (
            f"Ce fichier, du {dated[id]:%d/%m/%Y à %H:%M}, est plus ancien que « {name} », "
            f"du {newer:%d/%m/%Y à %H:%M}, déjà reçu pour ce mois avec d'autres chiffres."
        )
        for id, month, name, newer in rows
    }
