"""What a reader may see: a class of access, and partners whose restricted figures are open to them.

An indicator is visible when every partner it reads is either open to the reader's class or one of
the reader's own partners. Nothing else decides: pages, API, search, exports and caches ask here.
"""

import json
from dataclasses import dataclass

from odds_pipeline.declarations.access import ACCESS, WIDEST, Access, readable


@dataclass(frozen=True)
class Rights:
    """``access`` is a class of access; ``partners`` are ids of partners, open whatever their class."""

    access: Access = ACCESS[0]
    partners: frozenset[str] = frozenset()

    @property
    def source(self) -> Access:
        """Whose file is read: the widest class's as soon as a partner's restricted figures are open."""
        return WIDEST if self.partners else self.access

    def allows(self, access: Access, partner_access: str) -> bool:
        """Whether an indicator is visible.

        ``access`` is the indicator's own class, ``partner_access`` JSON: partner id to the strictest
        class of what the indicator reads of it.
        """
        open_classes = readable(self.access)
        if access in open_classes:
            return True
        needs: dict[str, Access] = json.loads(partner_access)
        declared_stricter = all(ACCESS.index(need) < ACCESS.index(access) for need in needs.values())
        if declared_stricter:
            return False
        return all(need in open_classes or partner in self.partners for partner, need in needs.items())


VISITOR = Rights()
