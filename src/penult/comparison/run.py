"""A comparison, one network after the other: what is finished is kept, what fails is named."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING

from penult.comparison.candidates import Candidate, training_images_of
from penult.comparison.folder import ComparisonFolder, Result
from penult.comparison.ranking import Ranking
from penult.comparison.rows import CandidateRows, RowMaker, telling
from penult.comparison.scoring import score_rows
from penult.comparison.similarities import find_similarities
from penult.comparison.splits import SplitOptions, Splits
from penult.errors import (
    BackboneError,
    EngineError,
    FeatureFileError,
    MissingExtraError,
    PathNotFoundError,
    PenultError,
    TrainingError,
    UnknownNameError,
    UsageError,
    WrongFileError,
)
from penult.features.places import rows_address
from penult.features.read import load, stored_bytes
from penult.images.sources.remote.connection import is_url
from penult.interface import option
from penult.partition.rows import row_length
from penult.progress import Tell
from penult.recipe import AveragedRecipe
from penult.records import (
    ComparedModel,
    Comparison,
    Features,
    SimilarityMatrix,
    SkippedModel,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.images.listing import Listing
    from penult.images.sources.base import SourceArgument

__all__ = ["ComparisonRun"]

_log = logging.getLogger("penult")

# What is wrong with one network: others may do. What is wrong with the images, the options or the
# disk is wrong for all.
_OF_ONE = (BackboneError, EngineError, MissingExtraError, UnknownNameError)


@dataclass(frozen=True, kw_only=True)
class ComparisonRun:
    """All that is asked of a comparison.

    Attributes
    ----------
    folder : ComparisonFolder
        Where it lies.
    sources : sequence of path or str
        The images; none where there are rows already.
    listing : Listing or None
        The images as they were listed.
    splits : SplitOptions
        How they are divided.
    score : str
        By what networks are ranked.
    cost, similarity : bool
        Whether costs are measured, and networks compared by how alike they are.
    overwrite : bool
        Whether rows that were made otherwise are made anew.
    tell : callable
        Told of the progress.
    """

    folder: ComparisonFolder
    sources: Sequence[SourceArgument] = ()
    listing: Listing | None = None
    splits: SplitOptions = field(default_factory=SplitOptions)
    score: str = "accuracy"
    cost: bool = True
    similarity: bool = True
    overwrite: bool = False
    tell: Tell

    def run(self, candidates: Sequence[Candidate]) -> Comparison:
        """Compare networks; those that lie in the folder already take part.

        Raises
        ------
        PenultError
            If no network could be compared: as the first of them failed.
        """
        trained_on = training_images_of(candidates)
        ranking, splits = Ranking(self.folder, self.score), self._stored_splits()
        maker = RowMaker(
            folder=self.folder,
            sources=self.sources,
            listing=self.listing,
            cost=self.cost,
            overwrite=self.overwrite,
            tell=self.tell,
        )
        skipped: list[SkippedModel] = []
        failures: list[Exception] = []

        def leave_out(name: str, error: Exception) -> None:
            reason = str(error) or "it ran out of memory"
            _log.warning("penult: %s is left out: %s", name, reason)
            skipped.append(SkippedModel(name, reason))
            failures.append(error)

        for candidate in candidates:
            try:
                made = maker.make(candidate, splits)
            except (*_OF_ONE, MemoryError) as error:
                leave_out(candidate.name, error)
                continue
            added = False
            for rows in made:
                splits = splits or self._divided(rows.features, trained_on)
                splits.require_same(rows.features, self.folder.path)
                try:
                    added |= self._finish(rows, splits)
                except (TrainingError, MemoryError) as error:
                    leave_out(rows.name, error)
            if added and splits is not None:
                self.folder.write_tables(ranking.comparison(splits, skipped))
        compared = [] if splits is None else ranking.rows(splits)
        if splits is None or not compared:
            only = failures[0]
            if len(failures) > 1 or not isinstance(only, PenultError):
                raise _none(skipped) from only
            raise only
        cka, rsa = self._similarities(compared, splits) if self.similarity else (None, None)
        comparison = replace(ranking.comparison(splits, skipped), cka=cka, rsa=rsa)
        self.folder.write_tables(comparison)
        return comparison

    def _stored_splits(self) -> Splits | None:
        """How the images were divided before, as far as that is what is asked for now.

        Raises
        ------
        UsageError
        """
        stored = self.folder.splits()
        if stored is not None:
            self.splits.require_same(stored.options, self.folder.path)
            if self.listing is not None:
                records = self.listing.records
                stored.require_listed(
                    [record.id for record in records],
                    ["|".join(sorted(record.labels)) for record in records],
                    self.folder.path,
                )
        return stored

    def _divided(self, features: Features, trained_on: NDArray[np.uint64]) -> Splits:
        """How the images are divided: by the first network, of all runs, that has rows of them."""
        with self.folder.dividing():
            splits = self._stored_splits()
            if splits is None:
                splits = Splits.draw(features, self.splits, trained_on)
                splits.write(self.folder.table, self.folder.settings)
        return splits

    def _similarities(
        self, compared: Sequence[ComparedModel], splits: Splits
    ) -> tuple[SimilarityMatrix | None, SimilarityMatrix | None]:
        """How alike the rows of each two are; NaN where they are no longer there."""
        rows = {row.name: self._rows_of(row, splits) for row in compared}
        there = {name: features for name, features in rows.items() if features is not None}
        if len(there) < 2:
            return None, None
        cka, rsa = find_similarities(
            there, kept=self.folder.similarities, seed=splits.options.seed, tell=self.tell
        )
        return _spread(cka, tuple(rows)), _spread(rsa, tuple(rows))

    def _rows_of(self, row: ComparedModel, splits: Splits) -> Features | None:
        try:
            features = load(_found(row.file, self.folder.path), row.layer)
            result = self.folder.result(row.name, splits)
            if result is not None and result.is_of(features):
                return features
            reason = "they were made with another recipe"
        except PathNotFoundError:
            reason = "there is no such file"
        except (UnknownNameError, WrongFileError, FeatureFileError) as error:
            reason = str(error)
        _log.warning(
            "penult: the rows of %s are no longer in %s (%s), so how alike they are to others is "
            "left out",
            *(row.name, row.file, reason),
        )
        return None

    def _finish(self, rows: CandidateRows, splits: Splits) -> bool:
        """Bring rows as far as their results; say whether these were not there before."""
        known = result = self.folder.result(rows.name, splits)
        where = _relative(rows.file, self.folder.path)
        if result is not None and result.row.file != where:
            ours = rows.file.is_relative_to(self.folder.path)
            moved = not _found(result.row.file, self.folder.path).exists()
            if not ours and not (moved and result.is_of(rows.features)):
                raise UsageError(
                    f"{self.folder.path} has compared {rows.name} of {result.row.file} before, "
                    f"and {rows.file} would take its name; rename the file, or write to another "
                    "folder"
                )
            result = replace(result, row=replace(result.row, file=where))
        if result is None or not result.is_of(rows.features):
            result = self._score(rows, splits)
        if rows.cost is not None:
            row = replace(result.row, cost=rows.cost)
            result = replace(result, row=row, measured=rows.measured)
        if result is known:
            return False
        self.folder.write_result(result)
        return True

    def _score(self, rows: CandidateRows, splits: Splits) -> Result:
        features, recipe = rows.features, rows.features.recipe
        images = score_rows(features, splits, tell=telling(self.tell, rows.name))
        row = ComparedModel(
            name=rows.name,
            model=rows.model,
            layer=features.name,
            precision=_distinct(leaf.precision for leaf in recipe.leaves),
            views=_distinct(one.views for one in recipe.walk() if isinstance(one, AveragedRecipe))
            or None,
            features=row_length(features),
            images=len(features),
            missing=len(splits.ids) - int((splits.places(features.ids) >= 0).sum()),
            bytes=stored_bytes(rows.file),
            file=_relative(rows.file, self.folder.path),
            trained_network=_trained_network(features, splits),
            untrained=any(leaf.weights == "random" for leaf in recipe.leaves),
            scores=images.scores,
            any_label=images.any_label_scores,
        )
        return Result(
            row=row, images=images, recipe=recipe.to_json(), splits=splits.digest, measured=False
        )


def _trained_network(features: Features, splits: Splits) -> int | None:
    """Count the held-out images, of all runs, that trained the network."""
    if features.trained_network is None:
        return None
    places = splits.places(features.ids)
    held = (splits.parts == 2).any(axis=0)
    return int((features.trained_network & (places >= 0) & held[places]).sum())


def _none(skipped: Sequence[SkippedModel]) -> PenultError:
    return BackboneError(
        "none of these could be compared: "
        + "; ".join(f"{one.model}: {one.reason}" for one in skipped)
        + f"; give others with {option('model')}"
    )


def _spread(similarity: SimilarityMatrix, names: tuple[str, ...]) -> SimilarityMatrix:
    """Put the networks that have no value into it, too."""
    place = {name: k for k, name in enumerate(similarity.names)}

    def spread(values: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
        return tuple(
            tuple(values[place[a]][place[b]] if {a, b} <= place.keys() else nan for b in names)
            for a in names
        )

    return replace(
        similarity, names=names, matrix=spread(similarity.matrix), p=spread(similarity.p)
    )


def _distinct(words: Iterable[str]) -> str:
    return " and ".join(dict.fromkeys(words))


def _relative(file: Path, folder: Path) -> str:
    """The file as the folder names it, where it is in it."""
    if file.is_relative_to(folder):
        return file.relative_to(folder).as_posix()
    address = rows_address(file)
    return address if address is not None and is_url(address) else str(file.absolute())


def _found(file: str, folder: Path) -> Path:
    """The file that the folder names so; an address is not below it."""
    return Path(file) if is_url(file) else folder / file
