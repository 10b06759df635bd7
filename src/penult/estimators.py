"""penult inside scikit-learn: a transformer from images to feature vectors."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from penult.backbones.weights.choice import WeightsChoice
from penult.checking import require_fitting
from penult.errors import UsageError
from penult.extractor import (
    EngineOptions,
    Extractor,
    ExtractorSpec,
    ModelRows,
    ReadingOptions,
    as_names,
)
from penult.images.in_memory import as_records
from penult.progress import ShowProgress, following
from penult.recipe import Pooling, Views, require_equal
from penult.wording import listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.recipe import Recipe

__all__ = ["FeatureExtractor"]


class FeatureExtractor(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A scikit-learn transformer from images to feature vectors.

    Images are paths, Pillow images, uint8 arrays (H, W), (H, W, 3) or (H, W, 4), or bytes and
    binary files that hold what an image's file does, in a list, an array or a column of a table,
    mixed at will; or one array (N, H, W, 3). Nothing is learned from
    them: a network that was trained before makes the rows.

    The network is opened by `fit` and belongs to the process, not to the estimator: copies of an
    estimator share it, and a pickled estimator holds none.

    Parameters
    ----------
    model : str or sequence of str, default="efficientnet_lite0"
        Backbone, as listed by ``penult models``, or several, whose rows are joined.
    layer : str or sequence of str, default="penultimate"
        One layer, as listed by ``penult layers``; several where they are joined.
    pooling : {"avg", "max", "gem", "cls", "flatten"}, optional
        How maps or tokens become a row; what suits the layer by default.
    normalize : {"none", "l2"}, default="none"
        ``"l2"`` scales each row to length 1, of every network and view before they are put
        together.
    views : {"flip", "five-crop", "ten-crop"}, optional
        Views of each image whose rows are averaged.
    join : bool, optional
        Whether the rows of all models and layers are joined to one, each scaled to length 1 first;
        by default those of several models are.
    weights : path or "random", optional
        A file to use in place of the pretrained weights.
    offline : bool, default=False
        Never touch the network.
    engine : str, default="auto"
        What runs the network.
    device : str, default="auto"
        What it runs on.
    batch_size : int, optional
        Images a call of the engine; chosen from the machine by default, it never changes a row.
    workers : int, optional
        Decoding threads; chosen from the machine by default.
    progress : bool or callable, default=False
        As for `penult.extract`; not shown by default, since scikit-learn calls estimators many
        times, and several at once.
    pool : str, optional
        The old name of `pooling`.

    Attributes
    ----------
    recipe_ : penult.Recipe
        How the rows are made. Where the network on a machine is another one than the network that
        an estimator was fitted with, `transform` refuses.
    name_ : str
        What the rows are called: the layer's name, or ``"joined"``.
    n_features_out_ : int
        The length of a row.
    """

    def __init__(
        self,
        model: str | Sequence[str] = "efficientnet_lite0",
        layer: str | Sequence[str] = "penultimate",
        pooling: Pooling | None = None,
        normalize: Literal["none", "l2"] = "none",
        views: Views | None = None,
        join: bool | None = None,
        weights: str | Path | None = None,
        offline: bool = False,
        engine: str = "auto",
        device: str = "auto",
        batch_size: int | None = None,
        workers: int | None = None,
        progress: ShowProgress = False,
        pool: str | None = "deprecated",
    ) -> None:
        self.model = model
        self.layer = layer
        self.pooling = pooling
        self.normalize = normalize
        self.views = views
        self.join = join
        self.weights = weights
        self.offline = offline
        self.engine = engine
        self.device = device
        self.batch_size = batch_size
        self.workers = workers
        self.progress = progress
        self.pool = pool

    def fit(self, X: Any = None, y: Any = None) -> FeatureExtractor:  # noqa: N803
        """Find the network, and check the options and the form of the images.

        Parameters
        ----------
        X : sequence of N images, optional
            As for `transform`; they are not read.
        y : object, optional
            Ignored.

        Returns
        -------
        FeatureExtractor
            Itself.

        Raises
        ------
        UsageError
            If an option or an image is not what it may be.
        UnknownNameError, WeightsError, MissingExtraError, EngineError
            If the network cannot be had or run.
        """
        self._check_options()
        if X is not None and not isinstance(X, Iterator):  # which could be gone through only once
            _require_some(len(as_records(X)))
        with following(self.progress):
            extractor = self._open()
            (shape,) = extractor.engine.row_shapes
        if self.pool != "deprecated":
            warnings.warn("pool is now called pooling", FutureWarning, stacklevel=2)
        if len(shape) > 1:
            raise UsageError(
                f"layer {self.layer!r} without pooling gives maps of shape {shape}, and a "
                f"transformer gives rows; give pooling='flatten', or leave pooling out"
            )
        self.recipe_: Recipe = extractor.recipes[0]
        self.name_: str = extractor.names[0]
        self.n_features_out_ = shape[0]
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:  # noqa: N803
        """Turn images into feature vectors.

        Parameters
        ----------
        X : sequence of N images
            Paths, Pillow images, uint8 arrays, bytes or binary files, as the class says.

        Returns
        -------
        float32 array, shape (N, n_features_out_)
            A row an image, in their order.

        Raises
        ------
        ImageError
            At the first image that cannot be read; names it. A transformer cannot leave out rows.
        UsageError
            If there is no image, or an element is none.
        RecipeMismatchError
            If the network on this machine is another one than `fit` found.
        """
        check_is_fitted(self)
        extractor = self._open()
        require_equal(
            self.recipe_,
            extractor.recipes[0],
            name="the fitted FeatureExtractor",
            other_name=f"{self.model} on this machine",
        )
        rows = extractor(X, progress=self.progress)
        _require_some(len(rows))
        return rows

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the numbers of a row: ``penultimate_0``, ``joined_1`` and so on.

        Parameters
        ----------
        input_features : object, optional
            Ignored.

        Returns
        -------
        object array, shape (n_features_out_,)
            The names, as str.
        """
        check_is_fitted(self)
        name = getattr(self, "name_", self.recipe_.layer)  # older pickles have none
        names = [f"{name}_{k}" for k in range(self.n_features_out_)]
        return np.array(names, dtype=object)

    def _pooling(self) -> str | None:
        if self.pool == "deprecated":
            return self.pooling
        if self.pooling is not None:
            raise UsageError("pool is the old name of pooling; give pooling alone")
        return self.pool

    def _check_options(self) -> None:
        if isinstance(self.layer, list | tuple) and self.join is None and self._of_one:
            raise UsageError(
                f"layer is {self.layer!r}; a transformer gives one row an image: give one name, "
                "or join=True"
            )
        require_fitting(type(self).__init__, self.get_params())
        for name in ("batch_size", "workers"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, Integral) and int(value) >= 1):
                raise UsageError(f"{name} is {value!r}; give a whole number of 1 or more, or None")

    @property
    def _of_one(self) -> bool:
        return len(as_names(self.model)) == 1

    def _open(self) -> Extractor:
        spec = ExtractorSpec(
            rows=ModelRows(
                models=as_names(self.model),
                layers=as_names(self.layer),
                pooling=self._pooling(),
                normalize=self.normalize,
                views=self.views,
                join=self.join,
            ),
            weights=WeightsChoice.of(self.weights, offline=self.offline),
            engine=EngineOptions(
                engine=self.engine, device=self.device, batch_size=self.batch_size
            ),
            reading=ReadingOptions(workers=self.workers),
        )
        extractor = spec.shared()
        if len(names := extractor.names) > 1:
            if self.join is False and not self._of_one:
                raise UsageError(
                    f"join=False gives {len(names)} rows an image ({listed(names, 5)}), and a "
                    "transformer one; leave it out"
                )
            raise UsageError(
                f"the layer {self.layer!r} is {len(names)} layers ({listed(names, 5)}); name one"
            )
        return extractor

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "pooling" not in state:  # pickled when it was called pool
            state = {**state, "pooling": state.get("pool"), "pool": "deprecated"}
        super().__setstate__({"progress": False, "views": None, "join": None, **state})

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        return tags


def _require_some(images: int) -> None:
    if not images:
        raise UsageError("no images were given (0 sample(s)); give 1 or more")
