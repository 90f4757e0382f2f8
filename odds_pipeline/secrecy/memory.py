"""What releases said of each cell, true values included: a file a release, that no reader ever sees.

``releases/memory/0012.parquet`` has a line for each cell that release 12 said something new about; the
last line of a cell not after release 12 is what release 12 said. Each file holds a digest of its
lines. The warehouse's table ``published_cells`` is filled from them at each publication.
"""

from collections.abc import Collection
from pathlib import Path

import duckdb
import pandas as pd

from odds_pipeline.declarations.problems import Explained
from odds_pipeline.secrecy.structure import Structure
from odds_pipeline.storage.sql import one, quoted, read_sql

_DIGEST = "SELECT printf('%032x', coalesce(bit_xor(md5_number(t::VARCHAR)), 0)) FROM ({lines}) t"
_RECALL = read_sql(__file__, "recall")
_RECORD = read_sql(__file__, "record")


class Forgotten(Explained):
    """What some releases said is not known any more: nothing can be published safely."""


def remember(
    connection: duckdb.DuckDBPyConnection, folder: Path, releases: Collection[int], shown: int | None
) -> None:
    """Fill ``published_cells`` with what ``releases`` said; ``shown`` is the one that readers see.

    :class:`Forgotten` when there is a release that the memory does not know: the next one could tell,
    beside it, what it hid.
    """
    if shown is not None and shown not in releases:
        raise Forgotten(
            f"release {shown} is the one that readers see, and it is not in {folder.parent}: what it "
            "said must be known before anything else is published. Put its folder back from a back-up."
        )
    # Those whose folder is lost as well: who took a release away still has it.
    said = range(1, max(releases, default=0) + 1)
    _drop(folder, releases)
    # Each file is read to its end, once: there are as many as releases.
    damaged = [number for number in said if not whole(_file(folder, number))]
    _write_what_the_warehouse_knows(connection, folder, damaged)
    lost = [number for number in damaged if not whole(_file(folder, number))]
    if lost:
        raise Forgotten(
            f"the memory of release {', '.join(map(str, lost))} is missing from {folder}, or damaged "
            "there: the next release could tell what that one hid, and is not published. Put it back "
            "from a back-up."
        )
    connection.execute("DELETE FROM published_cells")
    if said:
        files = ", ".join(quoted(_file(folder, number)) for number in said)
        connection.execute(f"INSERT INTO published_cells BY NAME FROM read_parquet([{files}])")


def _file(folder: Path, release: int) -> Path:
    return folder / f"{release:04d}.parquet"


def whole(path: Path) -> bool:
    """Whether the file is there and holds the lines that were written, whose digest it has.

    Parquet has none: of 300 files with a bit flipped, 180 were read as if they were whole. Asked apart,
    so that no transaction is lost. Files of before have no digest: they are read to their end.
    """
    try:
        with duckdb.connect() as connection:
            (found,) = one(connection, _DIGEST.format(lines=f"FROM read_parquet({quoted(path)})"))
            kept = connection.execute(
                f"SELECT value::VARCHAR FROM parquet_kv_metadata({quoted(path)}) WHERE key = 'digest'"
            ).fetchall()
    except duckdb.Error:
        return False
    return kept in ([], [(found,)])


def _drop(folder: Path, releases: Collection[int]) -> None:
    """What a publication that was killed had noted of a release that never was."""
    last = max(releases, default=0)
    for path in folder.glob("*.parquet"):
        if int(path.stem) > last:
            path.unlink()


def _write_what_the_warehouse_knows(
    connection: duckdb.DuckDBPyConnection, folder: Path, damaged: Collection[int]
) -> None:
    """The files that are lost or damaged, or of releases made when only the warehouse remembered."""
    (known,) = one(connection, "SELECT coalesce(max(release), 0) FROM published_cells")
    for number in damaged:
        if number <= known:
            _write(connection, folder, number)


def _write(connection: duckdb.DuckDBPyConnection, folder: Path, release: int) -> None:
    """One release's file, for the service's account alone."""
    folder.mkdir(mode=0o700, exist_ok=True)
    temporary = folder / f".{release:04d}.tmp"
    lines = f"FROM published_cells WHERE release = {release} ORDER BY ALL"
    (digest,) = one(connection, _DIGEST.format(lines=lines))
    connection.execute(
        f"COPY ({lines}) TO {quoted(temporary)} (FORMAT parquet, KV_METADATA {{digest: '{digest}'}})"
    )
    temporary.chmod(0o600)
    temporary.replace(_file(folder, release))


def recall(
    connection: duckdb.DuckDBPyConnection, structure: Structure, blocks: pd.DataFrame
) -> pd.DataFrame:
    """What was said of the variables and months of ``blocks``, release by release."""
    connection.register("secrecy_places", structure.places)
    connection.register("blocks", blocks)
    found = connection.execute(_RECALL).df()
    connection.unregister("secrecy_places")
    connection.unregister("blocks")
    return found


def record(
    connection: duckdb.DuckDBPyConnection, structure: Structure, release: int, folder: Path
) -> None:
    """Add what ``release`` says of the cells of ``current_cells``, and write its file."""
    connection.register("secrecy_places", structure.places)
    connection.execute(_RECORD, {"release": release})
    connection.unregister("secrecy_places")
    _write(connection, folder, release)
