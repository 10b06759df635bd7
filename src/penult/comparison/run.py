"""A comparison, one network after the other: what is finished is kept, what fails is named."""

from __future__ import annotations

import logging
from collections.abc import Sequence
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
from penult.extraction import Extraction
from penult.extractor import ModelRows
from penult.features.read import load
from penult.interface import option
from penult.partition.rows import row_length
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
from penult.tabular import text_columns

if TYPE_CHECKING:
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

        def leave_out(name: str, error: Exception) -> None:
            reason = str(error) or "it ran out of memory"
            _log.warning("penult: %s is left out: %s", name, reason)
            skipped.append(SkippedModel(name, reason))
            failures.append(error)

        for candidate in candidates:
            file, costs = candidate.file, dict[str, ModelCost]()
            try:
                if candidate.extraction is not None:
                    file, costs = self._extract(candidate, candidate.extraction)
            except (*_OF_ONE, MemoryError) as error:
                leave_out(candidate.name, error)
            if file is None:
                continue
            layers = load(file).layers
            for layer in layers:
                name, features = candidate.named(layer, among=layers), load(file, layer)
                splits = self._divide(features)
                try:
                    self._score(name, candidate, features, splits, file, costs.get(layer))
                except (TrainingError, MemoryError) as error:
                    leave_out(name, error)
            if self._results():
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

    def _score(
        self,
        name: str,
        candidate: Candidate,
        features: Features,
        splits: Splits,
        file: Path,
        cost: ModelCost | None,
    ) -> None:
        """Bring the rows of one layer as far as their results, unless these are there."""
        known = self.folder.result(name)
        where = _relative(file, self.folder.path)
        if known is not None and known.splits == splits.digest and known.row.file != where:
            raise UsageError(
                f"{self.folder.path} has compared {name} of {known.row.file} before, and {file} "
                "would take its name; rename the file, or write to another folder"
            )
        if known is not None and known.is_of(features, splits):
            if cost is not None:
                row = replace(known.row, cost=cost)
                self.folder.write_result(replace(known, row=row, measured=True))
            return
        images = score_rows(features, splits, tell=self._telling(name))
        leaves = features.recipe.leaves
        row = ComparedModel(
            name=name,
            model=candidate.model if candidate.file is None else features.recipe.network,
            layer=features.name,
            precision=" and ".join(dict.fromkeys(leaf.precision for leaf in leaves)),
            views=_views(features),
            features=row_length(features),
            images=len(features),
            missing=len(set(splits.ids).difference(map(str, features.ids))),
            bytes=file.stat().st_size,
            file=where,
            scores=images.scores,
            any_label=images.any_label_scores,
            cost=cost or ModelCost(),
        )
        self.folder.write_result(
            Result(
                row=row,
                images=images,
                recipe=features.recipe.to_json(),
                splits=splits.digest,
                measured=cost is not None,
            )
        )

    def _extract(
        self, candidate: Candidate, extraction: Extraction
    ) -> tuple[Path, dict[str, ModelCost]]:
        """Make the rows of a network, and measure what they cost, as far as that is not done."""
        file, name = self.folder.feature_file(candidate.name), candidate.name
        announce(f"{name}: opening", brief=True)
        opened = extraction.extractor.open()
        recipes = dict(zip(opened.names, opened.recipes, strict=True))
        there = {layer: load(file, layer).recipe for layer in _layers(file)}
        if there and there != recipes and not self.overwrite:
            raise RecipeMismatchError(
                f"{file} was made with another recipe than {name} has now; give "
                f"{option('overwrite', True)} to make it anew, or write to another folder"
            )
        costs: dict[str, ModelCost] = {}
        for layer, recipe in recipes.items() if self.cost else ():
            known = self.folder.result(candidate.named(layer, among=tuple(recipes)))
            if known is not None and known.measured and there == recipes:
                continue
            rows = extraction.extractor.rows
            if isinstance(rows, ModelRows) and not isinstance(recipe, JoinedRecipe):
                rows = replace(rows, layers=(recipe.layer,))
            announce(f"{name}: measuring what it costs")
            assert self.listing is not None
            # In a process of its own, and before any work is spent on it here: what takes more
            # memory than there is takes that process with it, and not this one.
            costs[layer] = measure_cost(
                replace(extraction.extractor, rows=rows),
                self.listing.records,
                readers=self.listing.readers,
            )
        if there != recipes or not self._is_listed(file):
            extraction.to_file(
                self.sources,
                file,
                overwrite=there != recipes,
                update=there == recipes,
                progress=self._telling(name),
            )
        return file, costs

    def _is_listed(self, file: Path) -> bool:
        """Whether a feature file is of the images as they are listed now, with their labels."""
        assert self.listing is not None
        features = load(file)
        columns = text_columns(features)
        there = dict(zip(columns["id"], columns["label"], strict=True))
        failed = {failure.id for failure in features.failures}
        now = {one.id: "|".join(sorted(one.labels)) or None for one in self.listing.records}
        return there == {name: label for name, label in now.items() if name not in failed}

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
    return BackboneError(
        "none of these could be compared: "
        + "; ".join(f"{one.model}: {one.reason}" for one in skipped)
        + f"; give others with {option('model')}"
    )


def _views(features: Features) -> str | None:
    found = [one.views for one in features.recipe.walk() if isinstance(one, AveragedRecipe)]
    return " and ".join(dict.fromkeys(found)) or None


def _layers(file: Path) -> tuple[str, ...]:
    return load(file).layers if file.exists() else ()


def _relative(file: Path, folder: Path) -> str:
    """The file as the folder names it, where it is in it."""
    if file.is_relative_to(folder):
        return file.relative_to(folder).as_posix()
    return str(file.absolute())
