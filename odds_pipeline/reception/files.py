"""Files that reception looks at, and how each is taken from the disk."""

import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

from odds_pipeline.reception import bounds
from odds_pipeline.reception.table import Unreadable

_OTHERS = re.compile(
    r"^(\.(?!\.?$)|~\$|desktop\.ini$|(eh)?thumbs\.db$)|\.(tmp|part|partial|crdownload|filepart|lnk)$|^~.*\.tmp$"
    r"|\.origin\.json$|:zone\.identifier$",
    re.IGNORECASE,
)


def ignored_name(name: str) -> bool:
    """Whether it is another program's file: hidden, a lock, a draft of a copy, a folder's settings."""
    return _OTHERS.search(name) is not None


def files_in(paths: Iterable[Path]) -> list[Path]:
    """Files named, and those under folders named, in order of name; other programs' files left out.

    Symbolic links below a folder are listed, not followed: :func:`content_of` refuses them by name.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(f for f in folders if not ignored_name(f))
            links = [f for f in folders if (Path(folder) / f).is_symlink()]
            found += [Path(folder) / n for n in sorted([*names, *links]) if not ignored_name(n)]
    return found


def shown_name(path: Path) -> str:
    """The file's name as text: bytes that are no UTF-8 are read as Windows wrote them."""
    written = os.fsencode(path.name)
    try:
        return written.decode()
    except UnicodeDecodeError:
        return written.decode("cp1252", errors="replace")


def content_of(path: Path) -> bytes:
    """The file's bytes. Raises :class:`Unreadable` for what is no file, or cannot be read."""
    name = shown_name(path)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        raise Unreadable(f"{name} : {_why(path, error)}.") from error
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable(f"{name} : ce n'est pas un fichier.")
        if found.st_size > bounds.MAX_BYTES:
            raise Unreadable(f"{name} : plus de {bounds.MAX_BYTES // 2**20} Mo, non ouvert.")
        return file.read()


def _why(path: Path, error: OSError) -> str:
    if path.is_symlink():
        return "c'est un lien symbolique, qui n'est pas suivi"
    if not path.is_file() and path.exists():
        return "ce n'est pas un fichier"
    if isinstance(error, FileNotFoundError):
        return "le fichier a disparu pendant la réception"
    if isinstance(error, PermissionError):
        return "l'observatoire n'a pas le droit de lire ce fichier"
    return f"le fichier ne peut pas être lu ({error.strerror})"
