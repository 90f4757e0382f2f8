"""What a file holds for the observatory: deliveries recognised and read, refused ones, and the rest.

A file is one letter to its partner at most: what is no delivery beside one that is (notes, a PDF, the
list of variables) is listed, and two tables that say the same month are refused with both named.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pandas as pd

from odds_pipeline.declarations.project import FeedEntry, Project
from odds_pipeline.reception.clock import check, in_time
from odds_pipeline.reception.corrections import corrected
from odds_pipeline.reception.matching import HEADER_ONLY, NO_PLACE, OTHER_NAME, Match
from odds_pipeline.reception.periods import groups_of, in_any_name, month_of, year_of
from odds_pipeline.reception.reading import Reading, read
from odds_pipeline.reception.recognition import NEAR, Unrecognised, recognise_all
from odds_pipeline.reception.tables import Opened, Table, Unreadable, open_file

NO_MONTH = "0000-00"
"""Month of a delivery whose period cannot be told."""

STRUCTURE = ("structure", "Renvoyer le fichier avec les colonnes du contrat.")
UNREADABLE = ("illisible", "Renvoyer le fichier entier, en CSV ou en classeur .xlsx.")
TWICE = (
    "deux_tableaux",
    "Renvoyer un seul tableau : celui qui fait foi, ou les deux réunis s'ils se complètent.",
)
HIDDEN = ("illisible", "Afficher la feuille, si c'est bien elle qui fait foi, et renvoyer le classeur.")
CODES = (
    "structure",
    "Renvoyer le fichier avec le code Insee de chaque territoire, dans une colonne au format texte.",
)
ENCODING = ("structure", "Renvoyer le fichier en classeur .xlsx, ou en CSV encodé en UTF-8.")
NOT_WHOLE = ("illisible", "Refaire l'export du tableau entier, en CSV ou en classeur .xlsx.")
NAME = ("structure", "Renvoyer le même fichier sous un nom de cette forme, avec sa période.")
NO_PERIOD = ("structure", "Renvoyer le fichier avec sa période.")
SAME_BYTES = (
    "memes_octets",
    "Dire lequel des deux noms est le bon, et envoyer les chiffres de l'autre.",
)


@dataclass(frozen=True)
class Delivery:
    """One table of a file, and what it is: read, or refused for ``reason`` by the rule ``fault``.

    ``number`` is its place in the file; ``rest``, what else the file held; ``shared`` is above 0 when
    other contracts read the same table; ``again``, when the same bytes came under another name before.
    """

    number: int
    part: str | None
    feed: str | None
    format: str | None
    months: tuple[str, ...]
    simulated: bool
    reason: str | None = None
    fault: tuple[str, str] = STRUCTURE
    reading: Reading | None = None
    rest: tuple[str, ...] = ()
    shared: int = 0
    again: int = 0


def deliveries_of(
    project: Project, name: str, content: bytes, sha256: str, told: tuple[str, ...] = ()
) -> list[Delivery]:
    """Every delivery of a file, at least one; never raises on what the file holds."""
    try:
        with in_time(name):
            opened = open_file(name, content)
            return _deliveries(project, opened, sha256, told)
    except Unreadable as error:
        return [replace(_unreadable(project, name, str(error)), number=0, part=None)]


def _deliveries(project: Project, opened: Opened, sha256: str, told: tuple[str, ...]) -> list[Delivery]:
    tables = [(number, table.beside(told)) for number, table in enumerate(opened.tables)]
    outcomes = [(number, recognise_all(project, table)) for number, table in tables if not table.hidden]
    read_ones = [
        replace(_read(project, n, match, sha256), shared=i)
        for n, matches in outcomes
        if isinstance(matches, list)
        for i, match in enumerate(matches)
    ]
    if not read_ones and (hidden := _hidden(project, tables)) is not None:
        return [hidden]
    copies = list(_copies(read_ones))
    others = [(n, o) for n, o in outcomes if isinstance(o, Unrecognised)]
    refused, notes = _refused(others, bool(read_ones))
    damaged = [_unreadable(project, own, why) for own, why in opened.damaged]
    once = _each_month_once([one for one in read_ones if all(one is not copy for copy in copies)])
    kept = [*once, *refused, *(d for d in damaged if d.feed)]
    rest = (*_rest(opened, notes), *(d.reason or "" for d in damaged if not d.feed))
    rest += tuple(f"{one.part} : mêmes chiffres qu'un autre tableau, non lu." for one in copies)
    kept = [replace(one, number=i) if one.number < 0 else one for i, one in _numbered(kept, opened)]
    return [replace(one, rest=rest if i == 0 else ()) for i, one in enumerate(kept)]


def _hidden(project: Project, tables: list[tuple[int, Table]]) -> Delivery | None:
    """The refusal of a file whose one table of a contract is on a hidden sheet."""
    for number, table in tables:
        found = recognise_all(project, table) if table.hidden else None
        if isinstance(found, list):
            one = _read(project, number, found[0], "")
            why = f"Le tableau est sur une feuille masquée, qui n'est pas lue : {table.part}."
            return replace(one, format=None, reading=None, reason=why, fault=HIDDEN)
    return None


def _numbered(kept: list[Delivery], opened: Opened) -> Iterator[tuple[int, Delivery]]:
    """Damaged files of an archive come after its tables."""
    yield from enumerate(kept, start=len(opened.tables))


def _rest(opened: Opened, notes: list[Unrecognised]) -> tuple[str, ...]:
    hidden = [f"{table.part} : feuille masquée, non lue." for table in opened.tables if table.hidden]
    return (*opened.rest, *hidden, *(f"{n.table.part or n.table.file_name} : non lu." for n in notes))


def _refused(
    others: list[tuple[int, Unrecognised]], beside: bool
) -> tuple[list[Delivery], list[Unrecognised]]:
    """Tables that are a contract's although they do not fit it, and those that are mere notes.

    Beside a table that was read, one is a contract's when it holds half of its columns; alone, the
    nearest to a contract is the file's, whatever it holds.
    """
    wanted = [(n, o) for n, o in others if o.share >= NEAR or o.ambiguous]
    if not beside and not wanted:
        wanted = sorted(others, key=lambda other: (-other[1].share, not other[1].nearest))[:1]
    kept = {n for n, _ in wanted}
    return [_unrecognised(n, o) for n, o in wanted], [o for n, o in others if n not in kept]


def _unrecognised(number: int, outcome: Unrecognised) -> Delivery:
    table, named = outcome.table, outcome.named
    month = named_month(named, (*table.names, *table.told)) if named else NO_MONTH
    simulated = any("SIMULEES" in str(cell).upper() for row in table.rows[:1] for cell in row)
    fault = NOT_WHOLE if table.flaw else ENCODING if table.hint else _lacking(outcome)
    feed, why = named.id if named else None, refusal(outcome)
    return Delivery(number, table.part, feed, None, (month,), simulated, why, fault)


def _lacking(outcome: Unrecognised) -> tuple[str, str]:
    """The rule and the remedy of a table that is a contract's, by what it lacks."""
    first = outcome.missing[0] if outcome.missing else ""
    if first.startswith(OTHER_NAME) and len(outcome.missing) == 1:
        return NAME
    return NOT_WHOLE if first == HEADER_ONLY else CODES if first.startswith(NO_PLACE) else STRUCTURE


def refusal(outcome: Unrecognised) -> str:
    """Why a table is no contract's delivery, in French: one cause."""
    if outcome.table.flaw:
        return _sentence(outcome.table.flaw)
    if outcome.table.hint and not outcome.ambiguous:
        return _sentence(outcome.table.hint)
    if outcome.named is not None:
        return f"{outcome.named.feed.label} : {' ; '.join(outcome.missing)}."
    if outcome.ambiguous:
        return f"Plusieurs contrats conviennent : {', '.join(outcome.ambiguous)}."
    if not outcome.nearest:
        # Or too few for their names to help anyone.
        return "Aucun contrat ne convient, et aucun n'est proche de ce fichier."
    return f"Aucun contrat ne convient. Le plus proche : {outcome.nearest[0]}"


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _read(project: Project, number: int, match: Match, sha256: str) -> Delivery:
    check()
    table = match.table
    reading = corrected(match.entry, read(project, match), table.file_name, sha256)
    months = reading.months or (named_month(match.entry, table.names),)
    one = Delivery(number, table.part, match.entry.id, match.format.id, months, match.simulated)
    if table.flaw:
        return replace(one, format=None, reason=_sentence(table.flaw), fault=NOT_WHOLE)
    if not reading.months:
        return replace(one, reason=_without_period(match), fault=NO_PERIOD)
    return replace(one, reading=reading)


def _copies(found: list[Delivery]) -> Iterator[Delivery]:
    """Tables that say nothing but what an earlier one says: a copy in another folder or sheet."""
    seen: set[bytes] = set()
    for one in found:
        if one.reading is None:
            continue
        figures = one.reading.frame.drop(columns="line")
        said = pd.util.hash_pandas_object(figures, index=False).to_numpy().tobytes()
        if said in seen:
            yield one
        seen.add(said)


def _each_month_once(found: list[Delivery]) -> list[Delivery]:
    """Two tables with figures for the same month, level and variable are refused as one delivery."""
    kept: list[Delivery] = []
    owner: dict[tuple[str, ...], int] = {}  # place in `kept` of who gave that month, level and variable
    for one in found:
        own = _figures(one)
        place = next((owner[key] for key in own if key in owner), None)
        if place is None:
            owner |= dict.fromkeys(own, len(kept))
            kept.append(one)
            continue
        twin = kept[place]
        both = tuple(sorted({*twin.months, *one.months}))
        reason = (
            f"Deux tableaux du fichier donnent les mêmes mois : {twin.part} et {one.part}."
            if twin.fault != TWICE
            else f"{(twin.reason or '')[:-1]} et {one.part}."
        )
        refused = replace(twin, format=None, months=both, reason=reason, fault=TWICE)
        kept[place] = refused
    return kept


def _figures(one: Delivery) -> set[tuple[str, ...]]:
    if one.reading is None:
        return set()
    keys = one.reading.frame[["variable", "month", "level"]].dropna().drop_duplicates()
    return set(keys.itertuples(index=False, name=None))


def _without_period(match: Match) -> str:
    """Why no figure of a recognised table has a month, and what to do."""
    fmt = match.format
    if not match.table.rows[match.header_row + 1 :]:
        return "Le fichier n'a que son en-tête."
    if fmt.period.file and year_of(match.groups) is None:
        return f"La période n'est pas dans le nom du fichier (attendu : « {fmt.example.file} »)."
    if fmt.period.file and not fmt.period.column and month_of(match.groups, 12) is None:
        return "Le nom du fichier dit un mois qui n'existe pas."
    return "Aucune ligne du fichier ne donne de valeur datée."


def _unreadable(project: Project, name: str, why: str) -> Delivery:
    named = named_feed(project, name)
    month = named_month(named, (name,)) if named else NO_MONTH
    feed = named.id if named else None
    return Delivery(-1, name, feed, None, (month,), False, why, UNREADABLE)


def named_month(entry: FeedEntry, names: tuple[str, ...]) -> str:
    """The month that a file's names tell, by the contract or as months are written."""
    calendar = entry.feed.calendar
    for name in names:
        for fmt in entry.feed.formats:
            groups = groups_of(fmt.file, name) | groups_of(fmt.period.file, name)
            month = month_of(groups, calendar.month, fmt.period.year_shift)
            if month is not None and calendar.has(month):
                return month
    told = (groups for name in names for groups in in_any_name(name))
    months = (month_of(groups, calendar.month) for groups in told if _fine(groups, calendar.step))
    return next((month for month in months if month and calendar.has(month)), NO_MONTH)


def _fine(groups: dict[str, str], step: int) -> bool:
    """Whether a period is as fine as a calendar of that many months: a year tells no month of it."""
    return step == 12 or bool({"month", "mois"} & groups.keys()) or (step == 3 and "quarter" in groups)


def named_feed(project: Project, file_name: str) -> FeedEntry | None:
    """The one contract whose files are called so; for files that cannot be opened."""
    found = {
        entry.id: entry
        for entry in project.feeds.values()
        for fmt in entry.feed.formats
        if fmt.file and re.search(fmt.file, file_name, re.IGNORECASE)
    }
    return next(iter(found.values())) if len(found) == 1 else None


__all__ = ["NO_MONTH", "Delivery", "Table", "deliveries_of", "named_feed", "named_month", "refusal"]
