"""Labels from a CSV file that names images by their paths."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable
from pathlib import Path

from penult.errors import SourceError
from penult.images.labels.annotations import Annotation, ImageEntry
from penult.images.labels.manifest_rows import ManifestRow, csv_rows
from penult.records import Failure
from penult.records.failure import MISSING
from penult.spelling import in_other_case
from penult.texts import composed

__all__ = ["LabelFile"]


class LabelFile:
    """Labels by path: columns ``path`` and ``label``, if need be ``split`` and ``group``.

    Other usual names are known as well; see `penult.images.labels.columns`.

    A path is an image's id (relative to the source folder), or relative to the file's own folder,
    or absolute; in whichever Unicode form, where that is clear. Several labels are separated by
    ``|``. An image that the file does not name has no label.

    Parameters
    ----------
    file : Path
        Comma-, semicolon- or tab-separated, UTF-8 with or without a byte order mark.
    path_column, label_column : str, optional
        Which columns are meant, if not the usual ones.

    Raises
    ------
    SourceError
        If it cannot be read, lacks a column, or contradicts itself; names the line.
    """

    def __init__(
        self, file: Path, path_column: str | None = None, label_column: str | None = None
    ) -> None:
        self.file = file
        self._rows: dict[str, ManifestRow] = {}
        self._matched: set[int] = set()
        # A line, and the image that it names in another Unicode form.
        self._matched_by_form: dict[int, str] = {}
        rows = csv_rows(
            str(file),
            lambda: file.open("rb"),
            path=path_column,
            label=label_column or "",
            needs_label=True,
        )
        for row in rows:
            for key in _keys(row.path):
                self._refuse_contradiction(self._rows.setdefault(key, row), row)
        self._by_file = {
            os.path.normpath(file.absolute().parent / key): row for key, row in self._rows.items()
        }
        self._by_form: dict[str, ManifestRow] = {}
        for key, row in (*self._rows.items(), *self._by_file.items()):
            if not key.isascii():
                self._by_form.setdefault(composed(key), row)

    def __call__(self, entry: ImageEntry) -> Annotation:
        """Annotate an image as the file says; its split defaults to that of its folder."""
        return self.find(entry) or Annotation(split=entry.split, group=entry.group)

    def find(self, entry: ImageEntry) -> Annotation | None:
        """Annotate an image that the file names; None of one that it does not."""
        by_id = self._rows.get(entry.id)
        row = by_id
        if entry.path is not None:
            row = self._by_file.get(os.path.abspath(entry.path), by_id)  # noqa: PTH100 - no links
        if row is None:
            row = self._in_another_form(entry)
        elif row.line in self._matched_by_form:
            raise self._ambiguous(row, entry.id)
        if row is None:
            return None
        if by_id is not None:
            self._refuse_contradiction(by_id, row)
            self._matched.add(by_id.line)
        self._matched.add(row.line)
        return Annotation(row.labels or (), row.split or entry.split, row.group or entry.group)

    def _in_another_form(self, entry: ImageEntry) -> ManifestRow | None:
        places = (entry.id, os.path.abspath(entry.path or ""))  # noqa: PTH100 - no links
        rows = [self._by_form.get(composed(place)) for place in places if not place.isascii()]
        row = next(filter(None, rows), None)
        if row is not None:
            if row.line in self._matched or row.line in self._matched_by_form:
                raise self._ambiguous(row, entry.id)
            self._matched_by_form[row.line] = entry.id
        return row

    def _ambiguous(self, row: ManifestRow, image: str) -> SourceError:
        other = self._matched_by_form.get(row.line, row.path)
        return SourceError(
            f"{self.file}, line {row.line}: {row.path} may name two images, which differ only in "
            f"Unicode form: {other!a} and {image!a}; rename one, or give each a line"
        )

    def failures(self, ids: Iterable[str]) -> list[Failure]:
        """The images that the file names and that are not there; see `missing`."""
        return [Failure(path, self._why(meant)) for path, meant in self.missing(ids)]

    def missing(self, ids: Iterable[str]) -> list[tuple[str, str | None]]:
        """The images that the file names and that are not there, once all are listed.

        Parameters
        ----------
        ids : iterable of str
            Of the images that were listed, for messages.

        Returns
        -------
        list of (str, str or None)
            Their paths, and the id that one differs from in capitals alone.

        Raises
        ------
        SourceError
            If the file names none of the images.
        """
        rows = {row.line: row.path for row in self._rows.values()}
        unmatched = [path for line, path in rows.items() if line not in self._matched]
        every = iter(ids)
        if not self._matched:
            named = f"it names e.g. {unmatched[0]!r}" if unmatched else "it names none at all"
            example = next(every, "none at all")
            meant = in_other_case(unmatched[:1], [example, *every])
            hint = "its paths must be relative to the source folder"
            if meant:
                example, hint = meant[unmatched[0]], "write its paths with the same capitals"
            raise SourceError(
                f"{self.file} names none of the images: {named}, while the images are e.g. "
                f"{example!r}; {hint}"
            )
        meant = in_other_case(unmatched, every)
        return [(path, meant.get(path)) for path in unmatched]

    def _why(self, meant: str | None) -> str:
        # How it ends is what it is known by.
        where = "" if meant is None else f" (did you mean {meant}? Capitals count)"
        return f"named in {self.file.name}{where}, {MISSING}"

    def _refuse_contradiction(self, first: ManifestRow, second: ManifestRow) -> None:
        stated, other = first.annotation, second.annotation
        if stated == other:
            return
        hint = "; several labels of an image stand in one row, separated by a bar: red|wild"
        raise SourceError(
            f"{self.file}, line {second.line}: {second.path} is {other.describe()}, but line "
            f"{first.line} says {stated.describe()}{hint if stated.labels != other.labels else ''}"
        )


def _keys(path: str) -> set[str]:
    # On Windows tables are written with backslashes; elsewhere one may belong to a name.
    return {posixpath.normpath(path), posixpath.normpath(path.replace("\\", "/"))}
