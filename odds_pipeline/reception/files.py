"""Files that reception looks at."""

from collections.abc import Iterable
from pathlib import Path


def files_in(paths: Iterable[Path]) -> list[Path]:
    """Files named, and those under folders named, in order of name; hidden ones left out."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inner = (p for p in path.rglob("*") if p.is_file())
            found += sorted(
                p for p in inner if not any(x.startswith(".") for x in p.relative_to(path).parts)
            )
        else:
            found.append(path)
    return found
