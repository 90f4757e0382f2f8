"""Writes documents as HTML and PDF files, in one folder that appears whole or not at all."""

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


def folder_of(home: Home, release: int, edition: str, name: str) -> Path:
    """Where a publication of one edition of a release is kept."""
    return home.path / "publications" / f"{release:04d}" / edition / name


def write_documents(
    folder: Path, documents: Iterable[tuple[str, Document]], files: Mapping[str, bytes] | None = None
) -> Published:
    """Write documents and ``files`` by name, then put the folder in place of the former one.

    Raises :class:`FileExistsError` when ``folder`` holds anything that is not a publication of ours.
    """
    ours = {".html", ".pdf", ".csv"}
    if folder.exists() and any(p.is_dir() or p.suffix not in ours for p in folder.iterdir()):
        raise FileExistsError(f"{folder} holds other files: name a folder of its own")
    temporary = folder.with_name(f".{folder.name}.tmp")
    if temporary.exists():
        shutil.rmtree(temporary)
    temporary.mkdir(parents=True)
    count = size = 0
    for name, one in documents:
        for suffix, write in WRITERS.items():
            content = write(one)
            (temporary / f"{name}.{suffix}").write_bytes(content)
            size += len(content)
        count += 1
    for name, content in (files or {}).items():
        (temporary / name).write_bytes(content)
        size += len(content)
    if folder.exists():
        shutil.rmtree(folder)
    temporary.replace(folder)
    return Published(folder, count, size)
