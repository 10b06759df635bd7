"""What to type next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from penult.interface import as_argument, shell_quote
from penult.records import Duplicates
from penult.reporting.duplicate_sections.content import DuplicatesContent
from penult.web.section import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["NEXT_STEPS"]


def _content(shown: DuplicatesContent, thumbnails: Thumbnails) -> Mapping[str, Any]:
    return {"steps": list(_steps(shown))}


def _steps(shown: DuplicatesContent) -> Iterator[tuple[str, str]]:
    found = shown.duplicates
    typed = f"penult duplicates {shell_quote(as_argument(shown.file))}"
    at = f" --threshold {found.threshold:g}"
    yield (
        "This page again, with the threshold that suits these photos:",
        f"{typed}{at} -o {shell_quote(shown.page)} --overwrite",
    )
    if found.groups:
        yield (
            "A list of the photos that may go, all but the kept one of each group, and none of "
            "groups with different labels; nothing is deleted:",
            f"{typed}{at} --write-list drop.txt",
        )
    if found.leaks is None and found.groups:
        yield (
            "Which of them are in different parts, and how far that flatters the accuracy:",
            f"{typed}{at} --across-splits",
        )
    elif found.across_splits and found.repaired is None:
        yield (
            "The same rows with a split in which no group is in several parts:",
            f"{typed}{at} --repair repaired.h5",
        )
    if found.repaired is not None and found.repaired.path.endswith((".h5", ".hdf5")):
        repaired = shell_quote(as_argument(found.repaired.path))
        classifier = shell_quote(str(Path(found.repaired.path).with_suffix(".skops")))
        yield (
            "A classifier trained and scored on parts without near-duplicates between them:",
            f"penult train {repaired} -o {classifier}",
        )
    elif found.groups and not _has_splits(found):
        yield (
            "A classifier whose training and held-out photos have no near-duplicates between them:",
            f"penult train {shell_quote(as_argument(shown.file))} -o rows.skops --near-duplicates "
            f"{found.threshold:g}",
        )


def _has_splits(found: Duplicates) -> bool:
    """Whether the file has splits of its own, of which training would only leave images out."""
    if found.leaks is not None:
        return not found.leaks.drawn
    return any(part for group in found.groups for part in group.splits)


NEXT_STEPS = Section[DuplicatesContent](
    name="next", title="What to type next", content=_content, tab="Next"
)
