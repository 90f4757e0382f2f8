"""What releases said of each cell, true values included: a file a release, that no reader ever sees.

``releases/memory/0012.parquet`` has a line for each cell that release 12 said something new about; the
last line of a cell not after release 12 is what release 12 said. Each file holds a digest of its
lines, and gets its name once the release has: under a name stands only what readers may have. The
warehouse's table ``published_cells`` is filled from them at each publication.
"""

from collections.abc import Collection
from pathlib import Path

import duckdb
import pandas as pd

from odds_pipeline.declarations.problems import Explained
from odds_pipeline.secrecy.structure import Structure
from odds_pipeline.storage.duck import connect
from odds_pipeline.storage.sql import one, quoted, read_sql

_DIGEST = "SELECT printf('%032x', coalesce(bit_xor(md5_number(t::VARCHAR)), 0)) FROM ({lines}) t"
_RECALL = read_sql(__file__, "recall")
_RECORD = read_sql(__file__, "record")


class Forgotten(Explained):
    """What some releases said is not known any more: nothing can be published safely."""


def remembered(folder: Path) -> list[int]:
    """Numbers of the releases of which a file tells what they said, the oldest first."""
    return sorted(int(path.stem) for path in folder.glob("[0-9]*.parquet"))


def remember(
    connection: duckdb.DuckDBPyConnection, folder: Path, releases: Collection[int], shown: int | None
) -> int:
    """Fill ``published_cells`` with what was said, and return the number of the last release there was.

    What was said is what ``releases``, the files and the warehouse know together; ``shown`` is the one
    that readers see. :class:`Forgotten` when there is a release that nothing remembers: the next one
    could tell, beside it, what it hid.
    """
    if shown is not None and shown not in releases:
        raise Forgotten(
            f"release {shown} is the one that readers see, and it is not in {folder.parent}: what it "
            "said must be known before anything else is published. Put its folder back from a back-up."
        )
    # A publication that was killed once its release was there.
    for number in releases:
        if not whole(_file(folder, number)) and whole(_pending(folder, number)):
            keep(folder, number)
    # Those whose folder is lost as well: who took a release away still has it.
    (known,) = one(connection, "SELECT coalesce(max(release), 0) FROM published_cells")
    last = max([0, *releases, *remembered(folder)])
    if known > last and not _pending(folder, known).exists():
        last = known
    said = range(1, last + 1)
    # Each file is read to its end, once: there are as many as releases.
    damaged = [number for number in said if not whole(_file(folder, number))]
    for number in damaged:
        if number <= known:
            _write(connection, folder, number)
            keep(folder, number)
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
    return last


def _file(folder: Path, release: int) -> Path:
    return folder / f"{release:04d}.parquet"


def _pending(folder: Path, release: int) -> Path:
    """The file of a release that is being published: it gets its name once its release has."""
    return folder / f"{release:04d}.half"


def keep(folder: Path, release: int) -> None:
    """Give the file of a release its name."""
    _pending(folder, release).replace(_file(folder, release))


def whole(path: Path) -> bool:
    """Whether the file is there and holds the lines that were written, whose digest it has.

    Parquet has none: of 300 files with a bit flipped, 180 were read as if they were whole. Asked apart,
    so that no transaction is lost. Files of before have no digest: they are read to their end.
    """
    try:
        with connect() as connection:
            (found,) = one(connection, _DIGEST.format(lines=f"FROM read_parquet({quoted(path)})"))
            kept = connection.execute(
                f"SELECT value::VARCHAR FROM parquet_kv_metadata({quoted(path)}) WHERE key = 'digest'"
            ).fetchall()
    except duckdb.Error:
        return False
    return kept in ([], [(found,)])


def _write(connection: duckdb.DuckDBPyConnection, folder: Path, release: int) -> None:
    """One release's file without its name, for the service's account alone."""
    folder.mkdir(mode=0o700, exist_ok=True)
    temporary = folder / f".{release:04d}.tmp"
    lines = f"FROM published_cells WHERE release = {release} ORDER BY ALL"
    (digest,) = one(connection, _DIGEST.format(lines=lines))
    connection.execute(
        f"COPY ({lines}) TO {quoted(temporary)} (FORMAT parquet, KV_METADATA {{digest: '{digest}'}})"
    )
    temporary.chmod(0o600)
    temporary.replace(_pending(folder, release))


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
    """Add what ``release`` says of the cells of ``current_cells``, and write it for :func:`keep`."""
    connection.register("secrecy_places", structure.places)
    connection.execute(_RECORD, {"release": release})
    connection.unregister("secrecy_places")
    _write(connection, folder, release)
