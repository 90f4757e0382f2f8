"""Codes of territories as spreadsheets and exports spoil them, read where only one is possible."""

import re
from collections import Counter
from collections.abc import Iterable

INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
"""Characters that no screen shows: zero-width spaces and joiners, marks of direction, soft hyphens."""

_WRAPPED = re.compile(r'^="?(.*?)"?$')
_DECIMALS = re.compile(r"^(\w+)[.,]0+$")
_THOUSANDS = re.compile(r"^\d{1,3}(?:[ \u00a0\u202f]\d{3})+$")
_CODE = re.compile(r"\d[\dAB][0-9A-Z]+", re.IGNORECASE)


def code_of(shown: str) -> str:
    """The code that a cell shows: ``75056`` for ``75056.0``, ``="75056"``, ``'75056``, ``75 056``."""
    if shown.isalnum():
        return shown
    code = INVISIBLE.sub("", shown).strip()
    code = _WRAPPED.sub(r"\1", code).lstrip("'’`").strip()
    code = _DECIMALS.sub(r"\1", code)
    return "".join(code.split()) if _THOUSANDS.match(code) else code


def is_code(shown: str) -> bool:
    """Whether a text is written as codes of territories are: ``75056``, ``2A004``, ``200054781``."""
    return _CODE.fullmatch(shown) is not None


def full_length(codes: Iterable[str], departements: tuple[str, ...]) -> int | None:
    """How long codes are in a file that lost the zeros they begin with (1001 for 01001), or ``None``.

    Certain only where no code begins with a zero, others are of several départements, and no short one
    could be of the perimeter, typed without a digit (9301), unless the file is of the country.
    """
    known = {code for code in codes if code[:1].isdigit()}
    lengths = Counter(map(len, known))
    length = max(lengths, key=lambda n: lengths[n], default=0)
    several = len({code[:2] for code in known if len(code) == length})
    short = [code for code in known if len(code) == length - 1]
    typed = any(code.startswith(departements) for code in short)
    lost = short and not any(code.startswith("0") for code in known)
    return length if lost and (several >= 5 or (several >= 2 and not typed)) else None
