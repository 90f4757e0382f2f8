"""What a person is told of each file that was received."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Receipt:
    """What became of one table of one file; ``feed`` is ``None`` when it was set aside.

    ``replaced_by``: of known bytes, the last file accepted since for months they hold; ``refused``:
    their months in quarantine. ``rest``: what else the file held. ``failed``: the path
    of a file that a fault of ours kept out, which is received again next time.
    """

    file: str
    delivery: str
    feed: str | None
    format: str | None
    months: tuple[str, ...]
    known: bool
    simulated: bool
    reason: str | None
    replaced_by: str | None = None
    rest: tuple[str, ...] = ()
    failed: str = ""
    refused: tuple[str, ...] = ()
