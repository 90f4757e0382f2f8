"""How often Python looks for objects that only refer to each other: seldom, for what a command makes.

Declarations and Dagster's definitions are half a million objects that live as long as their process.
Looking through them as often as Python does by default was 3.3 of the 30 seconds of a month.
"""

import atexit
import gc

NEW_OBJECTS = 200_000
"""Objects made between two looks at the youngest; Python's own setting is 700."""


def look_seldom() -> None:
    """Set it for this process; at its end nothing is looked through any more."""
    gc.set_threshold(NEW_OBJECTS, 10, 20)
    atexit.register(gc.freeze)
