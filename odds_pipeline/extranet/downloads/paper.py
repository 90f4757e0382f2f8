"""A choice of indicators and territories as a document to print: the page's table, what it means."""

from collections.abc import Iterator, Sequence

from odds_pipeline.extranet.reading.choice import Choice
from odds_pipeline.extranet.reading.serving import Place, Row, View
from odds_pipeline.extranet.words import figure, period, status
from odds_pipeline.french import NONE
from odds_pipeline.publications.documents import Block, Bullets, Column, Document, Heading, Notes, Table
from odds_pipeline.publications.documents import Paragraph as Words
from odds_pipeline.publications.origin import About, of_release

Rows = dict[str, dict[str, Row]]


def paper(
    view: View, title: str, address: str, choice: Choice, places: Sequence[Place], rows: Rows
) -> Document:
    """``address``: that of the page in its release, where all of it is found again."""
    about = About(view.number, view.rights.access, view.about["published_at"], view.simulated)
    named = ", ".join(place.label for place in places)
    return of_release(
        view.observatory,
        about,
        title,
        _blocks(view, address, choice, places, rows),
        title=title,
        subtitle=named,
        keywords=(title, *(place.label for place in places)),
        subject=f"{title} : {named}, édition n° {view.number}",
    )


def _blocks(
    view: View, address: str, choice: Choice, places: Sequence[Place], rows: Rows
) -> Iterator[Block]:
    if choice.why:
        yield Words(choice.why, "lead")
    columns = (Column("Indicateur", 3), Column("Période", 1.2), *(Column(p.label, 1.6) for p in places))
    for label, names in choice.sections.items():
        if lines := tuple(_line(view, name, places, rows[name]) for name in names if name in rows):
            yield Heading(label)
            yield Table(f"{label}, par territoire", columns, lines, bare=True)
    if without := [view.definitions[name]["label"] for name in choice.names if name not in rows]:
        yield Heading("Ce que ce document ne dit pas")
        yield Bullets((f"Sans période commune à ces territoires : {' ; '.join(without)}.",), small=True)
    shown = [view.definitions[name] for name in choice.names if name in rows]
    cautions: dict[str, list[str]] = {}
    for sheet in shown:
        for caution in sheet["cautions"]:
            cautions.setdefault(caution, []).append(sheet["label"])
    if cautions:
        yield Heading("À savoir avant de citer")
        yield Bullets(tuple(f"{' ; '.join(of)} : {said}" for said, of in cautions.items()), small=True)
    yield Heading("Définitions")
    defined = tuple((s["label"], s["definition"], s["source"]) for s in shown)
    heads = (Column("Indicateur", 1.4), Column("Définition", 2.6), Column("Source", 1.5))
    yield Table("Définitions et sources", heads, defined, bare=True, small=True)
    yield Notes((("Citer", f"{view.observatory.label}, édition {view.number}, {address}"),))


def _line(view: View, name: str, places: Sequence[Place], row: dict[str, Row]) -> tuple[str, ...]:
    sheet, month = view.definitions[name], next(iter(row.values()))["month"]
    unit = "" if sheet["symbol"] else f" ({sheet['unit_label']})"
    return (
        sheet["label"] + unit,
        period(month, sheet),
        *(_cell(sheet, row.get(place.code)) for place in places),
    )


def _cell(sheet: Row, row: Row | None) -> str:
    """The value with what qualifies it, and its place among the communes."""
    if row is None:
        return NONE
    if row["value"] is None:
        return status(row) or "non disponible"
    reserve = "sous réserve" if row["reserve"] else ""
    said = (figure(row["value"], sheet), status(row), reserve, row["situation"].text)
    return ", ".join(filter(None, said))
