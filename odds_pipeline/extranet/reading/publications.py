"""The portraits and studies made from the release on show, as far as the reader may see them."""

import base64
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from odds_pipeline.declarations.access import readable
from odds_pipeline.extranet.reading.serving import Unknown, View
from odds_pipeline.publications.writer import folder_of
from odds_pipeline.release.published import numbers
from odds_pipeline.storage.home import Home

PORTRAIT = "portrait_social"
COMMON = ("edition.zip", "methode.pdf", "methode.html")


@dataclass(frozen=True)
class Shown:
    """The folder of a publication and the release it was made from."""

    folder: Path
    release: int


def publication(home: Home, view: View, name: str) -> Shown | None:
    """The latest publication, of the widest class the reader may see.

    It is made after its release goes live: until then, that of the release before stays on show.
    """
    for number in sorted((n for n in numbers(home) if n <= view.number), reverse=True):
        for access in reversed(readable(view.rights.access)):
            folder = folder_of(home, number, access, name)
            if folder.is_dir():
                return Shown(folder, number)
    return None


def portrait(home: Home, view: View, code: str, suffix: str) -> tuple[Path, int]:
    """The portrait of a territory, ``pdf``, ``html``, its kit ``zip``, and the release it is made from.

    :class:`Unknown` when there is none.
    """
    shown = publication(home, view, PORTRAIT)
    found = sorted(shown.folder.glob(f"{view.place(code).code}-*.{suffix}")) if shown else []
    if not shown or not found:
        raise Unknown(code)
    return found[0], shown.release


def files(home: Home, view: View, code: str) -> dict[str, Shown]:
    """What there is of a territory by suffix, and ``edition``: portraits of before kits have none."""
    shown = publication(home, view, PORTRAIT)
    if shown is None:
        return {}
    found = {p.suffix: shown for p in shown.folder.glob(f"{view.place(code).code}-*")}
    return found | ({"edition": shown} if (shown.folder / "edition.zip").is_file() else {})


def common(home: Home, view: View, name: str) -> Path:
    """What all portraits have in common: their archive, their method. :class:`Unknown` without it."""
    shown = publication(home, view, PORTRAIT)
    if shown is None or name not in COMMON or not (found := shown.folder / name).is_file():
        raise Unknown(name)
    return found


def portraits(home: Home, view: View) -> tuple[Shown, frozenset[str]] | None:
    """The portraits on show with the codes of their territories."""
    shown = publication(home, view, PORTRAIT)
    if shown is None:
        return None
    return shown, frozenset(path.name.partition("-")[0] for path in shown.folder.glob("*-*.pdf"))


def policy_of(html: str) -> str:
    """The content policy under which a document's own styles, and nothing else, apply."""
    styles = re.findall(r"<style[^>]*>(.*?)</style>", html, re.DOTALL)
    hashes = (base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in styles)
    allowed = " ".join(f"'sha256-{one}'" for one in hashes) or "'none'"
    return f"default-src 'none'; style-src {allowed}; frame-ancestors 'none'; base-uri 'none'"
