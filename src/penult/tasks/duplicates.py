"""Copies and near-duplicates of a feature file, and a split that they do not straddle."""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from penult.arguments import in_bytes
from penult.checking import checked
from penult.classify.evaluation.evaluate import evaluate
from penult.classify.training.train import train
from penult.combine.resplit import write_with_splits
from penult.errors import PenultError, UsageError
from penult.features.read import one_set
from penult.interface import command, option
from penult.messages import escape_formula
from penult.output import atomic_text, check_output
from penult.partition.near_duplicates import require_cosine
from penult.progress import ShowProgress, following
from penult.records import Duplicates, Features, SplitLeaks
from penult.retrieve.duplicates.find import Found, find_duplicates
from penult.suffixes import ID_LIST, PAGE, REPAIRED
from penult.wording import count

__all__ = ["duplicates"]


@checked
def duplicates(
    features: Features | str | Path,
    output: str | Path | None = None,
    *,
    layer: str | None = None,
    threshold: float = 0.95,
    across_splits: bool = False,
    repair: str | Path | None = None,
    write_list: str | Path | None = None,
    images: str | Path | Sequence[str | Path] | None = None,
    offline: bool = False,
    max_memory: int | str | None = None,
    escape_formulas: bool = False,
    overwrite: bool = False,
    progress: ShowProgress = None,
) -> Duplicates:
    """Find copies and near-duplicates: pictures that were resized, recompressed or saved twice.

    Files that are the same, byte for byte, are found by their digests; others by the cosine of
    their rows. All rows are compared with all, in bounded memory, and no pair is missed. Nothing is
    ever deleted or moved. See docs/duplicates.md.

    Parameters
    ----------
    features : Features or path
        The feature file, or (N, D) rows; rows of more axes are flattened.
    output : path, optional
        A page to write that shows the pictures side by side, ``.html``.
    layer : str, optional
        Which of the file's layers; the last by default.
    threshold : float, default=0.95
        Least cosine of two rows that are near-duplicates, in (0, 1].
    across_splits : bool, default=False
        List the pairs whose images are in different parts, and say what the accuracy is without
        the held-out images that have a near-duplicate in the training part. The parts are those of
        the file, or else those that `penult.train` draws by default.
    repair : path, optional
        Write a split in which no group is in several parts: a copy of the features (``.h5``), or a
        table of ``id`` and ``split`` (``.csv``). As few images as possible change their part, and
        class shares stay as they are, as nearly as groups allow. Does what `across_splits` does as
        well.
    write_list : path, optional
        Write the ids that may go, one a line: of each group all but the one to keep. Groups of
        different labels are left out, since one of the labels is likely wrong.
    images : path, str or sequence of them, optional
        Where the images are now, if they have moved; their sizes decide which one to keep.
    offline : bool, default=False
        Never touch the network, where images are at an address.
    max_memory : int or str, optional
        Bytes that the comparison may take, or a size such as ``"4GB"``; by default half of what the
        machine has free.
    escape_formulas : bool, default=False
        In a table of splits, put an apostrophe before ids that a spreadsheet would run.
    overwrite : bool, default=False
        Replace what is written if it exists.
    progress : bool or callable, optional
        As for `penult.extract`.

    Returns
    -------
    Duplicates
        The groups, each with the one to keep and its weakest link; pairs between parts; and pairs
        with different labels.

    Raises
    ------
    UsageError
        If the threshold is not in (0, 1], or rows in memory are asked for another layer.
    UnknownNameError
        If there is no such layer.
    SearchError
        If rows hold NaN or infinite numbers, or there are no parts to find pairs between.
    PathNotFoundError, FeatureFileError
        If the features, or the images at `images`, cannot be found or read.
    OutputExistsError, OutputError
        If something cannot be written.
    """
    require_cosine(threshold, "threshold")
    inputs = [] if isinstance(features, Features) else [Path(features)]
    for name, target, kind in (
        (None, output, PAGE),
        ("repair", repair, REPAIRED),
        ("write_list", write_list, ID_LIST),
    ):
        if target is not None:
            check_output(Path(target), overwrite=overwrite, inputs=inputs, output=kind, name=name)
    _require_different([output, repair, write_list])
    shown = one_set(features, layer)
    if write_list is not None:
        _require_lines(shown)
    named = str(features) if inputs else "these features"
    with following(progress):
        found = find_duplicates(
            shown,
            threshold,
            across_splits=across_splits or repair is not None,
            named=named,
            images=images,
            offline=offline,
            memory=in_bytes(max_memory),
        )
        result = found.duplicates
        if found.parts is not None:
            result = replace(result, leaks=_leaks(found))
        if repair is not None:
            repaired = replace(found.repaired(), path=str(repair))
            if Path(repair).suffix.lower() == ".csv":
                ids = map(escape_formula if escape_formulas else str, map(str, shown.ids))
                _write_table(ids, repaired.splits, Path(repair), overwrite=overwrite)
            else:
                write_with_splits(features, repaired.splits, Path(repair), overwrite=overwrite)
            result = replace(result, repaired=repaired)
    if write_list is not None:
        _write_list(result, Path(write_list), overwrite=overwrite)
        if any(group.contested for group in result.groups):
            look: dict[str, str | float] = {"threshold": threshold} if threshold != 0.95 else {}
            if layer is not None:
                look["layer"] = layer
            named = str(features) if inputs else "FEATURES"
            page = command("duplicates", named, output="duplicates.html", **look)
            _warn_of_contested(result, write_list, see=output or page)
    if output is not None:
        from penult.reporting.duplicates_page import write_duplicates_page

        write_duplicates_page(
            result, shown, Path(output), images=images, offline=offline, overwrite=overwrite
        )
    return result


def _leaks(found: Found) -> SplitLeaks:
    """What the score is with and without held-out images that have a near-duplicate to train on."""
    parts, features = found.parts, found.features
    assert parts is not None
    result = SplitLeaks(parts=parts.sizes(), drawn=parts.drawn, description=parts.description)
    if parts.split is None:
        return replace(result, why=parts.why)
    leaked = found.leaked()
    near, held_out = int(leaked.sum()), parts.split.held_out
    result = replace(
        result, held_out=len(held_out), near=near, not_trained_on=found.not_trained_on()
    )
    if not near:
        return result
    if near == len(held_out):
        return replace(result, why="no held-out image is left without them")
    try:
        classifier = train(features)
        scores = evaluate(classifier, features.take(held_out[~leaked])).scores
    except PenultError as error:
        return replace(result, why=str(error))
    if scores.mean_average_precision is not None:
        return replace(
            result,
            score="mean average precision",
            all_images=classifier.scores.mean_average_precision,
            without=scores.mean_average_precision,
        )
    return replace(result, all_images=classifier.scores.accuracy, without=scores.accuracy)


def _require_different(targets: Sequence[str | Path | None]) -> None:
    given = [Path(one).absolute() for one in targets if one is not None]
    for k, one in enumerate(given):
        if one in given[:k]:
            raise UsageError(f"two results would be written to {one}; give each a name of its own")


def _require_lines(features: Features) -> None:
    """Refuse a list of ids, one a line, where an id is more than a line."""
    for one in features.ids:
        if len(str(one).splitlines()) > 1:
            raise UsageError(
                f"the id {str(one)!r} has a line break in it, so ids cannot be listed one a line; "
                f"leave out {option('write_list')}, and take them from the groups"
            )


def _write_list(found: Duplicates, path: Path, *, overwrite: bool) -> None:
    with atomic_text(path, overwrite=overwrite, newline="\n") as file:
        file.writelines(f"{one}\n" for one in found.removable)


def _warn_of_contested(found: Duplicates, path: str | Path, *, see: str | Path) -> None:
    contested = sum(group.contested for group in found.groups)
    one = contested == 1
    logging.getLogger("penult").warning(
        "penult: %s leaves out %s of different labels, one of which is likely wrong: decide which; "
        "%s shows %s",
        *(path, count(contested, "group"), see, "it" if one else "them"),
    )


def _write_table(ids: Iterable[str], splits: Iterable[str], path: Path, *, overwrite: bool) -> None:
    with atomic_text(path, overwrite=overwrite) as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["id", "split"])
        table.writerows(zip(ids, splits, strict=True))
