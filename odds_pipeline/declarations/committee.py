"""The committees of the observatory."""

from typing import Literal

Committee = Literal["technique", "pilotage"]
"""``technique`` meets every month, ``pilotage`` every half-year."""
