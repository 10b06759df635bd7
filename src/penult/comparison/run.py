"""A comparison, one network after the other: what is finished is kept, what fails is named."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from penult.comparison.candidates import Candidate
from penult.comparison.cost import measure_cost
from penult.comparison.differences import find_differences
from penult.comparison.folder import ComparisonFolder, Result
from penult.comparison.recommendation import recommend
from penult.comparison.scoring import score_rows
from penult.comparison.similarities import find_similarities
from penult.comparison.splits import SplitOptions, Splits
from penult.errors import (
    BackboneError,
    EngineError,
    MissingExtraError,
    PenultError,
    RecipeMismatchError,
    TrainingError,
    UnknownNameError,
    UsageError,
)
from penult.extractor import ModelRows
from penult.features.read import load
from penult.interface import option
from penult.progress import Tell, announce
from penult.recipe import AveragedRecipe, JoinedRecipe
from penult.records import (
    ComparedModel,
    Comparison,
    Features,
    ModelCost,
    Progress,
    SimilarityMatrix,
    SkippedModel,
)

if TYPE_CHECKING:
    from penult.images.listing import Listing
    from penult.images.sources.base import SourceArgument

__all__ = ["ComparisonRun"]

_log = logging.getLogger("penult")

# What is wrong with one network: others may do. What is wrong with the images, the options or the
# disk is wrong for all.
_OF_ONE = (BackboneError, EngineError, MissingExtraError, TrainingError, UnknownNameError)


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
    tell: Tell

    def run(self, candidates: Sequence[Candidate]) -> Comparison:
        """Compare networks; those that lie in the folder already take part.

        Raises
        ------
        PenultError
            If no network could be compared: as the first of them failed.
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
        skipped: list[SkippedModel] = []
        failures: list[Exception] = []
        for candidate in candidates:
            try:
                self._compare(candidate)
            except (*_OF_ONE, MemoryError) as error:
                reason = str(error) or "it ran out of memory"
                _log.warning("penult: %s is left out: %s", candidate.name, reason)
                skipped.append(SkippedModel(candidate.name, reason))
                failures.append(error)
                continue
            self.folder.write_tables(self._compared(skipped))
        results = self._results()
        if not results:
            raise failures[0] if len(failures) == 1 else _none(skipped) from failures[0]
        similar: tuple[SimilarityMatrix, SimilarityMatrix] | None = None
        if self.similarity and len(results) > 1:
            similar = find_similarities(
                {one.row.name: self._load(one.row) for one in self._ranked(results)},
                kept=self.folder.similarities,
                seed=self.splits.seed,
                tell=self.tell,
            )
        comparison = self._compared(skipped)
        if similar is not None:
            comparison = replace(comparison, cka=similar[0], rsa=similar[1])
        self.folder.write_tables(comparison)
        return comparison

    def _compare(self, candidate: Candidate) -> None:
        """Bring one network as far as its results, each layer's in a file of its own."""
        file = (
            self.folder.feature_file(candidate.name) if candidate.file is None else candidate.file
        )
        costs: Mapping[str, ModelCost] = {}
        if candidate.extraction is not None:
            costs = self._extract(candidate, file)
        for layer in load(file).layers:
            features = load(file, layer)
            name = candidate.named(layer)
            splits = self._divide(features)
            known = self.folder.result(name)
            if known is not None and known.is_of(features, splits):
                if layer in costs:
                    row = replace(known.row, cost=costs[layer])
                    self.folder.write_result(replace(known, row=row, measured=True))
                continue
            images = score_rows(features, splits, tell=self._telling(name))
            shape = features.features.shape
            row = ComparedModel(
                name=name,
                model=candidate.model,
                layer=layer,
                precision=" and ".join(dict.fromkeys(x.precision for x in features.recipe.leaves)),
                views=_views(features),
                features=int(shape[1]) if len(shape) == 2 else _product(shape[1:]),
                images=len(features),
                missing=len(set(splits.ids).difference(map(str, features.ids))),
                bytes=file.stat().st_size,
                file=_relative(file, self.folder.path),
                scores=images.scores,
                any_label=images.any_label_scores,
                cost=costs.get(layer, ModelCost()),
            )
            self.folder.write_result(
                Result(
                    row=row,
                    images=images,
                    recipe=features.recipe.to_json(),
                    splits=splits.digest,
                    measured=layer in costs,
                )
            )

    def _extract(self, candidate: Candidate, file: Path) -> Mapping[str, ModelCost]:
        """Make the rows of a network, if they are not there; return its costs, if they are not."""
        extraction = candidate.extraction
        assert extraction is not None
        tell, name = self._telling(candidate.name), candidate.name
        announce(f"{name}: opening", brief=True)
        opened = extraction.extractor.open()
        recipes = dict(zip(opened.names, opened.recipes, strict=True))
        if file.exists():
            there = {layer: load(file, layer).recipe for layer in load(file).layers}
            if there != recipes:
                raise RecipeMismatchError(
                    f"{file} was made with another recipe than {name} has now; remove it, or "
                    "write to another folder"
                )
        costs = {}
        for layer, recipe in recipes.items() if self.cost else ():
            known = self.folder.result(candidate.named(layer))
            if known is not None and known.measured and file.exists():
                continue
            rows = extraction.extractor.rows
            if isinstance(rows, ModelRows) and not isinstance(recipe, JoinedRecipe):
                rows = replace(rows, layers=(recipe.layer,))
            announce(f"{name}: measuring what it costs")
            assert self.listing is not None
            # In a process of its own, and before any work is spent on it here: what takes more
            # memory than there is takes that process with it, and not this one.
            costs[layer] = measure_cost(
                replace(extraction.extractor, rows=rows), self.listing.records
            )
        if not file.exists():
            extraction.to_file(self.sources, file, progress=tell)
        return costs

    def _divide(self, features: Features) -> Splits:
        """How all images are divided: by the first network that has rows of them."""
        splits = self.folder.splits()
        if splits is None:
            splits = Splits.draw(features, self.splits)
            splits.write(self.folder.table, self.folder.settings)
        splits.require_same(features, self.folder.path)
        return splits

    def _results(self) -> list[Result]:
        """All that is finished on the same parts."""
        splits = self.folder.splits()
        found = self.folder.results()
        return [one for one in found if splits is not None and one.splits == splits.digest]

    def _ranked(self, results: Sequence[Result]) -> list[Result]:
        def place(one: Result) -> tuple[float, str]:
            scores = one.row.scores.get(self.score)
            mean = float("nan") if scores is None else scores.mean
            return (-mean if mean == mean else float("inf"), one.row.name)

        return sorted(results, key=place)

    def _compared(self, skipped: Sequence[SkippedModel]) -> Comparison:
        """What the results come to."""
        splits, results = self.folder.splits(), self._ranked(self._results())
        assert splits is not None
        rows = [one.row for one in results]
        differences = find_differences(
            {
                one.row.name: one.images.same[self.score]
                for one in results
                if self.score in one.images.same
            },
            splits.units,
            score=self.score,
            seed=splits.options.seed,
        )
        recommended, reason = recommend(rows, differences, score=self.score)
        return Comparison(
            rows=tuple(rows),
            score=self.score,
            splits={**splits.to_dict(), "file": self.folder.table.name},
            differences=differences,
            recommended=recommended,
            reason=reason,
            skipped=tuple(skipped),
            folder=self.folder.path,
        )

    def _load(self, row: ComparedModel) -> Features:
        return load(self.folder.path / row.file, row.layer)

    def _telling(self, name: str) -> Tell:
        def tell(now: Progress) -> None:
            self.tell(replace(now, stage=f"{name}: {now.stage}" if now.stage else name))

        return tell


def _none(skipped: Sequence[SkippedModel]) -> PenultError:
    return UsageError(
        "none of these could be compared: "
        + "; ".join(f"{one.model}: {one.reason}" for one in skipped)
        + f"; give others with {option('model')}"
    )


def _views(features: Features) -> str | None:
    found = [one.views for one in features.recipe.walk() if isinstance(one, AveragedRecipe)]
    return " and ".join(dict.fromkeys(found)) or None


def _product(shape: Sequence[int]) -> int:
    total = 1
    for one in shape:
        total *= int(one)
    return total


def _relative(file: Path, folder: Path) -> str:
    """The file as the folder names it, where it is in it."""
    if file.is_relative_to(folder):
        return file.relative_to(folder).as_posix()
    return str(file.absolute())
