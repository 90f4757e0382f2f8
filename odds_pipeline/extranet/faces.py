"""The faces of the publications for browsers: the letters that French pages need, of the same packages.

A face of 290 kB becomes one of 18. It is made when it is first asked for, in a fifth of a second.
"""

import io
from functools import cache
from pathlib import Path

import font_source_sans_pro
import font_source_serif_pro
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

FACES = {
    "texte.woff": (font_source_sans_pro, "SourceSansPro-Regular.ttf"),
    "texte-gras.woff": (font_source_sans_pro, "SourceSansPro-Semibold.ttf"),
    "titre.woff": (font_source_serif_pro, "SourceSerifPro-Semibold.ttf"),
}
CHARACTERS = (
    *range(0x20, 0x7F),
    *range(0xA0, 0x180),
    *range(0x2010, 0x2040),
    *(0x1D49, 0x02B3, 0x20AC, 0x2212, 0x2192, 0x2248, 0x25B2, 0x25B3, 0x25BC, 0x25BD),
)
"""Latin with its accents, dashes, quotes and thin spaces, and the marks of a situation."""
FEATURES = ["kern", "lnum", "tnum"]


def source(name: str) -> Path:
    """The file of the package that a face is made from."""
    package, file = FACES[name]
    return Path(str(package.__file__)).parent / "files" / file


@cache
def face(name: str) -> bytes:
    """A face as a browser reads it: the same bytes at each making."""
    font = TTFont(source(name), recalcTimestamp=False, lazy=True)
    options = Options()
    options.layout_features, options.hinting = FEATURES, False
    subset = Subsetter(options)
    subset.populate(unicodes=CHARACTERS)
    subset.subset(font)
    font.flavor = "woff"
    made = io.BytesIO()
    font.save(made)
    return made.getvalue()
