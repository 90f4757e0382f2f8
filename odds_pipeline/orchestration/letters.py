"""The e-mail that a member who follows pages of the site gets at a release, once: titles and links.

It holds no figure and nothing that signs in: each link is read with the rights of who opens it.
"""

import os
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from odds_pipeline.declarations.extranet import Settings
from odds_pipeline.extranet.identity.accounts import Accounts
from odds_pipeline.extranet.identity.follows import Followed, to_tell, told
from odds_pipeline.french import french_day
from odds_pipeline.orchestration.notices import send
from odds_pipeline.release.published import Absent, current_number, describe
from odds_pipeline.storage.home import Home

ROUND = 200
"""Letters of one tick, which keeps the others waiting: the next tick writes the rest."""


def write_letters(home: Home, settings: Settings, variable: str) -> int:
    """Write to those who were not told of the release in use; how many letters were not taken.

    ``variable`` holds an e-mail address of Apprise, whose recipient is replaced. A letter that was not
    taken is written again at the next tick.
    """
    try:
        number = current_number(home)
        release = describe(home, number) if number is not None else None
    except Absent:
        return 0
    if release is None or not home.accounts.exists():
        return 0
    accounts, refused = Accounts(home.accounts), 0
    title = f"{settings.title} : édition n° {release.number}"
    day = french_day(str(release.published_at))
    opening = f"L’édition n° {release.number} du recueil a été publiée le {day}."
    opening += " DONNÉES SIMULÉES." if release.simulated else ""
    for person, email, pages in to_tell(accounts, release.number)[:ROUND]:
        if send(_to(os.environ.get(variable, ""), email), title, _body(opening, pages, settings)):
            told(accounts, person, release.number)
        else:
            refused += 1
    return refused


def _body(opening: str, pages: list[Followed], settings: Settings) -> str:
    listed = "\n\n".join(f"{one.title}\n{settings.public_url}{one.address}" for one in pages)
    end = f"Ne plus recevoir ce message : {settings.public_url}/selections#suivis"
    return f"{opening}\n\nVous suivez :\n\n{listed}\n\n{end}"


def _to(address: str, email: str) -> str:
    """The declared address with one recipient; nothing for what is no e-mail."""
    parts = urlsplit(address)
    if parts.scheme not in ("mailto", "mailtos"):
        return ""
    kept = [(k, v) for k, v in parse_qsl(parts.query) if k not in ("to", "cc", "bcc")]
    query = urlencode([*kept, ("to", email)], quote_via=quote)
    return urlunsplit(parts._replace(path="", query=query))
