"""The sentences in which answers are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penult.wording import listed, percent

if TYPE_CHECKING:
    from penult.client.answers import Classified, FoundHit

__all__ = ["class_lines", "cut", "hit_line", "hit_lines", "in_short", "label_of"]

_OTHERS = 3
_ID_SHOWN = 60


def cut(text: str, longest: int) -> str:
    """Leave out the end of what is too long.

    Examples
    --------
    >>> cut("dandelion", 6), cut("rose", 6)
    ('dande…', 'rose')
    """
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def label_of(hit: FoundHit) -> str | None:
    """The label of a picture; several are listed."""
    return hit.label if hit.label is not None else listed(hit.labels) if hit.labels else None


def in_short(found: Classified | None) -> str:
    """Say of what class a photo is, in a few words."""
    if found is None or found.label is None:
        return "no class"
    name = listed(found.labels) if found.labels else found.label
    if found.probability is None or (found.labels and len(found.labels) > 1):
        return name
    of_votes = " of the nearest pictures" if found.model.kind == "gallery" else ""
    return f"{name}, {percent(found.probability)}{of_votes}"


def class_lines(found: Classified) -> list[str]:
    """Say of what class a photo is, what else it may be, and whether that can be trusted."""
    lines = [in_short(found)]
    shown = {found.label, *(found.labels or ())}
    others = [one for one in found.top if one.label not in shown and one.probability >= 0.001]
    if others:
        may = [f"{one.label} {percent(one.probability)}" for one in others[:_OTHERS]]
        lines.append(f"Or: {', '.join(may)}")
    if found.unlike:
        lines.append("The photo is unlike all that I know, so this may well be wrong.")
    return lines


def hit_line(number: int, hit: FoundHit) -> str:
    """Name a picture that was found: its number, its label or else its id, and how near it is."""
    name = label_of(hit) or cut(hit.id, _ID_SHOWN)
    if hit.similarity is not None:
        return f"{number}. {name}, similarity {hit.similarity:.3f}"
    return f"{number}. {name}" + (f", distance {hit.distance:.3g}" if hit.distance else "")


def hit_lines(hits: tuple[FoundHit, ...], first: int) -> list[str]:
    """Name pictures that were found, the first of which has the number `first`."""
    return [hit_line(first + place, hit) for place, hit in enumerate(hits)]
