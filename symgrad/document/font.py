"""The font of the mathematics: STIX Two Math (SIL Open Font License), cut down to the glyphs that a page uses, as text for its style.

The font comes in the wheel of ziamath, fontTools cuts it; both are in the extra ``docs``.  The cut font keeps its tables for mathematics,
with the larger forms of every bracket and sign, and its notices.
"""

from __future__ import annotations

import base64
import importlib.util
import io
from collections.abc import Set
from pathlib import Path

FEATURES = ("ssty", "dtls", "flac")  # forms for scripts, dotless letters below accents, flat accents
NOTICES = (0, 1, 2, 5, 7, 13, 14)


def available() -> Path | None:
    """The font's file, if it is installed with something that can cut it."""
    if importlib.util.find_spec("fontTools") is None:
        return None
    found = importlib.util.find_spec("ziamath")
    path = Path(found.origin).parent / "fonts" / "STIXTwoMath-Regular.ttf" if found and found.origin else None
    return path if path and path.is_file() else None


def font_face(characters: Set[str]) -> str:
    """An ``@font-face`` with the glyphs of these characters inlined; empty where the font or fontTools is missing."""
    path = available()
    if path is None:
        return ""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    options = Options(
        layout_features=[*FEATURES], hinting=False, notdef_outline=True, name_IDs=[*NOTICES], glyph_names=False,
        drop_tables=["DSIG", "GPOS", "GDEF", "FFTM"], recalc_timestamp=False,
    )  # fmt: skip
    out = io.BytesIO()
    with TTFont(path, lazy=True, recalcTimestamp=False) as font:
        cutter = Subsetter(options)
        cutter.populate(unicodes=sorted(map(ord, characters)))
        cutter.subset(font)
        font.flavor = "woff"
        font.save(out, reorderTables=None)
    encoded = base64.b64encode(out.getvalue()).decode("ascii")
    return f'@font-face{{font-family:"STIX Two Math Cut";src:url(data:font/woff;base64,{encoded}) format("woff")}}\n'
