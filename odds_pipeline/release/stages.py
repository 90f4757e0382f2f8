"""What publishing does, in order: every stage with the tables it reads and makes.

Read this first. Tables without a file are temporary ones of the connection: a stage hands on those it
``makes``, all others that it made end with it, and none outlives the publication.

====================== ==========================================================================
indicator_values       computed from the accepted figures, before protection
held, kept, released   indicators that broke a rule; what the last release said of them, of all
numbered_*, places     variables, formulas and territories as numbers
available              every accepted figure, and the wholes and years made of them
marked                 the same with their rule of secrecy and why they are hidden
current_cells          what adds up, one cell a place
block_prints           a fingerprint of each block of secrecy
protected              indicator values as they may be read
sources_compared       how far apart two sources of one variable are
former                 the widest class file of the current release, attached to read it
release                the widest class file of the new one, attached to write it
====================== ==========================================================================
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandas as pd

from odds_pipeline import __version__
from odds_pipeline.declarations.access import WIDEST_FIRST
from odds_pipeline.declarations.fingerprint import fingerprint
from odds_pipeline.declarations.project import Project
from odds_pipeline.indicators.compute import all_inputs, compute, evaluate, gather, tables_of
from odds_pipeline.indicators.sources import compare_sources
from odds_pipeline.indicators.staleness import Months, stale
from odds_pipeline.release.class_files import ReleaseMetadata, write_narrower, write_widest
from odds_pipeline.release.definitions import definitions_table
from odds_pipeline.release.published import current_number, numbers
from odds_pipeline.release.recueil_gate import Held, check_recueil, hold, keep_last_good
from odds_pipeline.secrecy.derived import hide_values
from odds_pipeline.secrecy.memory import record
from odds_pipeline.secrecy.memory import remember as remember_releases
from odds_pipeline.secrecy.protect import Protection, protect
from odds_pipeline.secrecy.report import secrecy_report
from odds_pipeline.secrecy.settled import forget_after
from odds_pipeline.secrecy.settled import record as record_settled
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.manifest import check_complete
from odds_pipeline.storage.schema import MIGRATIONS, keys_of
from odds_pipeline.storage.sql import one
from odds_pipeline.storage.store import Overtaken, check_unique, transaction, version
from odds_pipeline.storage.temporary import ending


@dataclass
class Publication:
    """One publication under way: what stages hand on besides tables.

    ``last`` is the number of the last release there was, once :func:`recollect` knows it.
    """

    project: Project
    home: Home
    connection: duckdb.DuckDBPyConnection
    last: int = 0
    seen: int | None = None
    held: Held = field(default_factory=lambda: Held({}, frozenset()))
    protection: Protection | None = None
    definitions: pd.DataFrame = field(default_factory=pd.DataFrame)
    content: str = ""

    @property
    def folder(self) -> Path:
        """Where this release is written."""
        return self.home.releases / f".{self.last + 1:04d}.tmp"


@dataclass(frozen=True)
class Stage:
    """A step, the tables it reads and those it makes or changes, former and release apart."""

    does: Callable[[Publication], None]
    reads: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()

    def run(self, publication: Publication) -> None:
        with ending(publication.connection, self.makes):
            self.does(publication)


def refresh(p: Publication) -> None:
    """Compute what no longer follows from the trusted figures, only the months concerned."""
    groups: dict[Months, list[str]] = {}
    with transaction(p.connection):
        p.connection.execute(
            "DELETE FROM indicator_values WHERE indicator NOT IN (SELECT unnest(?))",
            [list(p.project.indicators)],
        )
        for name, months in stale(p.project, p.connection, p.project.indicators).items():
            groups.setdefault(months, []).append(name)
        for (first, last), names in groups.items():
            compute(p.project, p.connection, names, first, last)
    check_unique(p.connection)


def recollect(p: Publication) -> None:
    """What past releases said; what a publication that was killed had noted of another is dropped."""
    with transaction(p.connection):
        p.last = remember_releases(p.connection, p.home.memory, numbers(p.home), current_number(p.home))
        forget_after(p.connection, p.last)
    check_complete(p.connection, p.home)


def judge(p: Publication) -> None:
    """Audit the values by the suites of their families: those that break a rule are held."""
    p.held = hold(p.connection, p.project, p.home)
    p.seen = version(p.connection)


def take_figures(p: Publication) -> None:
    """Every accepted figure, and every whole that can be added up."""
    tables = replace(tables_of(p.project, list(p.project.indicators)), inputs=all_inputs(p.project))
    gather(p.connection, p.project, tables, everything=True)


def hide_figures(p: Publication) -> None:
    """Primary and secondary secrecy of the figures, then the attack on what is left."""
    p.protection = protect(p.connection, p.project, p.last)


def compute_values(p: Publication) -> None:
    """Indicator values from the figures that may be read, less what the rules on results hide."""
    evaluate(p.connection)
    hide_values(p.connection, p.project)


def tell_sources(p: Publication) -> None:
    """Whether the sources of a variable that several contracts deliver agree."""
    compare_sources(p.project, p.connection)


def keep_values(p: Publication) -> None:
    """What is held keeps the values and the definition of the last release, or stays out."""
    sheets = definitions_table(p.project)
    p.definitions = keep_last_good(p.connection, p.home, p.held, sheets)
    p.content = _content(p.connection, p.definitions)


def check(p: Publication) -> None:
    """The suite of the recueil, on all that is about to be published."""
    check_recueil(p.connection, p.project, p.held)


def write(p: Publication) -> None:
    """One file a class, in a folder that no reader sees yet."""
    assert p.protection is not None
    (latest,) = one(p.connection, "SELECT max(month) FROM protected")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    on_secrecy = secrecy_report(p.connection, p.project, p.protection)
    made_by = fingerprint(p.project.root)
    about = ReleaseMetadata(p.last + 1, now, p.content, __version__, made_by, latest, on_secrecy)
    p.folder.mkdir()
    (widest, path), *others = ((access, p.folder / f"{access}.duckdb") for access in WIDEST_FIRST)
    write_widest(p.connection, p.project, path, widest, about, p.definitions)
    for access, own in others:
        write_narrower(p.project, path, own, access, about)


def remember(p: Publication) -> None:
    """What this release says of each cell, for the secrecy of later ones."""
    assert p.protection is not None
    if version(p.connection) != p.seen:
        raise Overtaken("the warehouse changed while the release was written; publish again")
    with transaction(p.connection):
        record(p.connection, p.protection.structure, p.last + 1, p.home.memory)
        record_settled(p.connection, p.protection.attacked, p.last + 1)


_FIGURES = ("observations", "trusted_months")
_DELIVERIES = ("deliveries", "verdicts", "overrulings")
_DEFINED = (
    *("numbered_inputs", "numbered_terms", "numbered_definitions", "numbered_crossings"),
    *("places", "reference_places", "asked_levels", "inside"),
)
_MEMORY = ("published_cells", "settled_blocks", "audited_cells")

DECIDE = (
    Stage(
        refresh,
        reads=(*_FIGURES, *keys_of(MIGRATIONS), "verdicts"),  # every key is checked
        makes=("indicator_values", "indicator_bases"),
    ),
    Stage(recollect, reads=(*_MEMORY, "deliveries"), makes=_MEMORY),
    Stage(
        judge,
        reads=(
            "indicator_values",
            "indicator_verdicts",
            "failing_indicator_verdicts",
            "deliveries",
            *_FIGURES,
        ),
        makes=("indicator_verdicts", "released", "held", "kept"),
    ),
    Stage(take_figures, reads=_FIGURES, makes=(*_DEFINED, "wanted", "available")),
    Stage(
        hide_figures,
        reads=("available", "numbered_inputs", "places", *_MEMORY),
        makes=("available", "marked", "current_cells", "block_prints"),
    ),
    Stage(compute_values, reads=("available", *_DEFINED), makes=("available", "protected")),
    Stage(tell_sources, reads=("observations", "deliveries"), makes=("sources_compared",)),
    Stage(keep_values, reads=("held", "kept", "protected", "sources_compared"), makes=("protected",)),
)
"""Up to here nothing is written for readers; :attr:`Publication.content` tells whether it is news."""

WRITE = (
    Stage(check, reads=("protected", "indicator_verdicts")),
    Stage(
        write,
        reads=(
            "protected",
            "marked",
            "available",
            "sources_compared",
            "origins",
            *_FIGURES,
            *_DELIVERIES,
        ),
    ),
    Stage(remember, reads=("current_cells", "block_prints", "published_cells"), makes=_MEMORY),
)

# Twelve digits: the order in which machines add up decimals changes the sixteenth.
_CONTENT_HASH = """
SELECT coalesce(bit_xor(md5_number_lower(concat_ws('|', indicator, month, territory, level,
    geography, printf('%.12g', value), obs_status, conf_status, hidden_by, reserve))), 0) FROM protected
"""


def _content(connection: duckdb.DuckDBPyConnection, definitions: pd.DataFrame) -> str:
    """A fingerprint of what readers see, independent of order and of when it came."""
    (values,) = one(connection, _CONTENT_HASH)
    connection.register("definitions_view", definitions)
    (sheets,) = one(
        connection,
        "SELECT coalesce(bit_xor(md5_number_lower(CAST(d AS VARCHAR))), 0) "
        "FROM (SELECT d FROM (SELECT * EXCLUDE (declared_in) FROM definitions_view) d)",
    )
    connection.unregister("definitions_view")
    (sources,) = one(
        connection,
        "SELECT coalesce(bit_xor(md5_number_lower(CAST(s AS VARCHAR))), 0) FROM sources_compared s",
    )
    return f"{values:016x}{sheets ^ sources:016x}"
