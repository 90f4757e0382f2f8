"""How much reception opens, so that a file made to harm, or made carelessly, ends in a sentence."""

SECONDS = 900
"""Longest reading of a file with all that is in it: 2.8 million establishments take some 100."""

MAX_BYTES = 512 * 1024 * 1024
"""Largest file opened, compressed or not: the largest real delivery known is some 60 MB."""

MAX_CELLS = 50_000_000
"""Most cells of one table: 2.8 million establishments of 17 columns."""

MAX_MEMORY = 3 * 1024**3
"""Most bytes that a text and its cells may take; one that comes again is kept once."""

MAX_FIGURES = 5_000_000
"""Most figures read of one table, of 1.2 kB and 12 microseconds each: the fullest known has 630,000."""

MAX_MEMBERS = 1000
"""Most files of an archive: those of producers have one to a dozen."""

SWOLLEN_BYTES, SWOLLEN_TIMES = 64 * 1024 * 1024, 200
"""A member this large that swells this many times is no table: those shrink 30 times at most."""

MAX_CELL = 128 * 1024
"""Longest cell of a text, in characters: longer, a quote was left open or the file is not a table."""

WORKBOOK_SECONDS = 120
"""Longest reading of a workbook: a full sheet of Excel (1,048,576 rows of 20 cells) takes some 20 s."""

WORKBOOK_MEMORY = 6 * 1024**3
"""Most memory that reading a workbook may ask for, in bytes."""

CUT_AT = (65_536, 1_048_576)
"""Rows of a full sheet of Excel, before and since 2007: a table that ends there was cut there."""
