"""Labels put right: a reviewed list, or corrected labels, applied to all labels, as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from penult.checking import checked
from penult.errors import SourceError, UnknownNameError, UsageError, WrongFileError
from penult.features.places import is_feature_file
from penult.features.read import one_set
from penult.images.labels.label_table import label_table
from penult.images.labels.labels_of_ids import is_reviewed_list, labels_of_ids
from penult.images.labels.manifest_rows import unique_labels
from penult.images.labels.reviewed_list import ReviewedLabel, read_reviewed
from penult.images.labels.unread import labels_of_unread
from penult.interface import command, option
from penult.messages import escape_formula
from penult.output import atomic_output, check_output
from penult.records import Features
from penult.representation import short_repr
from penult.spelling import in_other_case, likely_meant
from penult.suffixes import LABEL_TABLE
from penult.tabular import text_columns
from penult.texts import composed

__all__ = ["AppliedLabels", "apply_labels"]

_MUCH_RARER = 10  # times


@short_repr
@dataclass(frozen=True, kw_only=True)
class AppliedLabels:
    """A table of labels that was written.

    Attributes
    ----------
    output : Path
        The file.
    images : int
        How many it names.
    corrected : mapping of str to str
        Id to the label that is there now, of the images that had another one.
    already : int
        Images of the list that had the label already.
    by_folder : mapping of str to str
        Id to the label taken from the folder, of the images that had none.
    unknown_folders : tuple of str
        With `by_folder`, folders of images that are left without a label, as no other image has
        the folder's name as its label; sorted.
    new_classes : tuple of str
        Labels that no image had, and that some have now; sorted.
    removed : tuple of str
        Ids of the images that a table of labels names without one, so that they have none.
    cleared : tuple of str
        Those of them that had a label.
    missing : tuple of str
        What a table of labels names and is not there: photos that were deleted or moved.
    meant : mapping of str to str
        Of those that differ from the id of an image in capitals alone, that id.
    unread : tuple of str
        Ids of the images that are in the table although they could not be read.
    unlabelled : tuple of str
        Ids of the images that are in the table without a label.
    """

    output: Path
    images: int
    corrected: Mapping[str, str]
    already: int
    by_folder: Mapping[str, str] = field(default_factory=dict)
    unknown_folders: tuple[str, ...] = ()
    new_classes: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    meant: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    unlabelled: tuple[str, ...] = ()


@checked
def apply_labels(
    reviewed: str | Path,
    features: Features | str | Path,
    output: str | Path,
    *,
    allow_new: bool = False,
    by_folder: bool = False,
    path_column: str | None = None,
    label_column: str | None = None,
    overwrite: bool = False,
) -> AppliedLabels:
    """Write a table of all labels in which those of a reviewed list are put right.

    In place of such a list, a table of labels that were corrected will do, as ``penult serve``
    gives it: what it names has the label that stands there, and what it leaves out keeps its own.

    Neither photos nor features are changed: the table is what ``labels`` of `penult.extract` and
    `penult.report` takes, and has their splits and groups as well. Images that could not be read,
    and so have no row, are in it with the label of their folder, file name or table, so that it is
    not lost when they are mended. See docs/report.md.

    Parameters
    ----------
    reviewed : path
        The list: ``label_errors.csv`` of a report without the lines whose label is right, or what
        the report's page saves. Of each line, the label in the column ``suggested`` is taken;
        several are separated by ``|``. Or a table of labels, read as `labels` of `penult.extract`
        is (``path``, ``label``, or other usual names of these, and no ``suggested``), of which an
        empty label says that the image has none.
    features : Features or path
        The feature file that the report was made of, with the labels as they are; the rows are not
        read. With a table of labels, the rows of the photos as they are now.
    output : path
        The table to write (``.csv``), whole or not at all: ``path``, ``label``, and ``split`` and
        ``group`` where the features have them.
    allow_new : bool, default=False
        Take labels that no image has yet, with `by_folder` the folders' as well. Those of a table
        of labels are taken as new classes, but for one that is spelled almost like a label that
        images have, or like one that the table gives ten times as many images.
    by_folder : bool, default=False
        Give images without a label that of the folder that they lie in, if some image has that
        label, or with `allow_new`: those that were added after the table was written that the
        features have their labels from. One that a table of labels names without a label is left
        without.
    path_column, label_column : str, optional
        The columns of a table of labels that name the images and their labels, where they are none
        of the usual ones, or there are several. With one of them, `reviewed` is such a table.
    overwrite : bool, default=False
        Replace `output` if it exists.

    Returns
    -------
    AppliedLabels
        What is in the table.

    Raises
    ------
    SourceError
        If the list cannot be read, names an image that is not there, gives one two labels, or was
        made when an image had another label; names the line.
    UnknownNameError
        If it suggests a label that no image has, or a table has one that is likely misspelled.
    UsageError
        If an image cannot be named in a table, or its label cannot stand there; or if several
        columns may be meant, or one that was named is not there.
    PathNotFoundError, FeatureFileError, WrongFileError
        If the list or the features cannot be read, or each was given in place of the other.
    OutputExistsError, OutputError
        If `output` cannot be written.
    """
    file, target = Path(reviewed), Path(output)
    inputs = [file] if isinstance(features, Features) else [file, Path(features)]
    check_output(target, overwrite=overwrite, inputs=inputs, output=LABEL_TABLE)
    if is_feature_file(reviewed):
        is_path = isinstance(features, str | Path) and not is_feature_file(features)
        first = str(features) if is_path else "TABLE"
        right = command("apply_labels", first, str(file), output=str(target))
        raise WrongFileError(
            f"{file} is a feature file, not a table of labels; give the table first, and then the "
            f"feature file: {right}"
        )
    is_table = path_column is not None or label_column is not None
    lines = None if is_table or not is_reviewed_list(file) else read_reviewed(file)
    features = one_set(features, None)
    columns = text_columns(features)
    labels = dict(zip(map(str, columns["id"]), columns["label"], strict=True))
    known = [str(name) for name in features.label_names]
    if several := [name for name in known if "|" in name]:
        raise UsageError(
            f"a table of labels cannot say that images are labelled {several[0]!r}: it would be "
            "read as several labels; rename the class"
        )
    wanted: Mapping[str, str | None]
    missing: tuple[str, ...] = ()
    meant: Mapping[str, str] = {}
    if lines is None:
        stated = labels_of_ids(file, labels, path_column, label_column)
        wanted, missing, meant = stated.labels, stated.missing, stated.meant
        if not allow_new:
            _refuse_misspelled(file, wanted, known)
    else:
        wanted = _wanted(file, lines, labels, known, allow_new=allow_new)
    corrected = {image: new for image, new in wanted.items() if new and new != labels[image]}
    removed = tuple(image for image, new in wanted.items() if new is None)
    folders = _folders(labels, wanted) if by_folder else {}
    given = {*known, *_names(wanted)}
    filled = {one: folder for one, folder in folders.items() if allow_new or folder in given}
    new_classes = _names({**filled, **wanted}).difference(known)
    columns["label"] = list({**labels, **filled, **wanted}.values())
    unread = _add_unread(columns, features, {*known, *new_classes})
    table = label_table(columns, str(target))
    with atomic_output(target, overwrite=overwrite) as temporary:
        temporary.write_bytes(table)
    return AppliedLabels(
        output=target,
        images=len(columns["id"]),
        corrected=corrected,
        already=len(wanted) - len(corrected) - len(removed),
        by_folder=filled,
        unknown_folders=tuple(sorted({*folders.values()}.difference(filled.values()))),
        new_classes=tuple(sorted(new_classes)),
        removed=removed,
        cleared=tuple(image for image in removed if labels[image] is not None),
        missing=missing,
        meant=meant,
        unread=unread,
        unlabelled=tuple(
            str(one)
            for one, label in zip(columns["id"], columns["label"], strict=True)
            if label is None
        ),
    )


def _names(labels: Mapping[str, str | None]) -> set[str]:
    return {name for one in labels.values() if one for name in one.split("|")}


def _refuse_misspelled(file: Path, wanted: Mapping[str, str | None], known: Sequence[str]) -> None:
    """Refuse a label that is spelled almost like a known one, or a common one of the same table.

    Others are new classes.
    """
    images = Counter(name for one in wanted.values() if one for name in one.split("|"))
    new = sorted(set(images).difference(known))
    # Of two new ones, one that is much rarer is misspelled, and not a class of its own.
    may_be_meant = {
        rare: [*known, *(one for one in new if images[one] >= _MUCH_RARER * rare)]
        for rare in {images[name] for name in new}
    }
    for name in new:
        meant = likely_meant(name, may_be_meant[images[name]])
        if meant is not None:
            image = next(one for one, label in wanted.items() if name in (label or "").split("|"))
            hint = f"{option('allow_new', True)} takes it as a new class"
            kind = f"label of {image} in {file}"
            raise UnknownNameError(kind, name, known, hint=hint, meant=[meant])


def _folders(labels: Mapping[str, str | None], given: Mapping[str, str | None]) -> dict[str, str]:
    """The folders of those that have no label, and are given none."""
    return {
        image: composed(image.split("/")[-2])
        for image, label in labels.items()
        if label is None and image not in given and "/" in image
    }


def _add_unread(
    columns: dict[str, list[str | None]], features: Features, known: set[str]
) -> tuple[str, ...]:
    """Add the images that could not be read to the columns of the table, and return their ids."""
    found = labels_of_unread((one.id for one in features.failures), features.origin)
    added = []
    for image, annotation in found.items():
        names = sorted(map(composed, annotation.labels))
        if known.issuperset(names) and image not in columns["id"]:
            cells = {
                "id": image,
                "label": "|".join(names),
                "split": annotation.split,
                "group": annotation.group,
            }
            for name, column in columns.items():
                column.append(cells[name])
            added.append(image)
    return tuple(added)


def _wanted(
    file: Path,
    lines: Sequence[ReviewedLabel],
    labels: Mapping[str, str | None],
    known: Sequence[str],
    *,
    allow_new: bool,
) -> dict[str, str]:
    """Find the label that each image of the list is to have, as the list says.

    Parameters
    ----------
    labels : id to the label that the image has now
    known : every label that some image has
    allow_new : whether others may be given
    """
    wanted: dict[str, str] = {}
    of_line: dict[str, int] = {}
    for one in lines:
        place = f"{file}, line {one.line}"
        image = next((text for text in _meant(one.id) if text in labels), None)
        if image is None:
            near = in_other_case([one.id.strip()], labels).get(one.id.strip())
            said = (
                f"did you mean {near}? Capitals count"
                if near
                else (f"their ids are e.g. {next(iter(labels), '')!r}")
            )
            raise SourceError(f"{place}: there is no image {one.id!r} among these rows; {said}")
        new = _label(one.suggested, known)
        for name in () if allow_new or new in known else new.split("|"):
            if name not in known:
                hint = f"{option('allow_new', True)} takes it all the same"
                raise UnknownNameError(f"label in {place}", name, known, hint=hint)
        now = labels[image]
        if now not in (_label(one.label, [now or ""]) or None, new):
            raise SourceError(
                f"{place}: the list says that {image} is labelled {one.label!r}, but it is "
                f"labelled {now!r} now; make the report again for a list of the labels as they are"
            )
        if wanted.setdefault(image, new) != new:
            raise SourceError(
                f"{place}: {image} is to be {new!r}, but line {of_line[image]} says "
                f"{wanted[image]!r}"
            )
        of_line.setdefault(image, one.line)
    return wanted


def _meant(cell: str) -> tuple[str, ...]:
    """What a cell may stand for: itself, or a name that `escape_formula` has put out of use."""
    texts = (cell, cell.strip())
    unguarded = (text[1:] for text in texts if text[:1] == "'")
    return *texts, *(text for text in unguarded if escape_formula(text) != text)


def _label(cell: str, known: Sequence[str]) -> str:
    """A cell as the label, or the labels, that it stands for: as `text_columns` writes them."""
    forms = [
        "|".join(sorted(map(composed, unique_labels(text.split("|"))))) for text in _meant(cell)
    ]
    return next((text for text in forms if text in known), forms[0])
