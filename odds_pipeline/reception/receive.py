"""Receives files: archives their bytes, recognises them, and records what they hold.

Receiving judges nothing: figures wait, month by month, for the gate. The same bytes received twice
change nothing, unless contracts that did not read them have changed. Each file is read by itself and
without the warehouse, then those of a portion are recorded in one short transaction; one that cannot be,
for a fault of its own or of ours, keeps no other waiting.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from odds_pipeline.declarations.project import Project
from odds_pipeline.french import french_month
from odds_pipeline.reception.archives import GZIP
from odds_pipeline.reception.contents import NO_MONTH as NO_MONTH
from odds_pipeline.reception.contents import SAME_BYTES, Delivery, deliveries_of
from odds_pipeline.reception.files import content_of, files_in, shown_name
from odds_pipeline.reception.kept import archive_path, archived_origin, keep, table_of
from odds_pipeline.reception.known import (
    Known,
    Replaced,
    already,
    known_of,
    replaced_by_others,
    taken_back,
)
from odds_pipeline.reception.origin import origin_of
from odds_pipeline.reception.receipt import Receipt
from odds_pipeline.reception.recording import Source, contracts_of, forget, identity, record
from odds_pipeline.reception.tables import Unreadable
from odds_pipeline.reception.workbooks import OLE
from odds_pipeline.storage.home import Home
from odds_pipeline.storage.manifest import write_manifest
from odds_pipeline.storage.store import Store, transaction

LARGE = 4 * 1024 * 1024
"""Bytes from which a file is read while nobody keeps the warehouse open: that takes seconds."""

PORTION = 100_000
"""Figures from which files that were read are recorded: together, for one by one each takes a lake ten
times what reading it takes, and before they fill the memory."""

PACKED = (b"PK", GZIP, OLE)
"""First bytes of archives and workbooks, whose size does not tell how much is in them."""

_log = logging.getLogger(__name__)


_OTHER_MONTHS = (
    "Ce sont, à l'octet près, les chiffres de « {} », reçus pour {} : ce nom-ci, ou son dossier, "
    "dit {}. L'un des deux est faux."
)

_OUR_FAULT = (
    "Erreur de l'observatoire, non du fichier : rien n'est à demander à qui l'envoie. La prochaine "
    "exécution le reprend ; si l'erreur revient, signalez ces mots : « {} »."
)

_OTHER_FIGURES = (
    "Ce sont, à l'octet près, les chiffres de « {} », reçus comme {} : ce nom-ci en dit {}. L'un des "
    "deux est faux."
)


def _spoken(months: Iterable[str]) -> str:
    said = [french_month(month) for month in sorted(months) if month != NO_MONTH]
    return ", ".join(said if len(said) < 4 else [*said[:2], "…", said[-1]]) or "aucun mois"


class _Fault(Exception):
    """Our software could not read a file: the cause tells why."""


@dataclass(frozen=True)
class _New:
    """A file that was read: what is new in it, what is known of its bytes, deliveries it replaces."""

    path: Path
    source: Source
    found: list[Delivery]
    known: list[Known]
    old: list[str]

    @property
    def figures(self) -> int:
        return sum(len(one.reading.frame) for one in self.found if one.reading is not None)


@dataclass(frozen=True)
class _Reception:
    """One reception of several files: the same contracts, the same warehouse."""

    project: Project
    home: Home
    contracts: str
    again: bool = False

    @property
    def store(self) -> Store:
        return Store(self.home.warehouse)

    def unread(self, known: list[Known]) -> list[Known]:
        """Deliveries that no contract read, when others may: those have changed, or a person asks."""
        return [
            k
            for k in known
            if k.reason is not None
            and "@" not in k.delivery  # read, but under two names
            and (self.again or k.contracts != self.contracts)
        ]

    def file(self, path: Path, known: list[Known]) -> _New:
        """Read a file that is new, or was not read whole."""
        source, content = _source(path)
        keep(self.home, content, source.sha256, source.origin)
        if source.size > LARGE or content.startswith(PACKED):
            self.store.let_go()
        found = self.read(source, content)
        return _new(path, source, found, known, [k.delivery for k in self.unread(known)])

    def read(self, source: Source, content: bytes) -> list[Delivery]:
        """What a file holds. Raises :class:`_Fault` for what is ours, and not the file's."""
        try:
            return deliveries_of(self.project, source.file, content, source.sha256, source.origin.told)
        except Exception as error:
            raise _Fault from error

    def renamed(self, path: Path, known: list[Known]) -> list[Receipt]:
        """Known bytes under another name, origin or folder.

        One by which a contract reads what none had read takes its place. One that says other months
        waits for the gate when those of the first could not be: its refusal asked for another name.
        Else, or with other variables, it contradicts the first: one of the two is wrong.
        """
        name = shown_name(path)
        # A producer gives each year's file the same name: the folder or the origin tells the year.
        told = archived_origin(self.home, table_of(known[0].delivery)[0]).told
        if name in {k.file for k in known} and told in ((), origin_of(path).told):
            return []
        source, content = _source(path)
        before = {k.delivery.partition("@")[0]: k for k in reversed(known) if k.feed is not None}
        found = self.read(source, content)
        read = {k.delivery.partition("@")[0] for k in known if k.reason is None}
        if any(one.reason is None and identity(source, one) not in read for one in found):
            return self.recorded(
                [_new(path, source, found, known, [k.delivery for k in known if k.reason])]
            )
        told_before = {(k.file, *k.months) for k in known}
        new = list[Delivery]()
        for one in found:
            table = identity(source, one)
            first = before.get(table)
            if first is None or (name, *one.months) in told_before:
                continue
            if _dated_again(known, table, one):
                new.append(replace(one, again=len(known) + 1))
            elif said := self._unlike(first, one):
                new.append(replace(one, reason=said, fault=SAME_BYTES, again=len(known) + 1))
        with self.store.connect() as connection, transaction(connection):
            record(connection, [(source, one) for one in new], self.contracts)
        return [_receipt(source, one) for one in new]

    def _unlike(self, first: Known, one: Delivery) -> str | None:
        """What the name of the same bytes says against the one they came under first."""
        if one.months == (NO_MONTH,):  # a copy whose name tells none
            return None
        if {*one.months} != {*first.months}:
            return _OTHER_MONTHS.format(first.file, _spoken(first.months), _spoken(one.months))
        before, now = (self._variables(x.feed, x.format) for x in (first, one))
        if before and now and before != now:
            return _OTHER_FIGURES.format(first.file, before, now)
        return None

    def _variables(self, feed: str | None, format: str | None) -> str:
        """The labels of what a format reads; nothing for one that is declared no more."""
        entry = self.project.feeds.get(feed or "")
        formats = [f for f in entry.feed.formats if f.id == format] if entry else []
        if entry is None or not formats:
            return ""
        read = formats[0].unpivot.variables if formats[0].unpivot else entry.feed.columns_of(formats[0])
        return ", ".join(f"« {entry.feed.variables[name].label} »" for name in read)

    def recorded(self, files: list[_New]) -> list[Receipt]:
        """Record what is new in files, together; a fault of ours keeps back its own file alone."""
        try:
            return self._together(files) if files else []
        except _BUGS as fault:
            if len(files) == 1:
                return [_failed(files[0].source.file, files[0].path, fault)]
            return [receipt for one in files for receipt in self.recorded([one])]

    def _together(self, files: list[_New]) -> list[Receipt]:
        with self.store.connect() as connection, transaction(connection):
            now = known_of(connection, [one.source.sha256 for one in files])
            # Another process received the bytes of others while this one read them.
            ours = {s for one in files if now.get(s := one.source.sha256, []) == one.known}
            own = [one for one in files if one.source.sha256 in ours]
            replaced = replaced_by_others(connection) if len(own) < len(files) else {}
            forget(connection, [old for one in own for old in one.old])
            new = [(one.source, each) for one in own for each in one.found]
            record(connection, new, self.contracts)
        return [
            receipt
            for one in files
            for receipt in (
                [_receipt(one.source, each) for each in one.found]
                if one.source.sha256 in ours
                else already(one.source.file, now.get(one.source.sha256, []), replaced)
            )
        ]


def _new(path: Path, source: Source, found: list[Delivery], known: list[Known], old: list[str]) -> _New:
    kept = {k.delivery.partition("@")[0] for k in known} - set(old)
    return _New(path, source, [one for one in found if identity(source, one) not in kept], known, old)


def _dated_again(known: list[Known], table: str, one: Delivery) -> bool:
    """Whether known bytes are read under other months, all those told before being impossible."""
    mine = [k for k in known if k.reason is None and k.delivery.partition("@")[0] == table]
    months = {*one.months}
    return one.reason is None and bool(mine) and all(k.misdated and {*k.months} != months for k in mine)


def _receipt(source: Source, one: Delivery) -> Receipt:
    return Receipt(
        source.file,
        identity(source, one),
        one.feed,
        one.format,
        one.months,
        False,
        one.simulated,
        one.reason,
        rest=one.rest,
    )


def _set_aside(file: str, reason: str, failed: str = "") -> Receipt:
    return Receipt(file, "", None, None, (), False, False, reason, failed=failed)


def _failed(file: str, path: Path, fault: Exception) -> Receipt:
    error = fault.__cause__ or fault if isinstance(fault, _Fault) else fault
    _log.error("%s could not be received", file, exc_info=error)
    return _set_aside(file, _OUR_FAULT.format(str(error)[:300]), failed=str(path))


def _source(path: Path) -> tuple[Source, bytes]:
    content = content_of(path)
    sha256 = hashlib.sha256(content).hexdigest()
    dated = datetime.fromtimestamp(_written(path), UTC).replace(tzinfo=None)
    return Source(shown_name(path), sha256, len(content), dated, origin_of(path)), content


def _written(path: Path) -> float:
    """When a file was last written: files are received in that order, never in that of their names."""
    try:
        return path.stat(follow_symlinks=False).st_mtime
    except OSError:
        return 0.0


def receive(
    project: Project,
    home: Home,
    paths: Iterable[Path],
    again: bool = False,
    enough: Callable[[], bool] = lambda: False,
) -> Iterator[Receipt]:
    """Receive files and folders, one receipt per delivery, as they are dealt with.

    ``again``: known bytes that later ones replaced count as sent anew, after them, and those that no
    contract read are tried again. ``enough``: asked after each new file; when true, the rest is left.
    """
    home.check_share()
    reception = _Reception(project, home, contracts_of(project), again)
    hashes: dict[Path, str] = {}
    for path in sorted(files_in(paths), key=lambda path: (_written(path), str(path))):
        try:
            hashes[path] = hashlib.sha256(content_of(path)).hexdigest()
        except Unreadable as error:
            yield _set_aside(shown_name(path), str(error))
    with reception.store.connect() as connection:
        # Once: the landing folder is read whole each time, and receiving accepts nothing.
        known, replaced = known_of(connection, [*hashes.values()]), replaced_by_others(connection)
    read: list[_New] = []
    for path, sha256 in hashes.items():
        if sha256 in {one.source.sha256 for one in read}:  # another copy finds them received
            yield from _recorded(reception, read, known)
        is_new = not known.get(sha256) or bool(reception.unread(known[sha256]))
        if read and (not is_new or sum(one.figures for one in read) > PORTION):
            yield from _recorded(reception, read, known)
        if is_new:
            yield from _read(reception, path, known.get(sha256, []), read)
        else:
            yield from _apart(reception, path, known.get(sha256, []), replaced)
        if is_new and enough():
            break
    yield from _recorded(reception, read, known)
    with reception.store.connect() as connection:
        write_manifest(connection, home)


_BUGS = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, AssertionError)
"""What a fault of ours raises; a full disk or a warehouse that is not there is no file's."""


def _read(reception: _Reception, path: Path, known: list[Known], read: list[_New]) -> Iterator[Receipt]:
    """Add a file to those that were ``read``, or say why it cannot be."""
    try:
        read.append(reception.file(path, known))
    except Unreadable as error:  # it was there a moment ago
        yield _set_aside(shown_name(path), str(error))
    except (_Fault, *_BUGS) as fault:
        yield _failed(shown_name(path), path, fault)


def _recorded(
    reception: _Reception, read: list[_New], known: dict[str, list[Known]]
) -> Iterator[Receipt]:
    """Record what was ``read``, which is empty then, and see what is ``known`` of it."""
    receipts = reception.recorded(read)
    with reception.store.connect() as connection:
        known |= known_of(connection, [one.source.sha256 for one in read])
    read.clear()
    yield from receipts


def _apart(reception: _Reception, path: Path, known: list[Known], replaced: Replaced) -> list[Receipt]:
    """The receipts of known bytes, which keep no other waiting; a fault of the machine stops all."""
    try:
        return list(_one(reception, path, known, replaced))
    except Unreadable as error:  # it was there a moment ago
        return [_set_aside(shown_name(path), str(error))]
    except (_Fault, *_BUGS) as fault:
        return [_failed(shown_name(path), path, fault)]


def _one(reception: _Reception, path: Path, known: list[Known], replaced: Replaced) -> Iterator[Receipt]:
    if told := reception.renamed(path, known):
        yield from told
    elif reception.again:
        with reception.store.connect() as connection:
            yield from taken_back(connection, shown_name(path), known, replaced)
    else:
        yield from already(shown_name(path), known, replaced)


def recognise_again(project: Project, home: Home, unread: dict[str, list[str]]) -> list[Receipt]:
    """Try the archived bytes of deliveries that no contract read, under the contracts as they are now.

    ``unread``: those deliveries, by the hash of their file.
    """
    reception = _Reception(project, home, contracts_of(project), again=True)
    receipts: list[Receipt] = []
    for sha256, old in unread.items():
        with reception.store.connect() as connection:
            known = known_of(connection, [sha256])[sha256]
            file, dated = connection.execute(
                "SELECT any_value(file_name), max(dated) FROM deliveries JOIN arrivals a "
                "ON a.delivery = id WHERE sha256 = ?",
                [sha256],
            ).fetchall()[0]
        path = archive_path(home, sha256)
        content = content_of(path)
        origin = archived_origin(home, sha256)
        source = Source(file, sha256, len(content), dated, origin)
        try:
            found = reception.read(source, content)
        except _Fault as fault:
            receipts.append(_failed(file, path, fault))
            continue
        receipts += reception.recorded([_new(path, source, found, known, old)])
    return receipts
