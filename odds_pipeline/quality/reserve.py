"""What a person writes that every reader of a release will read, for ever: a reason and a role.

A figure of the delivery would be told though secrecy hides it, and no erasure reaches a name.
"""

import re

_NUMBERS = (
    "deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize vingt "
    "trente quarante cinquante soixante cent mille"
).split()
_FIGURE = re.compile(rf"\d|\b({'|'.join(_NUMBERS)})s?\b", re.IGNORECASE)
_NAME = re.compile(r"\b(mme|mlle|m\.|mr|madame|monsieur|dr|docteur)(?=\s|$)|@", re.IGNORECASE)


def objection(reason: str, role: str) -> str | None:
    """Why this must not be published, and what to write instead; ``None`` when it may."""
    if figure := _FIGURE.search(reason):
        return (
            f"the reason holds a figure ({figure.group()}), and releases never change: it would be told "
            "though secrecy hides it. Say why the figures are right, without any; month, rule and file "
            "are recorded."
        )
    if _NAME.search(role) or _NAME.search(reason):
        return (
            "the reason or the role names a person, and releases never change: no erasure reaches it. "
            "Write a role, as « chargé d'études de la CAF »; the person is in the service's own papers."
        )
    return None


def reserve(reason: str, role: str) -> str:
    """The words as readers find them, without the date that follows the role."""
    return f"Publié malgré une règle non respectée. Motif : {reason} ({role})."
