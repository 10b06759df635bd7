"""Duplicates as a terminal shows them: groups, thresholds, pairs between parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from penult.cli.console import Table, say
from penult.wording import count, listed, percent

if TYPE_CHECKING:
    from penult.records import (
        DuplicateGroup,
        DuplicatePair,
        Duplicates,
        RepairedSplit,
        SplitLeaks,
    )

__all__ = ["show"]

_GROUPS, _OTHERS, _PAIRS = 15, 2, 10
_LARGE, _FEW = 0.05, 10  # of the images, and images: a group of more is worth a word


def show(found: Duplicates) -> None:
    """Print what was found: the largest groups and the nearest pairs, and how many more."""
    _groups(found.groups)
    _thresholds(found)
    _suspects(found)
    if found.leaks is not None:
        _across(found, found.leaks)
    if found.repaired is not None:
        say(_repaired(found.repaired))
    _summary(found)


def _groups(groups: Sequence[DuplicateGroup]) -> None:
    if not groups:
        return
    table = Table(("keep", "others", "weakest link"), right=("weakest link",), alike=True)
    for group in groups[:_GROUPS]:
        weakest = "identical" if group.exact else _cosine(group.weakest)
        table.add_row(group.keep, listed(group.removable, _OTHERS), weakest)
    table.show()
    if len(groups) > _GROUPS:
        say(f"and {count(len(groups) - _GROUPS, 'more group', 'more groups')}")
    chains = [group.links[0] for group in groups if len(group) > 2 and not group.exact]
    if chains:
        say("groups of more than two hold together by these, their weakest links:")
        _pairs(chains, len(chains), None)


def _thresholds(found: Duplicates) -> None:
    table = Table(
        ("threshold", "pairs", "groups", "images in them"),
        right=("threshold", "pairs", "groups", "images in them"),
    )
    for one in found.counts:
        mark = "" if one.threshold != found.threshold else "* "
        table.add_row(
            f"{mark}{one.threshold:g}", f"{one.pairs:,}", f"{one.groups:,}", f"{one.images:,}"
        )
    table.show()
    if found.least > min(0.9, found.threshold):
        say(f"below {found.least:g} there are too many pairs to count them")


def _suspects(found: Duplicates) -> None:
    if not found.suspects_total:
        return
    pairs = count(found.suspects_total, "pair")
    say(f"{pairs} of different labels, one of which is likely wrong:")
    _pairs(found.suspects, found.suspects_total, "labels")


def _across(found: Duplicates, leaks: SplitLeaks) -> None:
    parts = ", ".join(f"{images:,} {part}" for part, images in leaks.parts.items())
    say(f"parts, {leaks.description}: {parts}")
    if not found.across_total:
        say("no near-duplicates are in different parts")
        return
    are = "is" if found.across_total == 1 else "are"
    say(f"{count(found.across_total, 'pair')} {are} in different parts:")
    _pairs(found.across_splits, found.across_total, "splits")
    if leaks.not_trained_on:
        are = "is" if leaks.not_trained_on == 1 else "are"
        say(
            f"{count(leaks.not_trained_on, 'image')} of these {are} not trained on: images "
            "identical to held-out ones are left out of training"
        )
    say(_flattery(leaks))


def _flattery(leaks: SplitLeaks) -> str:
    if not leaks.held_out:
        return f"what that does to the scores is not known: {leaks.why}"
    of = f"{leaks.near:,} of {count(leaks.held_out, 'held-out image')}"
    have = "has" if leaks.near == 1 else "have"
    line = f"{of} {have} a near-duplicate among those that train"
    if leaks.all_images is None or leaks.without is None:
        return f"{line}; {leaks.why}" if leaks.why else line
    return (
        f"{line}: {leaks.score} {percent(leaks.all_images)}, without them {percent(leaks.without)}"
    )


def _repaired(repaired: RepairedSplit) -> str:
    parts = ", ".join(
        f"{part} {repaired.before.get(part, 0):,} to {images:,}"
        if images != repaired.before.get(part, 0)
        else f"{part} {images:,} as before"
        for part, images in repaired.after.items()
    )
    return (
        f"repaired: {count(repaired.moved, 'image')} moved to another part; {parts}; shares of "
        f"classes changed by {100 * repaired.share_off:.2g} points at most"
    )


def _summary(found: Duplicates) -> None:
    compared = f"{count(found.rows, 'image')} compared"
    if found.zeros:
        zeros = count(len(found.zeros), "row is all zeros", "rows are all zeros")
        say(
            f"{zeros} and without a cosine: {listed(found.zeros, 3)}; of these, only copies of the "
            "file are found"
        )
    if not found.groups:
        near = f"near-duplicates from a cosine of {found.threshold:g} up"
        say(f"{compared}: no copies, and no {near}")
        return
    largest = found.groups[0]
    if len(largest) > max(_LARGE * found.rows, _FEW) and not largest.exact:
        say(
            f"the largest group has {len(largest):,} of {count(found.rows, 'image')}, down to a "
            f"cosine of {_cosine(largest.weakest)}: these may be alike, and no copies; try a "
            "higher --threshold"
        )
    sets = count(found.identical, "set of identical files", "sets of identical files")
    same = f", {sets} among them" if found.identical else ""
    contested = sum(group.contested for group in found.groups)
    are = "is" if contested == 1 else "are"
    labels = (
        f"; {count(contested, 'group')} of different labels {are} left out" if contested else ""
    )
    say(
        f"{compared}, from a cosine of {found.threshold:g} up: {count(found.pairs, 'pair')} in "
        f"{count(len(found.groups), 'group')} of {count(found.images, 'image')}{same}; "
        f"{count(len(found.removable), 'image')} may go{labels}"
    )


def _pairs(
    pairs: Sequence[DuplicatePair], total: int, beside: Literal["labels", "splits"] | None
) -> None:
    """Show some pairs, each image with its label or its part beside it."""
    table = Table(("image", "and", "cosine"), right=("cosine",), alike=True)
    for pair in pairs[:_PAIRS]:
        names = [pair.first, pair.second]
        if beside is not None:
            told = getattr(pair, beside)
            names = [f"{name} ({one})" for name, one in zip(names, told, strict=True)]
        table.add_row(*names, _like(pair))
    table.show()
    if total > _PAIRS:
        say(f"and {count(total - _PAIRS, 'more pair', 'more pairs')}")


def _like(pair: DuplicatePair) -> str:
    return "identical" if pair.exact else _cosine(pair.cosine)


def _cosine(value: float) -> str:
    """Digits enough to see the threshold; 1 only where rows are equal."""
    return "1" if value == 1 else f"{min(value, 0.9999):.4f}"
