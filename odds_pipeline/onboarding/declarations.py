"""Writes the declarations of a new partner or feed, once they are known to read the sample.

Every guess that a person must confirm bears a comment that starts with ``confirm``. Files are put in
place all together or not at all, and none is ever overwritten.
"""

import csv
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
from pydantic import ValidationError

from odds_pipeline.declarations.feed import Feed
from odds_pipeline.declarations.partner import Partner
from odds_pipeline.declarations.problems import nearest
from odds_pipeline.declarations.project import FeedEntry, Project
from odds_pipeline.declarations.yaml_file import read_yaml
from odds_pipeline.months import number_of
from odds_pipeline.onboarding.period import CannotPropose
from odds_pipeline.onboarding.proposal import Proposal, propose
from odds_pipeline.reception.matching import Match
from odds_pipeline.reception.reading import Reading, read
from odds_pipeline.reception.recognition import recognise
from odds_pipeline.reception.tables import Table, Unreadable, open_tables
from odds_pipeline.storage.scratch import scratch


def quoted(text: str) -> str:
    """A YAML scalar that is read back as this very text."""
    return "'" + text.replace("'", "''") + "'"


def partner_text(partner: str, label: str, since: str) -> str:
    """``partner.yaml``, with the most protective choices where a person must decide."""
    return f"""id: {partner}
label: {quoted(label)}
short_label: {quoted(label)}
status: joining
since: {since}
description: {quoted(f"Données transmises par {label}.")}  # confirm: what it delivers, in a sentence
contact_role: 'Service statistiques'  # confirm: a role, never a person's name
licence: à confirmer  # confirm: the licence or the agreement that the figures come under
access: partenaires  # confirm: public, membres or partenaires (the narrowest)
secrecy:  # confirm: the rule of the agreement; 5 and 50 are the observatory's own
  threshold: 5
  rate_minimum: 50
  reference: 'Convention de l’observatoire : seuil de 5, à confirmer par la convention du partenaire.'
"""


def new_partner(project: Project, partner: str, label: str, since: str) -> list[Path]:
    """Declare a partner; raises :class:`CannotPropose` when it exists or its id is not a name."""
    text = partner_text(partner, label, since)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "partner.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            Partner.model_validate(read_yaml(path, Path(folder)).data)
        except ValidationError as error:
            raise CannotPropose(_said(error)) from error
    return _put(project.root, {f"assets/partners/{partner}/partner.yaml": text})


def new_feed(
    project: Project, partner: str, feed: str, sample: Path, geography: int | None = None
) -> tuple[list[Path], Proposal]:
    """Declare a feed that reads ``sample``: contract and simulation.

    Raises :class:`CannotPropose` when no contract can be told from it, or when the contract proposed
    does not recognise and read it without a problem; nothing is written then.
    """
    if partner not in project.partners:
        hint = nearest(partner, project.partners)
        raise CannotPropose(f"no partner {partner!r}{hint} (declare it: odds new-partner {partner} …)")
    paths = _paths(partner, feed)
    # A suite that was left there would judge the new feed.
    _refuse_existing(project.root, [*paths, f"expectations/partners/{partner}/{feed}.yaml"])
    table = _only_table(sample)
    known = recognise(project, table)
    if isinstance(known, Match):
        raise CannotPropose(f"{sample.name} is already read by {known.entry.id} ({known.format.id})")
    declared = project.partners[partner]
    territories = project.territories.within(declared.perimeter or project.territories.departements)
    proposal = _unique_names(project, partner, feed, propose(table, territories, project.units))
    contract = _contract(project, declared, feed, proposal, sample.name, geography)
    proposal = replace(proposal, told=verify(project, declared, contract, table))
    texts = (contract, _simulation(project, feed, proposal))
    return _put(project.root, dict(zip(paths, texts, strict=True))), proposal


def _paths(partner: str, feed: str) -> list[str]:
    own = f"{partner}/{feed}.yaml"
    return [f"assets/partners/{own}", f"resources/simulation/{own}"]


def _only_table(sample: Path) -> Table:
    try:
        tables = [t for t in open_tables(sample.name, sample.read_bytes()) if not t.hidden]
    except Unreadable as error:
        raise CannotPropose(str(error)) from error
    if len(tables) != 1:
        parts = ", ".join(str(t.part) for t in tables)
        raise CannotPropose(f"{sample.name} holds {len(tables)} tables ({parts}): give one alone")
    return tables[0]


def _unique_names(project: Project, partner: str, feed: str, proposal: Proposal) -> Proposal:
    """Variables of a partner have a name each: those taken by its other feeds get this feed's."""
    figures = tuple(
        replace(f, name=f"{feed}_{f.name}") if f"{partner}.{f.name}" in project.variables else f
        for f in proposal.figures
    )
    return replace(proposal, figures=figures)


def verify(project: Project, partner: Partner, contract: str, table: Table) -> tuple[str, ...]:
    """Recognise and read the sample with the contract, and put it through the gate.

    What the gate would say and a person may overrule; raises :class:`CannotPropose` for the rest.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "contract.yaml"
        path.write_text(contract, encoding="utf-8")
        file = read_yaml(path, Path(folder))
    try:
        entry = FeedEntry(partner, Feed.model_validate(file.data), file)
    except ValidationError as error:
        raise CannotPropose(_said(error)) from error
    with_it = replace(project, feeds={**project.feeds, entry.id: entry})
    match = recognise(with_it, table)
    if not isinstance(match, Match):
        shown = "; ".join([*map(str, match.nearest), *match.ambiguous])
        raise CannotPropose(f"the contract proposed does not recognise the sample alone: {shown}")
    reading = read(with_it, match)
    problems = [f"line {line}: {what}" for line, what in reading.problems]
    if table.flaw:
        problems.append(table.flaw)
    unread = reading.frame[reading.frame["unreadable"].notna()]
    problems += [
        f"line {line}: {raw!r} is no figure"
        for line, raw in zip(unread["line"], unread["raw"], strict=True)
    ]
    if not reading.months:
        problems.append("no month in it")
    if problems:
        hint = " (say it with --geography YEAR)" if any("geography" in p for p in problems) else ""
        raise CannotPropose(f"{table.file_name} is not read whole: {'; '.join(problems[:4])}{hint}")
    return _judge(with_it, entry, reading, table.file_name)


def _judge(project: Project, entry: FeedEntry, reading: Reading, name: str) -> tuple[str, ...]:
    """Put the sample through the rules that its deliveries will follow."""
    from odds_pipeline.quality.audit import audit  # Great Expectations takes 2 s to load
    from odds_pipeline.quality.tables import keep_declared, keep_past
    from odds_pipeline.quality.waiting import Waiting

    waiting = Waiting(entry.id, "sample", name, "", reading, reading.months)
    with scratch() as tables:
        nothing = reading.frame.head(0).assign(feed=entry.id)
        keep_past(tables, nothing, pd.DataFrame(columns=["feed", "name"]))
        keep_declared(tables, project, [entry])
        refusing = [f for f in audit(project, [waiting], tables) if f.refuses]
    told = {f.rule: f"{f.rule}: {f.message} {_cells(f.rows)}".strip() for f in refusing}
    if any(not f.overrulable for f in refusing):
        said = (
            "Say it with --geography YEAR"
            if "geographie" in told
            else "Ask the partner, or give another sample"
        )
        raise CannotPropose(f"the gate would refuse {name}: {'; '.join(told.values())}. {said}")
    return tuple(told.values())


def _cells(rows: list[dict[str, object]]) -> str:
    """The first failing cells, where they are and what they say."""
    keys = ("line", "column", "territory", "raw", "detail")
    shown = [" ".join(str(row[k]) for k in keys if row.get(k) is not None) for row in rows[:3]]
    return f"({', '.join(shown)})" if any(shown) else ""


def _said(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())


def _contract(
    project: Project, partner: Partner, feed: str, p: Proposal, sample: str, geography: int | None
) -> str:
    """The contract as YAML, one line per variable."""
    title = feed.replace("_", " ").capitalize()
    calendar = f"cadence: {p.cadence}, first: {p.month}, lag: 2"
    if p.cadence == "annual":
        calendar += f", month: {number_of(p.month)}"
    elif p.cadence == "quarterly":
        calendar += f", month: {(number_of(p.month) - 1) % 3 + 1}"
    complete = p.level != "commune" or any(
        p.communes
        >= {t.code for t in project.territories.communes(g) if _within(t.departement, partner)}
        for g in project.territories.geographies
    )
    lines = [
        f"# Proposed from {sample}: lines that say `confirm` are guesses.",
        f"id: {feed}",
        f"label: {quoted(f'{title}, {partner.short_label}')}  # confirm",
        f"description: {quoted(f'Fichier de {partner.short_label}.')}  # confirm: what it counts",
        "kind: template  # confirm: `public` when anyone can download the file",
        f"source: {quoted(partner.label)}  # confirm: the source to cite",
        f"owner: {quoted(f'{partner.short_label}, {partner.contact_role}')}",
        f"calendar: {{{calendar}}}  # confirm: cadence, first month, months of delay"
        + (", month of the situation" if p.cadence == "annual" else ""),
        f"levels: [{p.level}]",
    ]
    if not complete:
        lines.append(f"complete: false  # confirm: {len(p.communes)} communes in the sample")
    lines.append("variables:  # confirm each label, each unit, and whether it adds up over communes")
    for f in p.figures:
        more = "" if f.aggregation == "sum" else ", aggregation: none"
        more += ", signed: true" if f.signed else ""
        why = "confirm" if f.aggregation == "sum" else "confirm: taken as delivered, never added up"
        lines.append(f"  {f.name}: {{label: {quoted(f.label)}, unit: {f.unit}{more}}}  # {why}")
    lines.append("columns:")
    for f in p.figures:
        column = f"{{name: {quoted(f.column)}, reduce: {f.reduce}}}" if f.reduce else quoted(f.column)
        lines.append(f"  {f.name}: {column}")
    if p.left_out:
        lines.append("# Columns left out:")
        lines += [f"#   {' '.join(t.split())}: {reason}" for t, reason in p.left_out.items()]
    key = [f"columns: [{', '.join(map(quoted, p.territory))}]", f"level: {p.level}"]
    key += ["by: label"] if p.by == "label" else []
    key += [f"prefix: {p.prefix}"] if p.prefix else []
    period, example = (
        ", ".join(f"{k}: {quoted(v)}" for k, v in said.items()) for said in (p.period, p.example)
    )
    lines += [
        "formats:",
        f"- id: {feed}",
        f"  file: {quoted(p.file)}  # confirm: how the partner will name the next files",
        f"  example: {{{example}}}",
        f"  period: {{{period}}}  # confirm: the month described, not that of sending",
        f"  territory: {{{', '.join(key)}}}",
        f"  decimal: {quoted(p.decimal)}"
        + ("" if p.decimal_seen else "  # confirm: the sample has no decimals"),
    ]
    if geography is not None:
        lines.append(f"  geography: {geography}")
    if p.blanks:
        lines.append("  blank: absent  # confirm: absent, secret, not_available or not_concerned")
    if p.marks:
        marks = ", ".join(f"{quoted(m)}: {kind}" for m, kind in p.marks.items())
        unknown = f"; unknown here: {', '.join(sorted(p.unknown_marks))}" if p.unknown_marks else ""
        lines.append(f"  marks: {{{marks}}}  # confirm: what each mark means{unknown}")
    if p.where:
        where = ", ".join(f"{quoted(k)}: {quoted(v)}" for k, v in p.where.items())
        lines.append(f"  where: {{{where}}}  # confirm: only these rows count")
    return "\n".join(lines) + "\n"


def _within(departement: str | None, partner: Partner) -> bool:
    return not partner.perimeter or departement in partner.perimeter


def _simulation(project: Project, feed: str, proposal: Proposal) -> str:
    """Draws of the sample's order of magnitude: a share of the population, or the middle value."""
    path = project.root / "resources" / "reference" / "populations_2021.csv"
    with path.open(encoding="utf-8", newline="") as file:
        people = sum(
            int(row["population"])
            for row in csv.DictReader(file, delimiter=";")
            if row["code"] in proposal.communes
        )
    population = project.observatory.population
    shared = people and population in project.variables
    lines = [f"format: {feed}", "variables:"]
    for f in proposal.figures:
        if shared and f.aggregation == "sum":
            lines.append(f"  {f.name}: {{of: {population}, share: {f.total / people:.6f}, spread: 0.1}}")
        else:
            lines.append(f"  {f.name}: {{level: {f.typical:.6g}, spread: 0.05}}")
    return "\n".join(lines) + "\n"


def _refuse_existing(root: Path, paths: list[str]) -> None:
    found = [path for path in paths if (root / path).exists()]
    if found:
        raise CannotPropose(f"{', '.join(found)}: already there, and never overwritten")


def _put(root: Path, texts: dict[str, str]) -> list[Path]:
    """Put all the files in place or none; one that appeared meanwhile is left as it is."""
    _refuse_existing(root, list(texts))
    written: list[Path] = []
    drafts: list[Path] = []
    try:
        for name, text in texts.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
            drafts.append(draft)
            draft.write_text(text, encoding="utf-8")
        for name, draft in zip(texts, drafts, strict=True):
            os.link(draft, root / name)  # unlike a rename, never replaces a file
            written.append(root / name)
    except OSError as error:
        for path in written:
            path.unlink()
        raise CannotPropose(f"nothing was written: {error}") from error
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)
    return written
