"""What a listing has to say beside its images, in sentences."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from penult.interface import at_command_line, command, option
from penult.records.failure import missing_message, unread_and_missing
from penult.wording import count, listed
from penult.written import SET_ASIDE

if TYPE_CHECKING:
    from penult.records import Failure, Features

__all__ = [
    "NOTES",
    "label_messages",
    "labels_apart_message",
    "left_out_message",
    "listing_messages",
    "listing_notes",
    "log_failures",
    "log_labels",
    "log_listing_messages",
    "log_without_result",
    "replaced_message",
    "unreadable_photos_hint",
]

NOTES = (
    "passed_over",
    "left_out",
    "split_folders",
    "without_label",
    "labels_apart",
    "without_images",
)
"""What `Listing.notes` has for scripts, and a feature file's origin as well."""

# What cameras write beside a JPEG, or in its place.
_RAW = frozenset(
    [".arw", ".cr2", ".cr3", ".crw", ".dng", ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".srw"]
)
_NAMED = 5
_ASIDE = f"{SET_ASIDE} in "
_FILE = "FILE.csv"
_OF_ONE = 3  # classes of one image each that may be meant so
_SINGULAR = {"files": "file", "copies": "copy"}


def listing_messages(notes: Mapping[str, Any]) -> list[str]:
    """Say which files were not taken for images, what folders named as splits are, and so on.

    Parameters
    ----------
    notes : mapping
        `Listing.notes`, or a feature file's origin, which holds them too.
    """
    without = listed(notes.get("without_images") or (), _NAMED)
    return [
        *([f"no images in {without}"] if without else []),
        *_passed_over_messages(notes.get("passed_over") or {}),
        *filter(None, [left_out_message(notes.get("left_out") or {})]),
        *_split_folder_messages(notes.get("split_folders") or (), notes.get("splits", "auto")),
        *_without_label_messages(notes.get("without_label") or {}),
        *filter(None, [labels_apart_message(notes.get("labels_apart") or {})]),
    ]


def listing_notes(origin: Mapping[str, Any]) -> dict[str, Any]:
    """What a feature file's origin notes of its listing; files of before note less."""
    return {name: origin[name] for name in NOTES if name in origin}


def log_listing_messages(notes: Mapping[str, Any]) -> None:
    """Log them, where nothing that is returned has room for them."""
    for line in listing_messages(notes):
        logging.getLogger("penult").warning("%s", line)


def label_messages(features: Features) -> list[str]:
    """Say which images have no label, and what looks as if no label was meant by it.

    Parameters
    ----------
    features : Features
        What an extraction gave; its origin says what was asked for.
    """
    asked, filled = features.origin.get("labels"), features.classes_with_rows
    names = len(features.label_names)
    rows, unlabelled = len(features), len(features) - features.labelled
    if asked == "none":
        return []
    if not names and features.origin.get("labels_apart"):
        return []  # there are labels: what to do is told where images are listed
    if not names:
        given = "" if at_command_line() else "labels=[…], one for each path of a list, or "
        pattern = option("label_pattern", r"(?P<label>.+)_\d+")
        return [
            f"no labels: put photos in one folder a class, or give {given}{option('labels', _FILE)}"
            f" (columns path and label), or {pattern} for file names"
        ]
    lines = []
    # The gaps of a pattern and of a table are told where images are listed.
    told = features.origin.get("label_pattern") or features.origin.get("without_label")
    if unlabelled and told is None:
        have = "has" if unlabelled == 1 else "have"
        lines.append(f"{unlabelled:,} of {count(rows, 'image')} {have} no label")
    empty = [name for name in features.label_names if name not in filled]
    if empty:
        have, are = ("has", "is not counted") if len(empty) == 1 else ("have", "are not counted")
        lines.append(f"{listed(empty, _NAMED)} {have} no row, and {are} as a class")
    if len(filled) > _OF_ONE and len(filled) == rows:
        lines.append(
            f"every image has a class of its own, {count(rows, 'class')} in all; of a table, "
            f"{option('label_column', 'NAME')} says which column holds the labels"
        )
    return lines


def log_labels(features: Features) -> None:
    """Log it once; a command prints that itself."""
    if at_command_line():
        return
    apart = labels_apart_message(features.origin.get("labels_apart") or {})
    for line in [*label_messages(features), *filter(None, [apart])]:
        logging.getLogger("penult").warning("%s", line)


def log_failures(failures: Sequence[Failure], *, total: int) -> None:
    """Log once how many images have no result, and which; a command prints that itself.

    Those that only a table of labels names are no images that could not be read.
    """
    unread, missing = unread_and_missing(failures)
    log_without_result(unread, total=total - len(missing))
    if missing and not at_command_line():
        logging.getLogger("penult").warning(
            "%s, and %s in .failures of what is returned: %s",
            missing_message(missing),
            "is" if len(missing) == 1 else "are",
            _first(missing),
        )


def log_without_result(
    failures: Sequence[Failure],
    *,
    total: int,
    noun: tuple[str, str] = ("image", "images"),
    verb: str = "read",
) -> None:
    """Do as `log_failures` of what is not read, but answered, say.

    Parameters
    ----------
    failures : sequence of Failure
    total : int
        With those that have a result.
    noun : pair of str
        What one of them is, and what several are.
    verb : str
        What they could not be.
    """
    if not failures or at_command_line():
        return
    logging.getLogger("penult").warning(
        "%s of %s could not be %s, and %s in .failures of what is returned: %s",
        f"{len(failures):,}",
        count(total, *noun),
        verb,
        "is" if len(failures) == 1 else "are",
        _first(failures),
    )


def _first(failures: Sequence[Failure]) -> str:
    named = "; ".join(failure.line for failure in failures[:_NAMED])
    return named + (f"; and {len(failures) - _NAMED:,} more" if len(failures) > _NAMED else "")


def replaced_message(places: Sequence[str]) -> str:
    """Say which images are left out, for a later one in the archive has the same name.

    Parameters
    ----------
    places : sequence of str
        Where they are; one place is there as often as an image in it is left out.
    """
    times = Counter(places)
    shown = (f"{place} ({n:,} times)" if n > 1 else place for place, n in times.items())
    named = ", ".join(islice(shown, _NAMED))
    more = f", and {len(times) - _NAMED:,} more" if len(times) > _NAMED else ""
    return (
        f"{count(len(places), 'image')} left out, for a later one of the same name is in the "
        f"archive, which tar would unpack in its place: {named}{more}"
    )


def labels_apart_message(apart: Mapping[str, int]) -> str:
    """Say how many label files are not next to their images; "" where there are none.

    Parameters
    ----------
    apart : mapping of str to int
        The name of a tar archive to how many there are in it.
    """
    if not apart:
        return ""
    files = sum(apart.values())
    named = ", ".join(list(apart)[:_NAMED])
    more = f" and {len(apart) - _NAMED:,} more" if len(apart) > _NAMED else ""
    does, were = ("does", "was") if files == 1 else ("do", "were")
    return (
        f"{count(files, 'label file')} of images in {named}{more} (same key) {does} not stand next "
        f"to them and {were} passed over; pack the folder anew, in the order of names: "
        f"tar --sort=name -cf FILE.tar -C FOLDER ."
    )


def unreadable_photos_hint(passed_over: Mapping[str, int]) -> str:
    """Say what to do with the photos among the files passed over; "" where there are none."""
    raw = sorted(_RAW & {kind for kind, files in passed_over.items() if files})
    if not raw:
        return ""
    return f"the raw photos in {' and '.join(raw)} are not read, save them as .jpg"


def _passed_over_messages(passed_over: Mapping[str, int]) -> list[str]:
    """Count the files whose names are not those of images."""
    if not passed_over:
        return []
    kinds = sorted(passed_over.items(), key=lambda item: (-item[1], item[0]))
    named = ", ".join(f"{files:,} {kind or 'without an extension'}" for kind, files in kinds)
    line = f"{count(sum(passed_over.values()), 'other file')} passed over: {named}"
    return ["; ".join(filter(None, [line, unreadable_photos_hint(passed_over)]))]


def left_out_message(left_out: Mapping[str, int]) -> str:
    """Count the files that penult itself wrote, or set aside; "" where there are none."""
    aside = {where: files for where, files in left_out.items() if where.startswith(_ASIDE)}
    written = sorted((where, files) for where, files in left_out.items() if where not in aside)
    lines = []
    if written:
        named = ", ".join(_of_ours(where, files) for where, files in written)
        lines.append(f"left out, for penult wrote them: {named}")
        if any(where.startswith("copies ") for where, _ in written):
            lines.append("copies are read where their folder is given by itself")
    if aside:
        named = ", ".join(
            f"{count(files, 'photo')} in {where.removeprefix(_ASIDE)}"
            for where, files in sorted(aside.items())
        )
        lines.append(
            f"left out, for penult only guessed their classes: {named}; move those that you know "
            "into the folders of their classes"
        )
    return "; ".join(lines)


def _of_ours(where: str, files: int) -> str:
    """``"1 file in report/"``, of ``"files in report/"``."""
    kind, _, folder = where.partition(" in ")
    return f"{count(files, _SINGULAR.get(kind, kind), kind)} in {folder}"


def _split_folder_messages(folders: Sequence[Mapping[str, Any]], asked: str) -> list[str]:
    """Say which folders named as splits are splits, which are classes, and what decides else."""
    lines = []
    splits = [one["folder"] for one in folders if one["split"]]
    classes = [one["folder"] for one in folders if not one["split"]]
    if splits:
        line = f"taken for a split: {_named(splits)}"
        if unlabelled := sum(one["unlabelled"] for one in folders):
            have = "has" if unlabelled == 1 else "have"
            line += f"; {count(unlabelled, 'image')} directly in such a folder {have} no label"
        lines.append(line + _option_hint("none", asked))
    if classes:
        line = f"taken for a class, not for a split: {_named(classes)}"
        if asked == "auto":
            line += "; images lie directly in it, beside other classes"
        lines.append(line + _option_hint("folders", asked))
    return lines


def _without_label_messages(without: Mapping[str, Any]) -> list[str]:
    """Name images to which a table gives no label, and say how they get one."""
    if not without:
        return []
    images, first = without["images"], without["first"]
    have = "has" if images == 1 else "have"
    more = f", and {images - len(first):,} more" if images > len(first) else ""
    line = (
        f"{images:,} of {count(without['of'], 'image')} {have} no label in {without['table']}: "
        f"{', '.join(first)}{more}"
    )
    lines = "a line" if images == 1 else "a line for each"
    inside = next((one for one in first if "/" in one), None)
    if inside is None:
        return [f"{line}; add {lines}, with path and label"]
    label = inside.split("/")[-2]
    return [
        f"{line}; add {lines}, such as {inside},{label}, or have {command('apply_labels')} "
        f"write the table again: {option('by_folder', True)} takes the labels that it lacks from "
        "the folders"
    ]


def _named(folders: Sequence[str]) -> str:
    """``test/, train/``, with no more names than fit a line."""
    more = len(folders) - _NAMED
    named = [f"{folder}/" for folder in folders[:_NAMED]]
    return ", ".join([*named, f"{more:,} more"] if more > 0 else named)


def _option_hint(other: str, asked: str) -> str:
    if asked == "auto":
        return f"; {option('splits', other)} decides otherwise"
    return f"; {option('splits', asked)}"
