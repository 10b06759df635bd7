"""What to type next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from penult.interface import shell_quote
from penult.reporting.duplicate_sections.content import DuplicatesContent
from penult.web.section import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["NEXT_STEPS"]


def _content(shown: DuplicatesContent, thumbnails: Thumbnails) -> Mapping[str, Any]:
    return {"steps": list(_steps(shown))}


def _steps(shown: DuplicatesContent) -> Iterator[tuple[str, str]]:
    found = shown.duplicates
    typed = f"penult duplicates {shell_quote(shown.file)}"
    at = f" --threshold {found.threshold:g}"
    yield (
        "This page again, with the threshold that suits these photos:",
        f"{typed}{at} -o {shell_quote(shown.page)} --overwrite",
    )
    if found.groups:
        yield (
            "A list of the photos that may go, all but the kept one of each group; nothing is "
            "deleted:",
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
    if found.groups:
        yield (
            "A classifier whose training and held-out photos have no near-duplicates between them:",
            f"penult train {shell_quote(shown.file)} -o rows.skops --near-duplicates "
            f"{found.threshold:g}",
        )


NEXT_STEPS = Section[DuplicatesContent](
    name="next", title="What to type next", content=_content, tab="Next"
)
