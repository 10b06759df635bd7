"""Which installed fonts can draw some names, and what stands for the names that none can."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from penult.messages import printable
from penult.wording import count, listed

__all__ = ["Drawable", "drawable"]

OWN = "DejaVu Sans"  # comes with matplotlib

# Of fonts that have a character, the first of these; they look well beside matplotlib's own.
PREFERRED = (
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Source Han Sans",
    "PingFang SC",
    "Hiragino Sans",
    "Apple SD Gothic Neo",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "WenQuanYi Micro Hei",
    "Noto Sans Devanagari",
    "Nirmala UI",
    "Noto Sans Thai",
    "Noto Sans Arabic",
    "Noto Emoji",
    "Arial Unicode MS",
)

# Boxes by design, for every character that there is; and pictures, of which no outline is drawn.
NO_FONTS = ("Last Resort", "Color Emoji")

# Scripts written from left to right whose letters change beside others, or change places.
SHAPED = ((0x0900, 0x0DFF), (0x0F00, 0x109F), (0x1780, 0x18AF))

INSTALL = {
    "CJK": "Noto Sans CJK",
    "HIRAGANA": "Noto Sans CJK",
    "KATAKANA": "Noto Sans CJK",
    "HANGUL": "Noto Sans CJK",
}


@dataclass(frozen=True)
class Drawable:
    """Names as they can be drawn.

    Attributes
    ----------
    names : of each name, itself, or ``#`` and its place from 1 on, with what of it can be drawn
    families : the fonts, for matplotlib
    undrawn : the names that a number stands for
    remedy : what to install, so that they are drawn
    """

    names: tuple[str, ...]
    families: tuple[str, ...]
    undrawn: tuple[str, ...]
    remedy: str

    def message(self, figure: str) -> str:
        """One line of what is missing in a figure, and what to do; "" where nothing is."""
        if not self.undrawn:
            return ""
        return (
            f"{figure} has numbers in place of {count(len(self.undrawn), 'name')} "
            f"({listed(self.undrawn, 3)}) that no installed font can draw; {self.remedy}"
        )


def drawable(names: Sequence[str]) -> Drawable:
    """Choose fonts for some names: matplotlib's own, and where it lacks a glyph, any installed."""
    from matplotlib import ft2font

    shown = [printable(name).strip() or "(no name)" for name in names]
    wanted = {c for name in shown for c in name if not _is_invisible(c)}
    shapes = hasattr(ft2font, "__libraqm_version__")  # matplotlib 3.11 and later
    unshaped = set() if shapes else {c for c in wanted if _is_shaped(c)}
    families, missing = _families(wanted - unshaped)
    lacking = missing | unshaped
    result = [
        name if lacking.isdisjoint(name) else _stand_in(name, place, lacking)
        for place, name in enumerate(shown, 1)
    ]
    return Drawable(
        names=tuple(result),
        families=tuple(families),
        undrawn=tuple(name for name in shown if not lacking.isdisjoint(name)),
        remedy=_remedy(missing, unshaped),
    )


def _families(characters: set[str]) -> tuple[list[str], set[str]]:
    """Fonts that together have these characters, and those that none has."""
    from matplotlib import font_manager

    families, missing = [OWN], characters - _characters(font_manager.findfont(OWN))
    for font in _installed() if missing else ():
        if found := missing & _characters(font.fname):
            families.append(font.name)
            missing = missing - found
        if not missing:
            break
    return families, missing


def _installed() -> Iterator[Any]:
    """Fonts that may be used: the preferred ones first, those new to matplotlib last."""
    from matplotlib import font_manager

    known = font_manager.fontManager.ttflist
    yield from sorted(known, key=_rank)
    # Its list is of the day on which it was first used.
    files = {font.fname for font in known}
    for path in sorted(set(font_manager.findSystemFonts()) - files):
        before = len(known)
        try:
            font_manager.fontManager.addfont(path)
        except (OSError, RuntimeError):  # no font that FreeType reads
            continue
        yield from sorted(known[before:], key=_rank)


def _rank(font: Any) -> tuple[int, bool, str, str]:
    place = PREFERRED.index(font.name) if font.name in PREFERRED else len(PREFERRED)
    regular = font.style == "normal" and font.weight in (400, "normal", "regular")
    return place, not regular, font.name, font.fname


def _characters(path: str) -> set[str]:
    """The characters whose outlines a font has; those of bitmaps in colour cannot be drawn."""
    from matplotlib import ft2font

    try:
        font = ft2font.FT2Font(path)
    except (OSError, RuntimeError):
        return set()
    if any(part in font.family_name for part in NO_FONTS) or not font.scalable:
        return set()
    return {chr(code) for code in font.get_charmap()}


def _stand_in(name: str, place: int, lacking: set[str]) -> str:
    rest = "".join(" " if c in lacking else c for c in name if not _is_invisible(c))
    rest = " ".join(rest.split())
    return f"#{place} {rest}" if any(c.isalnum() for c in rest) else f"#{place}"


def _is_invisible(character: str) -> bool:
    """Joiners and selectors, which say how others are drawn."""
    return unicodedata.category(character) == "Cf" or 0xFE00 <= ord(character) <= 0xFE0F


def _is_shaped(character: str) -> bool:
    if unicodedata.bidirectional(character) in ("R", "AL"):
        return True
    return any(low <= ord(character) <= high for low, high in SHAPED)


def _remedy(missing: Iterable[str], unshaped: Iterable[str]) -> str:
    fonts = sorted({_font_for(character) for character in missing})
    named = " and ".join(filter(None, [", ".join(fonts[:-1]), *fonts[-1:]]))
    steps = [f"install the {'font' if len(fonts) == 1 else 'fonts'} {named}"] * bool(fonts)
    if any(unshaped):
        steps.append("pip install 'matplotlib>=3.11', which joins and orders their letters")
    return ", and ".join(steps)


def _font_for(character: str) -> str:
    code = ord(character)
    if 0x1F000 <= code < 0x20000 or 0x2600 <= code < 0x2800:
        return "Noto Emoji"
    script = unicodedata.name(character, "Symbols").split()[0]
    return INSTALL.get(script, f"Noto Sans {script.title()}")
