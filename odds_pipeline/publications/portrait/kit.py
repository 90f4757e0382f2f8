"""What a commune takes away: its portrait, a workbook by theme and public, the charts as images."""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from html import unescape
from pathlib import Path
from textwrap import wrap
from typing import Any

from xlsxwriter import Workbook

from odds_pipeline.charts.svg import FONT, QUIET, element, text
from odds_pipeline.declarations.socle import Socle
from odds_pipeline.geography.territories import Territory
from odds_pipeline.publications.documents import Block, Chart, Document, Panel, Side
from odds_pipeline.publications.documents.document import french
from odds_pipeline.publications.origin import SIMULATED
from odds_pipeline.publications.periods import period_words
from odds_pipeline.publications.portrait.figures import Figures, Sheet
from odds_pipeline.publications.portrait.situation import situation

HEADS = {
    "Indicateur": 46,
    "Valeur": 12,
    "Unité": 20,
    "Période": 14,
    "Département, même période": 14,
    "Intervalle, bas": 11,
    "Intervalle, haut": 11,
    "Situation": 28,
    "À savoir": 30,
}
DEFINITIONS = {
    "Indicateur": 40,
    "Définition": 70,
    "Population": 40,
    "Source": 40,
    "Limites": 50,
    "Précautions": 70,
}
"""Columns of the sheets and their widths, in characters."""
README = """{title}
{subtitle}

portrait.pdf, portrait.html   le portrait, à lire ou à imprimer
besoins-sociaux.pdf, .html    public par public, pour l’analyse des besoins sociaux
chiffres.xlsx                 ses chiffres par thème et par public, définitions et précautions
images/                       les graphiques (SVG : s’agrandissent sans perte)

{footer}
{banner}"""


_BOX = re.compile(r'viewBox="([^"]+)"')
_TITLE = re.compile(r"<title[^>]*>([^<]*)</title>")
_HEIGHT = re.compile(r' height="[^"]+"')


def zipped(files: Mapping[str, bytes], day: str) -> bytes:
    """An archive of files by name, dated ``day``: the same bytes for the same files."""
    moment = datetime.fromisoformat(day).timetuple()[:6]
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, moment)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return target.getvalue()


def archive_of(folder: Path, names: Iterable[str], day: str) -> None:
    """All documents of a release as one archive beside them; kits hold nothing that they do not."""
    wanted = ["index.html", *(f"{n}{s}" for n in names for s in (".pdf", ".html"))]
    files = {name: (folder / name).read_bytes() for name in wanted}
    content = zipped(files, day)
    temporary = folder / ".edition.tmp"
    temporary.write_bytes(content)
    temporary.replace(folder / "edition.zip")


def kit(
    document: Document,
    written: Mapping[str, bytes],
    needs: Mapping[str, bytes],
    workbook_: bytes,
) -> bytes:
    """The archive of one place. ``written``: its portrait by suffix; ``needs``: its figures by
    public."""
    readme = README.format(
        title=document.title, subtitle=document.subtitle, footer=document.footer, banner=document.banner
    )
    files = {f"portrait.{suffix}": content for suffix, content in written.items()}
    files |= {f"besoins-sociaux.{suffix}": content for suffix, content in needs.items()}
    files |= {"chiffres.xlsx": workbook_, "LISEZ-MOI.txt": readme.encode("utf-8")}
    for i, figure in enumerate(_figures(document.blocks), 1):
        files[f"images/graphique-{i}.svg"] = framed(figure.svg, document.footer).encode("utf-8")
    return zipped(files, document.date)


def framed(svg: str, foot: str) -> str:
    """A chart that stands alone: its title above, where and when it comes from below."""
    _, _, width, height = map(float, _BOX.findall(svg)[0].split())
    title = unescape(_TITLE.findall(svg)[0])
    above = [
        text(0, 12 + 14 * i, one, size=11, bold=True)
        for i, one in enumerate(wrap(french(title), max(int(width / 5.6), 12)))
    ]
    below = [
        text(0, height + 10 + 9.5 * i, one, size=8, fill=QUIET)
        for i, one in enumerate(wrap(french(foot), max(int(width / 3.9), 12)))
    ]
    top, bottom = 8.0 + 14 * len(above), 6 + 9.5 * len(below)
    added = element("g", "".join(below), font_family=FONT) + element(
        "g", "".join(above), font_family=FONT, transform=f"translate(0,{-top:g})"
    )
    box = f"0 {-top:g} {width:g} {height + top + bottom:g}"
    ground = element("rect", x=0, y=-top, width=width, height=height + top + bottom, fill="#ffffff")
    whole = _BOX.sub(f'viewBox="{box}"', svg, count=1)
    whole = _HEIGHT.sub(f' height="{height + top + bottom:g}"', whole, count=1)
    start = whole.index("</desc>") + len("</desc>")
    return whole[:start] + ground + whole[start:].removesuffix("</svg>") + added + "</svg>"


def _figures(blocks: Iterable[Block]) -> Iterator[Chart]:
    for block in blocks:
        if isinstance(block, Chart):
            yield block
        elif isinstance(block, Side):
            for column in block.columns:
                yield from _figures(column)
        elif isinstance(block, Panel):
            yield from _figures(block.blocks)


def workbook(
    figures: Figures, themes: Mapping[str, list[str]], socle: Socle | None, place: Territory
) -> bytes:
    """The figures of ``place``: a sheet a theme, a sheet a public, then what each indicator is."""
    target = io.BytesIO()
    with Workbook(
        target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        book.set_properties(
            {
                "title": place.label,
                "author": figures.observatory.label,
                "comments": f"Édition n° {figures.about.release}",
                "created": datetime.fromisoformat(figures.about.published_at).replace(tzinfo=None),
            }
        )
        publics = {p.label: p.indicators for p in socle.publics.values()} if socle else {}
        labelled = {figures.observatory.themes[name]: names for name, names in themes.items()}
        for label, names in {**labelled, **publics}.items():
            known = [figures.sheets[i] for i in names if i in figures.months]
            rows = [_row(figures, sheet, place) for sheet in known]
            if rows:
                _sheet(book, label, HEADS, rows, figures.about.simulated)
        told = dict.fromkeys(i for names in [*themes.values(), *publics.values()] for i in names)
        known = [figures.sheets[i] for i in told if i in figures.months]
        _sheet(
            book, "Définitions", DEFINITIONS, [_definition(s) for s in known], figures.about.simulated
        )
    return target.getvalue()


def _row(figures: Figures, sheet: Sheet, place: Territory) -> list[Any]:
    cell = figures.cell(sheet.id, place.code)
    if cell is None:
        return [sheet.label, None, sheet.unit, "", None, None, None, "", "non disponible"]
    reference = None if sheet.kind in ("count", "amount") else cell.departement
    known = "; ".join(filter(None, [cell.status, cell.reserve]))
    period = period_words(cell.month, sheet.cadence)
    figures_ = [cell.value, sheet.unit, period, reference, cell.low, cell.high]
    return [sheet.label, *figures_, situation(sheet, cell), known]


def _definition(sheet: Sheet) -> list[Any]:
    texts = [sheet.label, sheet.definition, sheet.population, sheet.source, sheet.limits]
    return [*texts, "\n".join(sheet.cautions)]


def _sheet(
    book: Workbook, label: str, heads: Mapping[str, int], rows: list[list[Any]], simulated: bool
) -> None:
    bold = book.add_format({"bold": True, "bg_color": "#E1E6E8", "bottom": 1, "text_wrap": True})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    number = book.add_format({"num_format": "#,##0.0#", "valign": "top"})
    whole = book.add_format({"num_format": "#,##0", "valign": "top"})
    sheet = book.add_worksheet(label.replace("/", "-")[:31])
    top = 1 if simulated else 0
    if simulated:
        sheet.write_string(0, 0, SIMULATED, bold)
    sheet.freeze_panes(top + 1, 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    for column, (head, width) in enumerate(heads.items()):
        sheet.set_column(column, column, width)
        sheet.write_string(top, column, head, bold)
    for line, row in enumerate(rows, top + 1):
        for column, value in enumerate(row):
            if isinstance(value, float):
                sheet.write_number(line, column, value, whole if value == round(value) else number)
            elif value is not None:
                sheet.write_string(line, column, str(value), wrapped)
