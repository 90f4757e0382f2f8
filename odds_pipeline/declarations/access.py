"""Classes of access: who may read a figure. A release holds one file for each class."""

from collections.abc import Iterable
from typing import Literal, get_args

Access = Literal["public", "membres", "partenaires"]
ACCESS: tuple[Access, ...] = get_args(Access)
"""From the most open class to the least: what a class may read, every later one may read too."""
WIDEST_FIRST: tuple[Access, ...] = ACCESS[::-1]
"""From the class that reads most to the one that reads least."""
WIDEST: Access = ACCESS[-1]


def strictest(classes: Iterable[Access]) -> Access:
    """The least open of ``classes``; ``public`` when there are none."""
    return max(classes, key=ACCESS.index, default=ACCESS[0])


def readable(access: Access) -> tuple[Access, ...]:
    """The classes whose figures a reader of the class sees."""
    return ACCESS[: ACCESS.index(access) + 1]
