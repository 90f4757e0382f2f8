"""What a person reads when the machine fails under a command: one sentence, and what to do."""

import errno
import shutil
import sqlite3

import duckdb

from odds_pipeline.declarations.problems import Explained
from odds_pipeline.operations import checks
from odds_pipeline.storage.home import Home

_AGAIN = "nothing half-written is read; then run the same command again"
_ROOM = 5_000_000
_FULL = ("no space left", "disk is full", "disk full", "could not write", "failed to write")
_READ_ONLY = ("read-only", "readonly")


def causes(error: BaseException) -> list[BaseException]:
    """An error and what it came of, the error first; each once, for they may name each other."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    return chain


def explained(error: BaseException, home: Home) -> str | None:
    """The sentence for an error of disk or database, wherever in its causes it stands; else ``None``."""
    for each in causes(error):
        if found := _of_the_disk(each):
            return found
    return _without_room(home) or _of_the_databases(home)


def said(text: str, home: Home) -> str | None:
    """The same of an error that only its text is left of, as a step of a run reports it."""
    lower = text.lower()
    if any(words in lower for words in _FULL):
        return f"The disk is full: free some space; {_AGAIN}."
    if any(words in lower for words in _READ_ONLY):
        return f"The disk of {home.path} may only be read: mount it to be written; {_AGAIN}."
    return _without_room(home) or _of_the_databases(home)


def _without_room(home: Home) -> str | None:
    """On a full disk a database says whatever its last write came to."""
    for folder in {home.path, home.shared}:
        if folder.is_dir() and shutil.disk_usage(folder).free < _ROOM:
            return f"The disk of {folder} is full: free some space; {_AGAIN}."
    return None


def _of_the_disk(error: BaseException) -> str | None:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        # Of a copy the second file is the one that is written.
        written = error.filename2 or error.filename or "this observatory"
        return f"The disk of {written} is full: free some space; {_AGAIN}."
    if isinstance(error, OSError) and error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return f"{error.filename} may not be written: see its rights and its mount; {_AGAIN}."
    text = str(error).lower()
    database = isinstance(error, duckdb.Error | sqlite3.Error) or "sqlite3" in text
    if database and any(words in text for words in _FULL):
        return f"The disk is full: free some space; {_AGAIN}."
    if database and any(words in text for words in _READ_ONLY):
        return f"The observatory may only be read here: mount its disk to be written; {_AGAIN}."
    if type(error).__module__.startswith("psycopg2"):
        first = str(error).strip().partition("\n")[0]
        return f"PostgreSQL: {first}. Once it answers, run the same command again."
    return None


def _of_the_databases(home: Home) -> str | None:
    """What is found damaged when it is looked at."""
    for question in (checks.warehouse, checks.releases, checks.dagster, checks.accounts):
        try:
            question(home, deep=True)
        except Explained as wrong:
            verb = "are" if question.__name__.endswith("s") else "is"
            return f"The {question.__name__} {verb} in the way: {wrong}"
        except Exception:  # whatever this question meets, the error itself is what is told
            continue
    return None
