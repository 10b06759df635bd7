"""The classifier file: a skops archive of the scikit-learn pipeline, and one JSON member beside it.

``skops.io.load`` gives the pipeline alone; ``penult.json`` holds everything else (label names,
recipe, scores, settings), so that a file is described without loading skops or scikit-learn.
``trained_on.bin`` has 8 bytes for each image it was trained on (`penult.classify.evaluation.seen`),
``kept_rows.bin`` some of its training rows as int8, one after the other
(`penult.classify.likeness`). The arrays of the recipe's projections are members in NumPy's format,
under their digest (`penult.classify.projection_members`). ``penult.json`` names every other member,
with its size and checksum, so that none can be missing, cut or another file's unseen; files from
before do not.

A file from a stranger is read in this order, and refused at the first step that fails: it is a ZIP
archive whose members are stored uncompressed and add up to no more than the file itself (so that
no member can unpack to more than was sent); every type and every loader in its schema is on the
list of `penult.classify.skops_pipeline`, or trusted by a kind of classifier; skops itself trusts
it. Only then is anything built from it, and what is built is checked before it is used.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np

from penult.classify.projection_members import read_projections, told, write_projections
from penult.classify.skops_pipeline import (
    SCHEMA,
    damage_told,
    read_pipeline,
    write_pipeline,
)
from penult.content_keys import NETWORK_TRAINED_ON, TRAINED_ON, keys_to_bytes, parse_keys
from penult.errors import ClassifierFileError, WrongFileError
from penult.file_kinds import HDF5, ZIP, kind_of, refuse_other_kind
from penult.inputs import require_file, unreadable
from penult.interface import command
from penult.output import atomic_output, check_output
from penult.parsing import read_json
from penult.suffixes import CLASSIFIER, NETWORK
from penult.wording import listed

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    from penult.classify.unbuilt import Unbuilt
    from penult.recipe import Projection

__all__ = ["Contents", "read_all", "read_description", "write"]

FORMAT = 1
DESCRIPTION = "penult.json"
KEPT_ROWS = "kept_rows.bin"
PROJECTIONS = "projections"
_PICKLE_PROTOCOLS = range(2, 6)
"""The second byte of a pickle; any file may begin with the first one."""


def write(
    path: Path,
    pipeline: Pipeline,
    description: Mapping[str, Any],
    *,
    trained_on: NDArray[np.uint64] | None = None,
    network_trained_on: NDArray[np.uint64] | None = None,
    kept_rows: NDArray[np.int8] | None = None,
    projections: Mapping[str, Projection] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a classifier file, whole or not at all.

    Parameters
    ----------
    description : JSON-like; given back by `read_description`
    trained_on : keys of the images, of `penult.classify.evaluation.seen.content_keys`
    network_trained_on : the same of a network, where other images trained it than its head
    kept_rows : of `penult.classify.likeness.Likeness`
    projections : the recipe's, by their SHA-256

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
    ClassifierFileError
        If the file would be refused when it is read; nothing is written.
    """
    check_output(path, overwrite=overwrite, output=CLASSIFIER)
    with atomic_output(path, overwrite=overwrite) as temporary, temporary.open("r+b") as file:
        write_pipeline(path, pipeline, file)
        with zipfile.ZipFile(file, "a") as archive:
            if trained_on is not None:
                archive.writestr(TRAINED_ON, keys_to_bytes(trained_on))
            if network_trained_on is not None:
                archive.writestr(NETWORK_TRAINED_ON, keys_to_bytes(network_trained_on))
            if kept_rows is not None:
                archive.writestr(KEPT_ROWS, kept_rows.tobytes())
            written = {"format": FORMAT, **description}
            if projections:
                write_projections(archive, projections)
                written[PROJECTIONS] = told(projections)
            written["members"] = _members(archive)
            archive.writestr(DESCRIPTION, json.dumps(written, indent=1))


def read_description(path: Path) -> dict[str, Any]:
    """Read what `write` was given, without loading skops or scikit-learn.

    The arrays of its projections are in ``"projections"``, by their SHA-256.

    Raises
    ------
    PathNotFoundError
        If there is no such file.
    ClassifierFileError
        If it is no classifier file, truncated, unsafe, or newer than this penult.
    """
    with _archive(path) as archive:
        description = _describe(path, archive)
        _require_members(path, archive, description)
        _with_projections(path, archive, description)
        return description


class Contents(NamedTuple):
    """All that `write` was given; the kept rows one after the other, of a length not stated."""

    pipeline: Pipeline | Unbuilt
    description: dict[str, Any]
    trained_on: NDArray[np.uint64] | None
    network_trained_on: NDArray[np.uint64] | None
    kept_rows: NDArray[np.int8] | None


def read_all(path: Path) -> Contents:
    """Read all that `write` was given. Executes nothing that the file brings.

    Raises
    ------
    PathNotFoundError, ClassifierFileError
        As `read_description`, and if the pipeline holds anything that a classifier never holds.
    """
    with _archive(path) as archive:
        description = _describe(path, archive)
        build = read_pipeline(path, archive)
        _require_members(path, archive, description)
        _with_projections(path, archive, description)
        kept_rows = None  # of files from before
        trained_on, network_trained_on = (
            parse_keys(archive.read(name)) if name in archive.namelist() else None
            for name in (TRAINED_ON, NETWORK_TRAINED_ON)
        )
        if KEPT_ROWS in archive.namelist():
            kept_rows = np.frombuffer(archive.read(KEPT_ROWS), np.int8)
    return Contents(build(), description, trained_on, network_trained_on, kept_rows)


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    if path.is_dir():
        refuse_other_kind(path, "classifier")
    require_file(path, "a classifier file", CLASSIFIER.suffixes)
    if not zipfile.is_zipfile(path):
        _refuse(path)
    with damage_told(path), zipfile.ZipFile(path) as archive:
        _require_no_more_than_sent(path, archive)
        yield archive


def _refuse(path: Path) -> NoReturn:
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise unreadable(path, error) from error
    if not head:
        raise ClassifierFileError(
            f"{path} is empty (0 bytes), so it is not a classifier file; {command('train')} writes "
            "one"
        )
    if head.startswith(ZIP):
        raise ClassifierFileError(
            f"{path} is truncated: the end of the classifier file is missing; copy it again"
        )
    what = f"is not a classifier file; {command('train')} writes one"
    if head == HDF5:
        train = command("train", str(path), output=f"{path.stem}.skops")
        what = f"is a feature file, not a classifier; train one from it: {train}"
    is_pickle = head[:1] == b"\x80" and head[1] in _PICKLE_PROTOCOLS
    kind = kind_of(path)
    if kind == "network" or (path.suffix.lower() in NETWORK.suffixes and not is_pickle):
        rows = f"{path.stem}.h5"
        extract = command("extract", "PHOTOS", model=str(path), output=rows)
        train = command("train", rows, output=f"{path.stem}.skops")
        what = f"is a network without a classifier; train one on its rows: {extract}; {train}"
    elif is_pickle:
        what = (
            "is a pickle, not a classifier file; a pickle can run code when it is opened, so it "
            "was not"
        )
    elif kind != "features":
        refuse_other_kind(path, "classifier")
    raise WrongFileError(f"{path} {what}")


def _require_no_more_than_sent(path: Path, archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    packed = [m.filename for m in members if m.compress_type != zipfile.ZIP_STORED]
    if packed or sum(m.file_size for m in members) > path.stat().st_size:
        raise ClassifierFileError(
            f"{path} is refused: it would unpack to more than was sent; penult stores its "
            "classifiers uncompressed"
        )
    names = {m.filename for m in members}
    if DESCRIPTION not in names or SCHEMA not in names:
        other = "a model saved by skops itself" if SCHEMA in names else "some other ZIP archive"
        if any(name.endswith("/data.pkl") for name in names):
            raise WrongFileError(
                f"{path} is a file of PyTorch's, which may hold the weights of a network, and not "
                f"a classifier of penult's; {command('layers', f'checkpoint:{path}')} looks into it"
            )
        raise WrongFileError(
            f"{path} is {other}, not a classifier of penult: it lacks the label names and the "
            f"recipe; {command('train')} writes them"
        )


def _describe(path: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    description = read_json(archive.read(DESCRIPTION))
    if description.pop("format") != FORMAT:
        raise ClassifierFileError(f"{path} was written by a newer penult; upgrade to read it")
    return dict(description)


def _with_projections(path: Path, archive: zipfile.ZipFile, description: dict[str, Any]) -> None:
    """Put the arrays in the place of what the description says of them."""
    described = description.get(PROJECTIONS, {})
    if not isinstance(described, dict):
        raise ClassifierFileError(f"{path} is damaged: its projections are none; copy it again")
    description[PROJECTIONS] = read_projections(path, archive, described)


def _members(archive: zipfile.ZipFile) -> dict[str, list[int]]:
    """Name to size and checksum, as the ZIP archive's own list has them."""
    return {
        one.filename: [one.file_size, one.CRC]
        for one in archive.infolist()
        if one.filename != DESCRIPTION
    }


def _require_members(path: Path, archive: zipfile.ZipFile, description: Mapping[str, Any]) -> None:
    """Refuse a file of which something is gone, or is not what was written."""
    there = _members(archive)
    said = description.get("members", there)
    wrong = sorted(name for name in {*said, *there} if said.get(name) != there.get(name))
    if wrong:
        raise ClassifierFileError(
            f"{path} is damaged: {listed(wrong)} in it {'is' if len(wrong) == 1 else 'are'} not "
            "what was written; copy it again, or train it again"
        )
