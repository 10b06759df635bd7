"""An opened network that turns images into rows, and the description it is opened from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence, Sized
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from penult.backbones.registry import DEFAULT_MODEL, pointing_to_conversion
from penult.backbones.training_images import training_images
from penult.backbones.weights.choice import WeightsChoice
from penult.checking import checked
from penult.engines.composition import Composition
from penult.engines.pipeline import Block, run
from penult.errors import UsageError
from penult.extractor.opened import OpenedBackbone, shared_backbone
from penult.extractor.options import EngineOptions, ReadingOptions
from penult.extractor.rows import ModelRows, RecipeRows, as_names, by_network
from penult.images.in_memory import as_records
from penult.progress import ShowProgress, following
from penult.recipe import Pooling, Precision, Recipe, Views, require_equal
from penult.records import Progress
from penult.representation import short
from penult.wording import count

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from penult.backbones.backbone import Backbone
    from penult.recipe import AugmentedRecipe
    from penult.records import ImageRecord

__all__ = ["Extractor", "ExtractorSpec"]


@dataclass(frozen=True, kw_only=True)
class ExtractorSpec:
    """What an extractor is opened from: small, frozen and picklable.

    Attributes
    ----------
    rows : ModelRows or RecipeRows
        Which rows it gives.
    weights : WeightsChoice
        Where the network's weights are.
    engine : EngineOptions
        What runs the network.
    reading : ReadingOptions
        How images are read.
    """

    rows: ModelRows | RecipeRows = field(default_factory=ModelRows)
    weights: WeightsChoice = field(default_factory=WeightsChoice)
    engine: EngineOptions = field(default_factory=EngineOptions)
    reading: ReadingOptions = field(default_factory=ReadingOptions)

    def open(self, *, images: int | None = None) -> Extractor:
        """Open an extractor of its own; its engine is opened when it is first asked for.

        Parameters
        ----------
        images : int or None
            How many there are, where that is known: no batch is prepared that never comes.

        Raises
        ------
        UnknownNameError, UsageError, WeightsError, MissingExtraError, RecipeMismatchError
        """
        return Extractor._over(self, self.open_backbones(), images)

    def shared(self) -> Extractor:
        """Open an extractor over the network that this process keeps for all who ask for it.

        Raises
        ------
        UnknownNameError, UsageError, WeightsError, MissingExtraError, RecipeMismatchError
        """
        extractor = Extractor._unopened(self)
        _ = extractor.recipes  # what is wrong with it is said now
        return extractor

    def open_backbones(self) -> tuple[OpenedBackbone, ...]:
        """Open the backbones alone."""
        return self._opened(
            lambda name, choice: OpenedBackbone(name, choice, use_cache=not self.engine.fresh)
        )

    def shared_backbones(self) -> tuple[OpenedBackbone, ...]:
        """Open the backbones alone, or find them where this process keeps them."""
        return self._opened(lambda name, choice: shared_backbone(name, choice, self.engine))

    def _opened(
        self, open_one: Callable[[str, WeightsChoice], OpenedBackbone]
    ) -> tuple[OpenedBackbone, ...]:
        opened = []
        for network in self.rows.networks(self.weights):
            with pointing_to_conversion(network.recorded):
                opened.append(open_one(network.name, network.choice))
        return tuple(opened)


class Extractor:
    """An opened network: give it images, get their feature vectors, again and again.

    Any number of threads may use one; they take turns. A pickled extractor holds only its
    description, and opens the network where it is first used, once a process: what is wrong then is
    raised there. See docs/extractor.md.

    Parameters
    ----------
    model : str, sequence of str, or Recipe, default="efficientnet_lite0"
        Backbone, as listed by ``penult models``, or several; or the recipe of a feature file or a
        classifier, which says the layer, pooling and so on itself.
    layer : str or sequence of str, default="penultimate"
        One name, or several names and globs; all come from one forward pass. Each has to be a
        layer of one of the models at least.
    pooling : {"avg", "max", "gem", "cls", "flatten", "none"}, optional
        How maps or tokens become a row; what suits the layer by default.
    normalize : {"none", "l2"}, default="none"
        ``"l2"`` scales each row to length 1, of every network and view before they are put
        together.
    views : {"flip", "five-crop", "ten-crop"}, optional
        Views of each image whose rows are averaged.
    join : bool, optional
        Whether the rows of all models and layers are joined to one, each scaled to length 1 first;
        by default those of several models are.
    weights : path, sequence of paths, or "random", optional
        A file to use in place of the pretrained weights. Of a recipe, where the weights file is
        now, if not where it was; of several networks, those that moved.
    offline : bool, default=False
        Never touch the network.
    architecture : str, optional
        For a plain state dict (``checkpoint:PATH``), the backbone that it fits.
    decode : {"exact", "scaled"}, default="exact"
        ``"scaled"`` decodes large JPEGs several times as fast, for rows that differ a little.
    resize : {"exact", "fast"}, default="exact"
        ``"fast"`` resizes six times as fast, for pixels that differ by one here and there.
    precision : {"float32", "float16", "bfloat16"}, default="float32"
        ``"bfloat16"`` takes half the time on a CPU that has it, for rows that differ a little; on
        a CUDA GPU, half precisions are autocast.
    engine : str, default="auto"
        What runs the network.
    device : str, default="auto"
        What it runs on.
    batch_size : int, optional
        Images a call of the engine. Like `workers` and `streams`, it is chosen from the machine by
        default, and never changes a row.
    workers : int, optional
        Decoding threads; from 12 on, of small photos, processes.
    streams : int, optional
        Images in the engine openvino at the same time.
    max_pixels : int, optional
        Refuse larger images, from their header.
    allow_truncated : bool, default=False
        Take what there is of truncated and damaged images.

    Attributes
    ----------
    spec : ExtractorSpec
        What it was opened from.

    Raises
    ------
    UsageError, BackboneError, EngineError
        If an option is wrong, or the network cannot be had or run.
    RecipeMismatchError
        If the backbone on this machine is not the one that the recipe names.
    """

    spec: ExtractorSpec

    @checked
    def __init__(
        self,
        model: str | Sequence[str] | Recipe = DEFAULT_MODEL,
        *,
        layer: str | Sequence[str] = "penultimate",
        pooling: Pooling | None = None,
        normalize: Literal["none", "l2"] = "none",
        views: Views | None = None,
        join: bool | None = None,
        weights: str | Path | Sequence[str | Path] | None = None,
        offline: bool = False,
        architecture: str | None = None,
        decode: Literal["exact", "scaled"] = "exact",
        resize: Literal["exact", "fast"] = "exact",
        precision: Precision = "float32",
        engine: str = "auto",
        device: str = "auto",
        batch_size: int | None = None,
        workers: int | None = None,
        streams: int | None = None,
        max_pixels: int | None = None,
        allow_truncated: bool = False,
    ) -> None:
        if hasattr(model, "recipe") and not isinstance(model, str | Recipe):
            raise UsageError(
                f"model is of type {type(model).__name__}; give the name of a backbone, or a "
                "Recipe, such as its .recipe"
            )
        rows: ModelRows | RecipeRows = ModelRows(
            models=as_names(DEFAULT_MODEL if isinstance(model, Recipe) else model),
            layers=as_names(layer),
            pooling=pooling,
            normalize=normalize,
            views=views,
            join=join,
            decode=decode,
            resize=resize,
            precision=precision,
        )
        if isinstance(model, Recipe):
            if rows != ModelRows():
                raise UsageError(
                    "a recipe says itself which layer, pooling, normalisation, views, joining, "
                    "decoding, resizing and precision its rows have; give it without them"
                )
            rows = RecipeRows((model,), "the recipe")
        choice = (
            WeightsChoice.moved(weights, offline=offline)
            if isinstance(rows, RecipeRows) and architecture is None
            else WeightsChoice.of(weights, offline=offline, architecture=architecture)
        )
        spec = ExtractorSpec(
            rows=rows,
            weights=choice,
            engine=EngineOptions(
                engine=engine, device=device, batch_size=batch_size, streams=streams
            ),
            reading=ReadingOptions(
                workers=workers, max_pixels=max_pixels, allow_truncated=allow_truncated
            ),
        )
        with following(None):
            self._set(spec, spec.open_backbones())
            _ = self.engine  # what is wrong with it is said now

    def _set(
        self,
        spec: ExtractorSpec,
        opened: tuple[OpenedBackbone, ...] | None,
        images: int | None = None,
    ) -> None:
        self.spec = spec
        self._opened = opened
        self._recipes: dict[str, Recipe] | None = None
        self._closed = False
        self._images = images
        self._process = os.getpid()

    @classmethod
    def _over(
        cls, spec: ExtractorSpec, opened: tuple[OpenedBackbone, ...], images: int | None = None
    ) -> Extractor:
        extractor = cls.__new__(cls)
        extractor._set(spec, opened, images)
        _ = extractor.recipes
        return extractor

    @classmethod
    def _unopened(cls, spec: ExtractorSpec) -> Extractor:
        extractor = cls.__new__(cls)
        extractor._set(spec, None)
        return extractor

    def __reduce__(self) -> tuple[Callable[[ExtractorSpec], Extractor], tuple[ExtractorSpec]]:
        # Nothing is opened by unpickling: a worker of a `multiprocessing.Pool` dies of an error in
        # what it is sent, and the parent waits for ever.
        return Extractor._unopened, (self.spec,)

    def __repr__(self) -> str:
        rows, engine = self.spec.rows, self.spec.engine.engine
        told = [short(rows.told), f"layer={short(list(rows.layers))}"]
        told += [f"{name}={value!r}" for name, value in rows.changed.items()]
        given = (self.spec.weights.weights, *self.spec.weights.others)
        if weights := [str(one) for one in given if one is not None]:
            told.append(f"weights={short(weights if len(weights) > 1 else weights[0])}")
        if self.spec.reading.allow_truncated:
            told.append("allow_truncated=True")
        return f"Extractor({', '.join(told)}, engine={engine!r})"

    def __enter__(self) -> Self:
        self._require_open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, images: Any, *, progress: ShowProgress = None) -> NDArray[np.float32]:
        """Turn images into feature vectors.

        Parameters
        ----------
        images : sequence of paths, Pillow images, uint8 arrays, bytes and binary files
            As for `penult.FeatureExtractor`.
        progress : bool or callable, optional
            As for `penult.extract`.

        Returns
        -------
        float32 array, shape (N, D)
            A row an image, in their order; (N, C, H, W) or (N, T, D) without pooling.

        Raises
        ------
        ImageError
            At the first image that cannot be read, or for which the network gives no finite
            numbers; names it.
        UsageError
            If an element is no image, or the extractor has several layers.
        """
        if len(self.recipes) > 1:
            raise UsageError(
                f"this extractor gives the rows of "
                f"{count(len(self.recipes), 'layer')}; by_layer(images) has them by name"
            )
        return self._rows(images, progress)[0]

    def by_layer(
        self, images: Any, *, progress: ShowProgress = None
    ) -> dict[str, NDArray[np.float32]]:
        """Turn images into feature vectors of each layer; see `__call__`.

        Parameters
        ----------
        images : sequence of paths, Pillow images, uint8 arrays, bytes and binary files
            As for `penult.FeatureExtractor`.
        progress : bool or callable, optional
            As for `penult.extract`.

        Returns
        -------
        dict of str to float32 array, shape (N, ...)
            Layer to rows, in execution order; where there are several models, what is before a
            slash is the model.
        """
        return dict(zip(self.names, self._rows(images, progress), strict=True))

    def blocks(
        self,
        records: Iterable[ImageRecord],
        *,
        readers: int | None = None,
        total: int | None = None,
        dtype: Literal["float32", "float16"] = "float32",
        known: Callable[[str], bool] | None = None,
        stop_on_error: bool | None = None,
        augmented: AugmentedRecipe | None = None,
    ) -> Generator[Block, None, None]:
        """Read records ahead, and give their outcomes in order, some at a time.

        Parameters
        ----------
        records : iterable of ImageRecord
            The images.
        readers : int, optional
            Decoding threads that suit the records' source, where the reading options do not say.
        total : int, optional
            How many records there are, where they have no length: of many, processes may decode.
        dtype : {"float32", "float16"}
            Of the rows; an image whose row it cannot hold is a failure.
        known : callable, optional
            Whether the row of an image with this digest is known already, so that it is only read.
        stop_on_error : bool, optional
            Raise at the first image that fails; what the reading options say by default.
        augmented : AugmentedRecipe, optional
            How augmented views are made, where some of the records are such.

        Returns
        -------
        generator of Block
            Outcomes of some images, and the rows of those that have one.

        Raises
        ------
        ImageError
            Names the image.
        """
        reading = self.spec.reading
        length = len(records) if isinstance(records, Sized) else None
        return run(
            records,
            self.engine_for(length),
            workers=reading.workers,
            waiters=readers,
            total=total or length,
            stop_on_error=reading.on_error == "fail" if stop_on_error is None else stop_on_error,
            max_pixels=reading.max_pixels,
            allow_truncated=reading.allow_truncated,
            dtype=dtype,
            known=known,
            augmented=augmented,
        )

    def close(self) -> None:
        """Let go of the network; asked for rows, the extractor refuses from then on."""
        self._opened, self._closed = None, True

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """How the rows of each layer are made, in execution order."""
        return tuple(self._named().values())

    @property
    def names(self) -> tuple[str, ...]:
        """What the rows are called, one a recipe: the layer's name, where there is one network."""
        return tuple(self._named())

    @property
    def trained_on(self) -> tuple[NDArray[np.uint64] | None, ...]:
        """Keys of the images that trained the networks, one array a recipe.

        None where that is not known of any of its networks; see `penult.content_keys`.
        """
        known = {
            one.weights.sha256: keys
            for one in self.backbones
            if (keys := training_images(one.weights.path)) is not None
        }

        def of(recipe: Recipe) -> NDArray[np.uint64] | None:
            digests = dict.fromkeys(leaf.weights_sha256 for leaf in recipe.leaves)
            found = [known[digest] for digest in digests if digest in known]
            return np.unique(np.concatenate(found)) if found else None

        return tuple(map(of, self.recipes))

    @property
    def backbones(self) -> tuple[Backbone, ...]:
        """The facts of each network: its name, weights, preprocessing and layers."""
        return tuple(opened.backbone for opened in self._here())

    @property
    def engine(self) -> Composition:
        """What runs the networks; opened when it is first asked for.

        Raises
        ------
        UsageError, EngineError
            If a network cannot be run as asked, or the extractor is closed.
        """
        return self.engine_for(None)

    def engine_for(self, images: int | None) -> Composition:
        """Open what runs the networks, or find it, and have it suit so many images.

        Parameters
        ----------
        images : int or None
            How many come first; None where that is not known.

        Returns
        -------
        Composition
            Over the engines that were opened before, whatever for, where there are some.
        """
        images = self._images if images is None else images
        if images is not None:
            images *= len({view for recipe in self.recipes for _, view in recipe.needs()})
        engines = [
            opened.engine(own, self.spec.engine, images=images)
            for opened, own in zip(self._here(), by_network(self.recipes), strict=True)
        ]
        return Composition(self.recipes, engines)

    def _named(self) -> dict[str, Recipe]:
        if self._recipes is None:
            self._recipes = self._recipes_of(self._here())
        return self._recipes

    def _here(self) -> tuple[OpenedBackbone, ...]:
        self._require_open()
        opened = self._opened
        if opened is None or self._process != os.getpid():
            # A forked child has the parent's network, but not its threads and its locks.
            opened = self.spec.shared_backbones()
            if self._recipes is not None:  # whose weights file may be another by now
                name = f"{' and '.join(one.backbone.name for one in opened)} as it is now"
                found = self._recipes_of(opened)
                for ours, theirs in zip(self._recipes.values(), found.values(), strict=True):
                    require_equal(ours, theirs, name="the extractor", other_name=name)
            self._opened, self._process = opened, os.getpid()
        return opened

    def _recipes_of(self, opened: Sequence[OpenedBackbone]) -> dict[str, Recipe]:
        with ExitStack() as turns:
            for turn in dict.fromkeys(one.turn for one in opened):
                turns.enter_context(turn)
            return self.spec.rows.recipes([one.backbone for one in opened])

    def _require_open(self) -> None:
        if self._closed:
            raise UsageError("this extractor is closed; open another")

    def _rows(self, images: Any, progress: ShowProgress) -> list[NDArray[np.float32]]:
        records = as_records(images)
        with following(progress) as tell:
            shapes = self.engine_for(len(records)).row_shapes
            rows = [np.empty((len(records), *row), np.float32) for row in shapes]
            now = Progress(0, len(records), 0, stage="extract")
            tell(now)
            for block in self.blocks(records, stop_on_error=True):
                for ours, new in zip(rows, block.rows, strict=True):
                    ours[now.done : now.done + len(new)] = new
                now = replace(now, done=now.done + len(block.outcomes))
                tell(now)
        return rows
