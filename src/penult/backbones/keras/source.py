"""Keras 3 models with Keras's own layer names and preprocessing, on the torch backend."""

from __future__ import annotations

import os
import random
import sys
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from penult.backbones.backbone import Backbone
from penult.backbones.info import ModelInfo
from penult.backbones.keras.applications import KERAS_MODELS, keras_preprocessing
from penult.backbones.keras.network import KerasNetwork
from penult.backbones.metadata import BackboneMetadata
from penult.backbones.source import BackboneSource, missing_extra
from penult.backbones.weights.choice import WeightsChoice
from penult.backbones.weights.download import fetch_url
from penult.backbones.weights.info import WeightsInfo, sha256_of
from penult.backbones.weights.load import random_weights, user_weights
from penult.errors import BackboneError, UnknownNameError, WeightsError
from penult.extras import require_extra, require_torch
from penult.inputs import refuse_unread
from penult.interface import command
from penult.messages import first_line
from penult.threads import NetworkThreads

__all__ = ["Keras"]

SUFFIXES = (".h5", ".hdf5", ".keras")
"""Weights files Keras reads as numbers alone: of a ``.keras`` archive the configuration, which may
hold code, is left unread."""


class Keras(BackboneSource):
    """The models of ``keras.applications``, by the names of their functions, in any case."""

    prefix = "keras"
    cached = True

    def require(self, what: str) -> None:
        """Refuse everything where Keras or torch is missing."""
        require_extra(what, "keras", "keras")
        require_torch(what)

    def names(self) -> Iterable[str]:
        """The names, as Keras writes them."""
        return KERAS_MODELS

    def knows(self, name: str) -> bool:
        """Whether it is one of Keras's names, in any case."""
        return _spelled(name) in KERAS_MODELS

    def models(self) -> Iterable[ModelInfo]:
        """What is known of each; imports nothing."""
        for name, model in KERAS_MODELS.items():
            yield ModelInfo(
                name=f"keras:{name}",
                parameters=model.parameters,
                input_size=(model.size, model.size),
                features=model.features,
                licence=model.licence,
                top1=model.top1,
                weights=model.file,
                on_this_machine=(_cache() / model.file).is_file(),
            )

    def open(self, name: str, choice: WeightsChoice) -> Backbone:
        """Find the weights: those given, else in Keras's cache, else from where Keras gets them."""
        name = _spelled(name)
        if name.lower() == "nasnetmobile":
            raise BackboneError(
                "keras:NASNetMobile cannot be run: Keras itself refuses it on its torch backend, "
                "where it computes wrong numbers; take keras:NASNetLarge or keras:MobileNetV2"
            )
        if name not in KERAS_MODELS:
            missing = missing_extra(self)
            lists = f"{command('models', 'keras:*')} lists them all"
            raise UnknownNameError(
                "Keras model",
                name,
                KERAS_MODELS,
                hint=lists if missing is None else f"for it, type: {missing.install}",
            )
        self.require(f"keras:{name}")
        build: Callable[[], Any]
        if choice.weights == "random":
            model = _build(name, None)
            weights, build = random_weights(model), lambda: model
        else:
            file = choice.weights
            weights = _user_weights(name, file) if file else _find(name, offline=choice.offline)
            build = partial(_build, name, weights.path)
        metadata = BackboneMetadata(
            name=f"keras:{name}",
            architecture=f"keras/{name}",
            weights=weights,
            preprocessing=keras_preprocessing(KERAS_MODELS[name]),
            libraries=("torch", "keras"),
        )
        return Backbone(metadata, lambda: KerasNetwork(build()))


def _spelled(name: str) -> str:
    """The name as Keras writes it, where it is one of Keras's."""
    return {known.lower(): known for known in KERAS_MODELS}.get(name.lower(), name)


def _cache() -> Path:
    """Keras's own cache, so that what one of the two has downloaded, the other finds."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"


def _find(name: str, *, offline: bool) -> WeightsInfo:
    """The pretrained weights, from Keras's cache or from where Keras downloads them."""
    model = KERAS_MODELS[name]
    algorithm = "md5" if len(model.digest or "") == 32 else "sha256"
    path = _cache() / model.file
    fetch_url(
        model.url,
        model.file,
        model=f"keras:{name}",
        offline=offline,
        md5=model.digest if algorithm == "md5" else None,
        sha256_prefix=model.digest if algorithm == "sha256" else None,
        folder=_cache(),
    )
    return WeightsInfo(model.file, sha256_of(path), path)


def _user_weights(name: str, path: Path) -> WeightsInfo:
    if path.is_file() and path.suffix.lower() not in SUFFIXES:
        raise WeightsError(
            f"{path} is no weights file of Keras by its name; keras:{name} reads .weights.h5, .h5 "
            f"and .keras"
        )
    return user_weights(path)


def _build(name: str, path: Path | None) -> Any:
    """The model, in a thread of its own: Keras counts the names it makes up (``conv2d_93``) in
    thread-local state, so that they are the same however many models came before, and the caller's
    count and settings stay as they were."""
    _import_keras()
    with NetworkThreads(1) as pool:
        return pool.submit(_build_here, name, path).result()


def _build_here(name: str, path: Path | None) -> Any:
    import keras

    size = KERAS_MODELS[name].size
    config, before = keras.config, random.getstate()
    floatx, data_format = config.floatx(), config.image_data_format()
    try:
        # Keras's initialisers draw their seeds from Python's own generator.
        random.seed(0)
        config.set_floatx("float32")
        config.set_image_data_format("channels_last")
        with keras.device("cpu"):
            model = getattr(keras.applications, name)(
                weights=None, input_shape=(size, size, 3), classifier_activation=None
            )
            if path is not None:
                _load(model, name, path)
    finally:
        random.setstate(before)
        config.set_floatx(floatx)
        config.set_image_data_format(data_format)
    return model.requires_grad_(False)


def _load(model: Any, name: str, path: Path) -> None:
    try:
        with warnings.catch_warnings():
            # Keras merely warns of layers that it finds nothing for and leaves untrained.
            warnings.simplefilter("error", UserWarning)
            model.load_weights(path)
    except (UserWarning, ValueError, KeyError, OSError, TypeError, AttributeError) as error:
        refuse_unread(path, error)
        cause = first_line(error)
        raise WeightsError(
            f"{path} does not fit keras:{name}: {cause}; a file with the classifier on top is "
            f"needed, as {KERAS_MODELS[name].file} is"
        ) from error
    if name.startswith("EfficientNetB"):
        _divide_by_std(model)


def _divide_by_std(model: Any) -> None:
    """Make EfficientNet's normalisation what its weights were trained with.

    Their file has the standard deviations where the layer expects variances. Keras makes up for it
    with one more layer, which it adds only where it downloads the weights by itself
    (https://github.com/tensorflow/tensorflow/issues/49930).
    """
    import torch

    layer = model.get_layer("normalization")
    found = layer.adapt_variance.value
    deviations = torch.tensor([0.229, 0.224, 0.225]).view_as(found)
    if torch.allclose(found, deviations, atol=1e-4):
        layer.adapt_variance.assign(found * deviations)
        layer.finalize_state()


def _import_keras() -> None:
    """Import Keras on the torch backend, whatever the user's settings for other programs say."""
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "torch"
    import keras

    if keras.backend.backend() != "torch":
        raise BackboneError(
            f"Keras is already imported with the backend {keras.backend.backend()!r}, and penult "
            f"needs 'torch'; set KERAS_BACKEND=torch before the first import of keras"
        )
