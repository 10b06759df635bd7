"""Verify a feature file: its images, run through its recipe once more, give its rows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from penult.backbones.weights.choice import WeightsChoice
from penult.checking import checked
from penult.engines.base import HALF_TOLERANCES, TOLERANCE
from penult.errors import MissingExtraError, RecipeMismatchError, UsageError
from penult.extractor import EngineOptions, ExtractorSpec, ReadingOptions, RecipeRows
from penult.features.places import rows_address
from penult.features.read import load
from penult.progress import ShowProgress, Tell, following
from penult.recipe import ProjectedRecipe
from penult.records import AugmentedRecord, Failure, Progress, augmented_content
from penult.representation import html_table, one_line, short_repr, short_text
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.engines.pipeline import Block
    from penult.records import Features, ImageRecord

__all__ = ["FLOAT16_TOLERANCE", "Agreement", "Verification", "verify"]

FLOAT16_TOLERANCE = 1e-3
"""`TOLERANCE` for rows stored as float16, which rounds each number by up to 2⁻¹¹ ≈ 5e-4 of it."""


@short_repr
@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far the rows of one layer are from what its images give now.

    Attributes
    ----------
    layer : str
        Its name.
    worst_cosine : float
        The lowest cosine similarity of a stored row and its new one; 1 is best.
    worst_cosine_id : str
        The image it belongs to.
    worst_error : float
        The largest relative error of a stored row, ‖stored - new‖ / ‖new‖; 0 is best.
    worst_error_id : str
        The image it belongs to.
    """

    layer: str
    worst_cosine: float
    worst_cosine_id: str
    worst_error: float
    worst_error_id: str


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What `verify` found.

    Attributes
    ----------
    compared : int
        Images whose rows were compared.
    rows : int
        Rows in the file.
    agreements : tuple of Agreement
        One a layer, in execution order; empty where no row could be compared. Each has its
        ``layer``, the lowest cosine similarity of a stored row and its new one (``worst_cosine``),
        the largest relative error (``worst_error``), and the images they belong to.
    tolerance : float
        The largest relative error that passes.
    missing : tuple of Failure
        Sampled images that are not there any more, or cannot be read.
    changed : tuple of str
        Ids of sampled images whose bytes are others than those the rows were made from.
    mismatch : str or None
        Why nothing could be compared: the network on this machine is another one.
    augmented_compared : int
        Rows of augmented views that were compared as well; what was found of them is among the
        rest.
    augmented_rows : int
        Those in the file.
    """

    compared: int
    rows: int
    agreements: tuple[Agreement, ...]
    tolerance: float
    missing: tuple[Failure, ...] = ()
    changed: tuple[str, ...] = ()
    mismatch: str | None = None
    augmented_compared: int = 0
    augmented_rows: int = 0

    @property
    def passed(self) -> bool:
        """Every sampled image is there, unchanged, and gives the rows that the file holds."""
        return bool(
            self.compared
            and not (self.missing or self.changed or self.mismatch)
            # Written so that a NaN does not pass.
            and all(a.worst_error <= self.tolerance for a in self.agreements)
        )

    @property
    def in_words(self) -> str:
        """How many rows were compared."""
        words = f"{self.compared:,} of {count(self.rows, 'row')}"
        if self.augmented_rows:
            words += (
                f" and {self.augmented_compared:,} of {count(self.augmented_rows, 'augmented row')}"
            )
        return f"{words} compared"

    def __repr__(self) -> str:
        return one_line("Verification", [("", fact) for _, fact in self._facts()])

    def _repr_html_(self) -> str:
        rows = [
            (a.layer, f"{a.worst_cosine:.8f}", f"{a.worst_error:.1e}", a.worst_error_id)
            for a in self.agreements
        ]
        header = ("layer", "worst cosine", "worst relative error", "of")
        return html_table("Verification", self._facts(), [header, *rows])

    def _facts(self) -> list[tuple[str, str | None]]:
        missing, changed = len(self.missing), len(self.changed)
        return [
            ("verdict", "passed" if self.passed else "NOT passed"),
            ("compared", self.in_words),
            ("missing", f"{count(missing, 'image')} missing" if missing else None),
            ("changed", f"{count(changed, 'image')} changed" if changed else None),
            ("mismatch", self.mismatch and short_text(self.mismatch, 200)),
        ]


@checked
def verify(
    features: str | Path,
    sample: int | None = 50,
    seed: int = 0,
    *,
    images: str | Path | Sequence[str | Path] | None = None,
    weights: str | Path | Sequence[str | Path] | None = None,
    offline: bool = False,
    engine: str = "auto",
    device: str = "auto",
    batch_size: int | None = None,
    workers: int | None = None,
    progress: ShowProgress = None,
) -> Verification:
    """Extract a random sample of a feature file's rows again, and compare.

    Of a folder of rows, the bytes of every part are compared with the manifest first.

    Parameters
    ----------
    features : path
        Feature file, or folder of rows.
    sample : int or None
        How many images; None for all. Of the rows of augmented views, as many are compared.
    seed : int
        Of the sample.
    images : path, str, or sequence of them, optional
        The folders and files that the images were taken from, where they have moved: as many as
        then, in any order and under the same names, or a folder that holds all of them.
    weights : path or sequence of paths, optional
        The file of weights that was given then, where it has moved; of several networks, those that
        moved.
    offline : bool
        Never touch the network.
    engine, device : str
        As for `penult.extract`.
    batch_size, workers : int, optional
        As for `penult.extract`.
    progress : bool or callable, optional
        As for `penult.extract`.

    Returns
    -------
    Verification
        What was found; its `passed` says whether the file tells the truth.

    Raises
    ------
    PathNotFoundError, SourceError
        If the folders are not there; give `images`.
    FeatureFileError, UsageError, WeightsError, EngineError
        If the file cannot be read, or its network cannot be had or run.
    """
    if sample is not None and sample < 1:
        raise UsageError(f"a sample of {sample} was asked for; give 1 or more")
    if (address := rows_address(features)) is not None:
        from penult.features.parts.files import PartFiles

        PartFiles(address).require_undamaged()
    file = load(features)
    layers = [load(features, layer) for layer in file.layers]
    is_half = any(layer.features.dtype == np.float16 for layer in layers)
    tolerance = max(
        FLOAT16_TOLERANCE if is_half else TOLERANCE,
        *(HALF_TOLERANCES.get(leaf.precision, 0) for leaf in file.recipe.leaves),
    )
    find = _finder(file, features, images, offline=offline)
    spec = ExtractorSpec(
        rows=RecipeRows(tuple(one.recipe for one in layers), str(features), file.layers),
        weights=WeightsChoice.moved(weights, offline=offline),
        # No cache is trusted: what is damaged there made the rows, too.
        engine=EngineOptions(engine=engine, device=device, batch_size=batch_size, fresh=True),
        reading=ReadingOptions(
            workers=workers,
            max_pixels=file.origin.get("max_pixels"),
            allow_truncated=file.origin.get("allow_truncated", False),
        ),
    )
    comparison = _Comparison(file, layers)
    chosen: list[tuple[_Stored, ImageRecord]] = []
    for stored in _sampled(file, sample, seed):
        photo_id = file.ids[stored.row]
        if (photo := find(photo_id)) is None:
            comparison.missing.setdefault(photo_id, Failure(photo_id, "is not there"))
        elif stored.view:
            chosen.append((stored, AugmentedRecord(photo, stored.view)))
        else:
            chosen.append((stored, photo))
    with following(progress) as tell:
        try:
            extractor = spec.open(images=len(chosen))
        except RecipeMismatchError as error:
            return Verification(
                compared=0,
                rows=len(file),
                agreements=(),
                tolerance=tolerance,
                mismatch=str(error),
                augmented_rows=comparison.augmented_rows,
            )
        if chosen:
            blocks = extractor.blocks(
                (record for _, record in chosen),
                augmented=file.augmented.recipe if file.augmented is not None else None,
            )
            _compare(comparison, [stored for stored, _ in chosen], blocks, tell)
    return comparison.result(tolerance)


@dataclass(frozen=True, slots=True)
class _Stored:
    """A row to compare: that of a photo, or of an augmented view of it, 0 for none."""

    row: int
    view: int = 0
    number: int = 0  # among the augmented rows


def _compare(
    comparison: _Comparison, rows: Sequence[_Stored], blocks: Iterable[Block], tell: Tell
) -> None:
    done, step = 0, Progress(0, len(rows), 0, stage="verify")
    tell(step)
    for block in blocks:
        comparison.add(rows[done : done + len(block.outcomes)], block)
        done += len(block.outcomes)
        tell(replace(step, done=done, failed=len(comparison.missing)))


class _Comparison:
    """Collects how far stored and new rows are apart."""

    def __init__(self, features: Features, layers: Sequence[Features]) -> None:
        self.missing: dict[str, Failure] = {}
        self._features, self._layers = features, layers
        self._changed: dict[str, None] = {}
        self._compared: list[str] = []
        self._augmented = 0
        self._cosines: list[list[float]] = [[] for _ in layers]
        self._errors: list[list[float]] = [[] for _ in layers]

    @property
    def augmented_rows(self) -> int:
        """How many the file has."""
        augmented = self._features.augmented
        return 0 if augmented is None else len(augmented)

    def add(self, rows: Sequence[_Stored], block: Block) -> None:
        """Compare a block; its outcomes are those of the file's rows `rows`."""
        good = 0
        for stored, outcome in zip(rows, block.outcomes, strict=True):
            photo_id = self._features.ids[stored.row]
            if outcome.failure is not None:
                # A view cannot be read where its photo cannot: that is one image.
                self.missing.setdefault(photo_id, replace(outcome.failure, id=photo_id))
                continue
            if self._is_changed(stored, outcome.digest):
                self._changed[photo_id] = None
            else:
                self._compared.append(outcome.record.id)
                self._augmented += stored.view > 0
                for k, layer in enumerate(self._layers):
                    row, new = _row(layer, stored), block.rows[k][good]
                    if isinstance(layer.recipe, ProjectedRecipe):
                        row, new = _unprojected(layer.recipe, row, new)
                    cosine, error = _apart(row, new)
                    self._cosines[k].append(cosine)
                    self._errors[k].append(error)
            good += 1

    def _is_changed(self, stored: _Stored, digest: str) -> bool:
        if self._features.content is None:
            return False
        content, augmented = self._features.content[stored.row], self._features.augmented
        if stored.view and augmented is not None:
            content = augmented_content(content, augmented.recipe, stored.view)
        return digest != content

    def result(self, tolerance: float) -> Verification:
        agreements = []
        for layer, cosines, errors in zip(self._layers, self._cosines, self._errors, strict=True):
            if not self._compared:
                break
            # argmin and argmax take a NaN, wherever it is, for the worst.
            lowest, largest = int(np.argmin(cosines)), int(np.argmax(errors))
            agreements.append(
                Agreement(
                    layer=layer.name,
                    worst_cosine=cosines[lowest],
                    worst_cosine_id=self._compared[lowest],
                    worst_error=errors[largest],
                    worst_error_id=self._compared[largest],
                )
            )
        return Verification(
            compared=len(self._compared) - self._augmented,
            rows=len(self._features),
            agreements=tuple(agreements),
            tolerance=tolerance,
            missing=tuple(self.missing.values()),
            changed=tuple(self._changed),
            augmented_compared=self._augmented,
            augmented_rows=self.augmented_rows,
        )


def _row(layer: Features, stored: _Stored) -> NDArray[np.floating]:
    if stored.view and layer.augmented is not None:
        return layer.augmented.features[stored.number]
    return layer.features[stored.row]


def _unprojected(
    recipe: ProjectedRecipe, *rows: NDArray[np.floating]
) -> list[NDArray[np.floating]]:
    """Rows as they were before they were projected, which is where an engine's error is small.

    Without their mean, or whitened, small parts of a row are large ones, and so are their errors.
    """
    if recipe.projection is None:
        return list(rows)
    return [recipe.projection.restore(row[None].astype(np.float32))[0] for row in rows]


def _apart(stored: NDArray[np.floating], new: NDArray[np.float32]) -> tuple[float, float]:
    """Cosine similarity of two rows, and relative error of the first; both of float64."""
    a, b = stored.astype(np.float64).ravel(), new.astype(np.float64).ravel()
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    difference, length = float(np.linalg.norm(a - b)), float(np.linalg.norm(b))
    if difference == 0:
        return 1.0, 0.0
    return (
        float(a @ b) / lengths if lengths else 0.0,
        difference / length if length else float("inf"),
    )


def _finder(
    features: Features,
    path: str | Path,
    images: str | Path | Sequence[str | Path] | None,
    *,
    offline: bool,
) -> Callable[[str], ImageRecord | None]:
    """From an id to its image, where the rows came from."""
    from penult.features.image_places import look_for_images

    places = look_for_images(features, images, offline=offline)
    if places.gone:
        first = next(iter(places.gone.values()))
        if isinstance(first, MissingExtraError):
            raise first
        if not places.finders:
            raise type(first)(f"the images of {path} cannot be found: {places.why()}") from first
        logging.getLogger("penult").warning(
            "penult: some of the images of %s cannot be found: %s", path, places.why()
        )
    return places.find


def _sampled(file: Features, size: int | None, seed: int) -> list[_Stored]:
    """Some rows of photos and as many of augmented views; those of one photo beside each other."""
    stored = [_Stored(row) for row in _sample(len(file), size, seed)]
    if (views := file.augmented) is not None:
        for number in _sample(len(views), size, seed):
            stored.append(_Stored(int(views.of[number]), int(views.view[number]), number))
    return sorted(stored, key=lambda one: (one.row, one.view))


def _sample(count: int, size: int | None, seed: int) -> list[int]:
    if size is None or size >= count:
        return list(range(count))
    chosen = np.random.default_rng(seed).choice(count, size, replace=False)
    return sorted(int(row) for row in chosen)
