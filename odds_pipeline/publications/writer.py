"""Writes documents as HTML and PDF files, which appear whole or not at all."""

import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from odds_pipeline.publications.documents import Document, to_html, to_pdf
from odds_pipeline.storage.home import Home

Writer = Callable[[Document], bytes]
WRITERS: dict[str, Writer] = {"html": to_html, "pdf": to_pdf}


@dataclass(frozen=True)
class Published:
    """Where documents were written, how many of them, and their size in bytes."""

    folder: Path
    documents: int
    size: int


def folder_of(home: Home, release: int, access: str, name: str) -> Path:
    """Where a publication for one class is kept."""
    return home.publications / f"{release:04d}" / access / name


Beside = Callable[[str, Document, Mapping[str, bytes]], Mapping[str, bytes]]
"""Files that stand beside a document: from its name, itself, and what it was written as by suffix."""


def nothing(name: str, document: Document, written: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """No file beside a document."""
    return {}


def write_documents(
    folder: Path,
    documents: Iterable[tuple[str, Document]],
    files: Mapping[str, bytes] | None = None,
    beside: Beside = nothing,
    among: bool = False,
) -> Published:
    """Write documents, what stands ``beside`` each, and ``files`` by name; put the folder in place.

    ``among``: the folder is a person's, whose other files stay.
    """
    whole = folder.resolve()  # « . » has no name to put another beside
    temporary = whole.with_name(f".{whole.name}.tmp")
    if temporary.exists():
        shutil.rmtree(temporary)
    temporary.mkdir(parents=True)
    count = size = 0
    for name, one in documents:
        written = {suffix: write(one) for suffix, write in WRITERS.items()}
        named = {f"{name}.{suffix}": content for suffix, content in written.items()}
        size += _write(temporary, {**named, **beside(name, one, written)})
        count += 1
    size += _write(temporary, files or {})
    if among and folder.exists():
        for path in temporary.iterdir():
            path.replace(folder / path.name)
        temporary.rmdir()
    else:
        if folder.exists():
            shutil.rmtree(folder)
        temporary.replace(folder)
    return Published(folder, count, size)


def _write(folder: Path, files: Mapping[str, bytes]) -> int:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return sum(map(len, files.values()))
