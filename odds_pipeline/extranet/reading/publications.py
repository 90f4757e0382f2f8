"""The portraits and studies made from the release on show, as far as the reader may see them."""

import base64
import hashlib
import re
from pathlib import Path

from odds_pipeline.declarations.access import readable
from odds_pipeline.extranet.reading.serving import Unknown, View
from odds_pipeline.publications.portrait.publish import folder_of
from odds_pipeline.storage.home import Home

PORTRAIT = "portrait_social"


def publication(home: Home, view: View, name: str) -> Path | None:
    """The folder of a publication of this release, of the widest class the reader may see."""
    for edition in reversed(readable(view.rights.edition)):
        folder = folder_of(home, view.number, edition, name)
        if folder.is_dir():
            return folder
    return None


def portrait(home: Home, view: View, code: str, suffix: str) -> Path:
    """The portrait of a territory, ``pdf`` or ``html``; :class:`Unknown` when there is none."""
    folder = publication(home, view, PORTRAIT)
    found = sorted(folder.glob(f"{view.place(code).code}-*.{suffix}")) if folder else []
    if not found:
        raise Unknown(code)
    return found[0]


def policy_of(html: str) -> str:
    """The content policy under which a document's own styles, and nothing else, apply."""
    styles = re.findall(r"<style[^>]*>(.*?)</style>", html, re.DOTALL)
    hashes = (base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in styles)
    allowed = " ".join(f"'sha256-{one}'" for one in hashes) or "'none'"
    return f"default-src 'none'; style-src {allowed}; frame-ancestors 'none'; base-uri 'none'"
