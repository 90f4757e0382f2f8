"""Classes of access: who may read a figure. One edition of a release is made for each class."""

from collections.abc import Iterable
from typing import Literal, get_args

Access = Literal["public", "membres", "partenaires"]
ACCESS: tuple[Access, ...] = get_args(Access)
"""From the most open class to the least: what a class may read, every later one may read too."""
EDITIONS: tuple[Access, ...] = ACCESS[::-1]
"""Editions of a release, from the widest to the narrowest."""


def strictest(classes: Iterable[Access]) -> Access:
    """The least open of ``classes``; ``public`` when there are none."""
    return max(classes, key=ACCESS.index, default=ACCESS[0])


def readable(edition: Access) -> tuple[Access, ...]:
    """The classes whose figures the edition holds."""
    return ACCESS[: ACCESS.index(edition) + 1]
