"""Which process executes a run or watches a home, and whether it lives."""

import fcntl
import os
import socket
from pathlib import Path

from odds_pipeline.declarations.problems import Explained

PROCESS_TAG = "odds/process"
"""Machine and process of a run that a command executes itself: ``host:pid``."""


def this_process() -> str:
    """The value of the tag for this process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def is_gone(tag: str) -> bool:
    """Whether the process of a tag has ended; not known of another machine's, nor without a tag."""
    host, _, pid = tag.rpartition(":")
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


class WatchedAlready(Explained):
    """Another daemon is at work on the same home."""


def watch_alone(folder: Path) -> None:
    """Be the one daemon of a home until this process ends, whatever program it becomes.

    :class:`WatchedAlready` when there is one: two would ask for every run twice.
    """
    lock = os.open(folder / "daemon.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        told = os.read(lock, 40).decode()
        raise WatchedAlready(
            f"{folder.parent} has a daemon already (process {told}): open its interface, or end it first"
        ) from None
    os.ftruncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    os.set_inheritable(lock, True)
