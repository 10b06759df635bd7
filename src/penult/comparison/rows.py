"""The rows of each network: found in the folder by their recipe, joined of such, or extracted."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from penult.combine.join import join
from penult.comparison.candidates import Candidate
from penult.comparison.cost import count_cost, licences_of, measure_cost
from penult.comparison.folder import ComparisonFolder
from penult.errors import FeatureFileError, RecipeMismatchError, UnreadableFileError
from penult.extractor import ExtractorSpec, ModelRows
from penult.features.read import layer_recipes, load
from penult.features.resume.store import is_leftover
from penult.interface import option
from penult.progress import Tell, announce
from penult.recipe import JoinedRecipe, Recipe
from penult.records import Features, ModelCost
from penult.tabular import text_columns

if TYPE_CHECKING:
    from penult.backbones.backbone import Backbone
    from penult.comparison.splits import Splits
    from penult.extraction import Extraction
    from penult.images.listing import Listing
    from penult.images.sources.base import SourceArgument

__all__ = ["CandidateRows", "RowMaker", "telling"]

_Place = tuple[Path, str]
"""A feature file, and what the rows are called in it."""


@dataclass(frozen=True)
class CandidateRows:
    """The rows of one layer of a candidate.

    Attributes
    ----------
    name : str
        What they are called in the comparison.
    model : str
        The network.
    features : Features
        The rows.
    file : Path
        The file they are in.
    cost : ModelCost or None
        What they cost, where that was not known before.
    measured : bool
        Whether that was measured, and not only counted.
    """

    name: str
    model: str
    features: Features
    file: Path
    cost: ModelCost | None = None
    measured: bool = False


@dataclass(frozen=True, kw_only=True)
class RowMaker:
    """Makes the rows of candidates, as far as the folder does not have them.

    Attributes
    ----------
    folder : ComparisonFolder
        Where they lie.
    sources : sequence of path or str
        The images.
    listing : Listing or None
        The images as they were listed; None where there are rows already.
    cost : bool
        Whether costs are measured.
    overwrite : bool
        Whether rows that were made otherwise are made anew.
    tell : callable
        Told of the progress.
    """

    folder: ComparisonFolder
    sources: Sequence[SourceArgument] = ()
    listing: Listing | None = None
    cost: bool = True
    overwrite: bool = False
    tell: Tell
    _measured: dict[Hashable, ModelCost] = field(default_factory=dict, init=False, repr=False)

    def make(self, candidate: Candidate, splits: Splits | None) -> list[CandidateRows]:
        """Return the rows of each layer of a candidate.

        Parameters
        ----------
        candidate : Candidate
            Networks, or a file of rows.
        splits : Splits or None
            How the images are divided, if they are.

        Raises
        ------
        PenultError
            As `penult.extract` does; a `RecipeMismatchError` if a file that is to be written has
            rows of the same name that were made otherwise.
        """
        extraction = candidate.extraction
        if extraction is None:
            assert candidate.file is not None
            return _given(candidate, candidate.file)
        announce(f"{candidate.name}: opening", brief=True)
        opened = extraction.extractor.open()  # and let go of again
        recipes = dict(zip(opened.names, opened.recipes, strict=True))
        backbones = opened.backbones
        del opened
        names = {layer: candidate.named(layer, among=tuple(recipes)) for layer in recipes}
        stored = self._find(tuple(recipes.values()))
        missing = {layer: one for layer, one in recipes.items() if one not in stored}
        # Before any work is spent on it here: what takes more memory than there is takes the
        # process in which it is measured with it, and not this one.
        costs = {
            layer: self._measure(
                candidate.name, _of_layer(extraction, recipes[layer]), recipes[layer], backbones
            )
            for layer, name in names.items()
            if self.cost and not (layer not in missing and self._is_measured(name, splits))
        }
        for file in {file for file, _ in stored.values()}:
            if self.overwrite or not self._is_current(file):
                _of_layers(extraction, _stored_recipes(file)).to_file(
                    self.sources, file, update=True, progress=telling(self.tell, candidate.name)
                )
        if missing:
            file = self._make(candidate, extraction, missing, whole=len(missing) == len(recipes))
            stored |= {recipe: (file, layer) for layer, recipe in missing.items()}
        counted = {} if self.cost else self._count(extraction, recipes, names, splits)
        return [
            CandidateRows(
                name,
                candidate.model,
                load(*stored[recipes[layer]]),
                stored[recipes[layer]][0],
                costs.get(layer, counted.get(layer)),
                layer in costs,
            )
            for layer, name in names.items()
        ]

    def _find(self, wanted: Collection[Recipe]) -> dict[Recipe, _Place]:
        """Where rows of these recipes lie in the folder, whatever they were made for."""
        found: dict[Recipe, _Place] = {}
        for file in sorted((self.folder.path / "features").glob("*.h5")):
            for layer, recipe in _stored_recipes(file).items():
                if recipe in wanted:
                    found.setdefault(recipe, (file, layer))
        return found

    def _make(
        self,
        candidate: Candidate,
        extraction: Extraction,
        missing: Mapping[str, Recipe],
        *,
        whole: bool,
    ) -> Path:
        """Make rows that are not there; joined ones of those of their networks, if these are."""
        file = self.folder.feature_file(candidate.name)
        if not whole or (file.exists() and not missing.keys() & _stored_recipes(file).keys()):
            # Other layers of the network are there: these get a file of their own.
            file = self.folder.feature_file(f"{candidate.name}, {', '.join(missing)}")
        if file.exists() and not self.overwrite:
            raise RecipeMismatchError(
                f"{file} was made with another recipe than {candidate.name} has now; give "
                f"{option('overwrite', True)} to make it anew, or write to another folder"
            )
        tell = telling(self.tell, candidate.name)
        recipe = next(iter(missing.values()))
        if isinstance(recipe, JoinedRecipe) and len(missing) == 1:
            parts = self._find(recipe.parts)
            if all(part in parts and self._is_current(parts[part][0]) for part in recipe.parts):
                rows = [load(*parts[part]) for part in recipe.parts]
                join(rows, file, overwrite=self.overwrite, progress=tell)
                return file
        _of_layers(extraction, missing).to_file(
            self.sources, file, overwrite=file.exists(), progress=tell
        )
        return file

    def _is_measured(self, name: str, splits: Splits | None) -> bool:
        known = None if splits is None else self.folder.result(name, splits)
        return known is not None and known.measured

    def _measure(
        self, name: str, extractor: ExtractorSpec, recipe: Recipe, backbones: Sequence[Backbone]
    ) -> ModelCost:
        """Measure what it costs, once for each network, whatever its weights are.

        What differed between two of one network would be the machine's doing.
        """
        # By the forms of a network, the engine is chosen that runs it.
        forms = tuple((one.metadata.forms, one.metadata.converted_from) for one in backbones)
        network = _without_weights(recipe), forms
        if network in self._measured:
            return replace(self._measured[network], licence=licences_of(backbones))
        announce(f"{name}: measuring what it costs")
        assert self.listing is not None
        cost = measure_cost(extractor, self.listing.records, readers=self.listing.readers)
        self._measured[network] = cost
        return cost

    def _count(
        self,
        extraction: Extraction,
        recipes: Mapping[str, Recipe],
        names: Mapping[str, str],
        splits: Splits | None,
    ) -> dict[str, ModelCost]:
        """What the networks have and do, whatever runs them, of those of which it is not known."""
        found = {}
        for layer, name in names.items():
            known = None if splits is None else self.folder.result(name, splits)
            if known is None or known.row.cost == ModelCost():
                found[layer] = count_cost(_of_layer(extraction, recipes[layer]).open())
        return found

    def _is_current(self, file: Path) -> bool:
        """Whether a feature file is of the images as they are now, as far as that is cheap to say.

        Their labels are compared. Their bytes are not, but no file may have changed since: not its
        content, and not what lies under its name.
        """
        return (
            self._is_listed(file)
            and not is_leftover(file)
            and self._newest < file.stat().st_mtime_ns
        )

    @cached_property
    def _newest(self) -> int:
        """When the image file that changed last did, in nanoseconds."""
        assert self.listing is not None
        paths = (one.path for one in self.listing.records)
        return max((_changed(path) for path in paths if path is not None), default=0)

    def _is_listed(self, file: Path) -> bool:
        """Whether a feature file is of the images as they are listed now, with their labels."""
        assert self.listing is not None
        features = load(file)
        columns = text_columns(features)
        there = dict(zip(columns["id"], columns["label"], strict=True))
        failed = {failure.id for failure in features.failures}
        now = {one.id: "|".join(sorted(one.labels)) or None for one in self.listing.records}
        return there == {name: label for name, label in now.items() if name not in failed}


def telling(tell: Tell, name: str) -> Tell:
    """Tell whose step it is."""
    return lambda now: tell(replace(now, stage=f"{name}: {now.stage}" if now.stage else name))


def _given(candidate: Candidate, file: Path) -> list[CandidateRows]:
    """Each set of rows that there is already."""
    layers = load(file).layers
    found = []
    for layer in layers:
        features = load(file, layer)
        name = candidate.named(layer, among=layers)
        found.append(CandidateRows(name, features.recipe.network, features, file))
    return found


def _of_layer(extraction: Extraction, recipe: Recipe) -> ExtractorSpec:
    """What makes the rows of one layer alone."""
    return _of_layers(extraction, {"": recipe}).extractor


def _of_layers(extraction: Extraction, recipes: Mapping[str, Recipe]) -> Extraction:
    """The same of some layers alone."""
    rows = extraction.extractor.rows
    layers = tuple(one.layer for one in recipes.values() if not isinstance(one, JoinedRecipe))
    if isinstance(rows, ModelRows) and layers:
        rows = replace(rows, layers=layers)
    return replace(extraction, extractor=replace(extraction.extractor, rows=rows))


def _without_weights(recipe: Recipe) -> Recipe:
    """What the network of each leaf computes, whatever its weights are."""
    return recipe.with_leaves({leaf: replace(leaf, weights_sha256="") for leaf in recipe.leaves})


def _stored_recipes(file: Path) -> dict[str, Recipe]:
    """How the rows were made that lie in a file that was made here.

    Raises
    ------
    FeatureFileError
    """
    try:
        found = layer_recipes(file) if file.exists() else {}
    except UnreadableFileError:
        raise  # it may be as good as it was
    except FeatureFileError as error:
        reason = str(error).partition("; make one with")[0]
        raise FeatureFileError(f"{reason}; remove it, and it is made anew") from error
    return {layer: recipe for layer, (recipe, _) in found.items()}


def _changed(path: Path) -> int:
    """When a file was last written, renamed or put in place of another."""
    try:
        status = path.stat()
    except OSError:
        return 0
    return max(status.st_mtime_ns, status.st_ctime_ns)
