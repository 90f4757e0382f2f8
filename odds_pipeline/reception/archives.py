"""Unpacks what a delivery is packed in: zip archives, file by file, and single files in gzip."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePath

from odds_pipeline.reception import bounds
from odds_pipeline.reception.files import ignored_name
from odds_pipeline.reception.table import TooLarge, Unreadable

DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)
"""What zipfile raises on a damaged member, or one packed in a way that it does not know."""

GZIP = b"\x1f\x8b"
"""First bytes of a gzip."""

_BOOK = re.compile(r"\.(xls[xmb]|ods)$", re.IGNORECASE)


def opened(content: bytes, name: str) -> zipfile.ZipFile:
    """The archive, known to be no larger unpacked than may be, by what its headers say."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        book = _BOOK.search(name) is not None
        what = "classeur abîmé, sans doute coupé" if book else "archive zip abîmée, sans doute coupée"
        raise Unreadable(f"{name} : {what} pendant l'envoi.") from error
    members = archive.infolist()
    if len(members) > bounds.MAX_MEMBERS:
        raise Unreadable(
            f"{name} : l'archive contient plus de {bounds.MAX_MEMBERS} fichiers ; n'y laisser que les "
            "données."
        )
    if sum(member.file_size for member in members) > bounds.MAX_BYTES:
        raise Unreadable(f"{name} : plus de {bounds.MAX_BYTES // 2**20} Mo une fois décompressé.")
    for member in members:
        swollen = member.file_size > bounds.SWOLLEN_TIMES * max(member.compress_size, 1)
        if swollen and member.file_size > bounds.SWOLLEN_BYTES:
            raise Unreadable(
                f"{name} : {member.filename} grossit plus de {bounds.SWOLLEN_TIMES} fois une fois "
                "décompressé : ce n'est pas un fichier de données."
            )
    return archive


def members_of(archive: zipfile.ZipFile, name: str) -> Iterator[tuple[str, str | None, zipfile.ZipInfo]]:
    """The name and the folder of each file that a person put there."""
    for member in archive.infolist():
        path = PurePath(_name(member))
        if member.is_dir() or any(ignored_name(part) or part == "__MACOSX" for part in path.parts):
            continue
        if member.flag_bits & 1:
            raise Unreadable(
                f"{name} : l'archive est protégée par un mot de passe ; la renvoyer sans mot de passe."
            )
        folder = str(path.parent) if path.parent.name else None
        yield path.name, folder, member


def _name(member: zipfile.ZipInfo) -> str:
    """The member's name; where it does not say UTF-8, what zipfile took for CP437 is tried again."""
    if member.flag_bits & 0x800 or member.filename.isascii():
        return member.filename
    written = member.filename.encode("cp437", errors="replace")
    try:
        return written.decode("utf-8")
    except UnicodeDecodeError:
        return written.decode("cp850")


def unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """The content of a member. Raises :class:`Unreadable` when it is damaged or not of its stated size.

    Read by pieces: asked for all of it, zipfile unpacks two gigabytes before it sees that the header
    said less.
    """
    try:
        with archive.open(member) as file:
            return b"".join(iter(lambda: file.read(2**20), b""))
    except DAMAGED as error:
        raise Unreadable(f"{member.filename} : abîmé, ne peut pas être extrait de l'archive.") from error


def gunzip(content: bytes, name: str, most: int) -> bytes:
    """What a gzip holds, in one member or in several end to end, no larger than ``most`` bytes."""
    parts: list[bytes] = []
    left = most
    while content.startswith(GZIP):
        unpacker = zlib.decompressobj(wbits=31)
        try:
            parts.append(unpacker.decompress(content, left + 1))
        except zlib.error as error:
            raise Unreadable(f"{name} : fichier gzip abîmé.") from error
        left -= len(parts[-1])
        if left < 0:
            raise TooLarge(f"{name} : plus de {bounds.MAX_BYTES // 2**20} Mo une fois décompressé.")
        if not unpacker.eof:
            raise Unreadable(f"{name} : fichier gzip abîmé (il s'arrête avant sa fin).")
        content = unpacker.unused_data
    if content.strip(b"\0"):  # tapes and block devices fill the end with zeros
        raise Unreadable(f"{name} : fichier gzip abîmé (d'autres octets le suivent).")
    return b"".join(parts)
