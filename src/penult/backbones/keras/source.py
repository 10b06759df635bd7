"""Keras 3 models with Keras's own layer names and preprocessing, on the torch backend."""

from __future__ import annotations

import os
import random
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.backbones.base import Backbone, Card, Layer, Source, Weights, WeightsChoice, sha256_of
from penult.backbones.keras.applications import KERAS_MODELS, keras_preprocessing
from penult.errors import BackboneError, MissingExtraError, UnknownNameError, WeightsError
from penult.messages import first_line

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Keras", "KerasBackbone"]

SUFFIXES = (".h5", ".hdf5", ".keras")
"""Weights files Keras reads as numbers alone: of a ``.keras`` archive the configuration, which may
hold code, is left unread."""


class Keras(Source):
    """The models of ``keras.applications``, by the names of their functions, in any case."""

    prefix = "keras"

    def names(self) -> Iterable[str]:
        """The names, as Keras writes them."""
        return KERAS_MODELS

    def knows(self, name: str) -> bool:
        """Whether it is one of Keras's names, in any case."""
        return _spelled(name) in KERAS_MODELS

    def cards(self, pattern: str = "*") -> Iterable[Card]:
        """What is known of each; imports nothing."""
        pattern = pattern.lower()
        for name, model in KERAS_MODELS.items():
            if fnmatch(name.lower(), pattern) or fnmatch(f"keras:{name}".lower(), pattern):
                yield Card(
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
            raise UnknownNameError(
                "Keras model", name, KERAS_MODELS, hint="penult models 'keras:*' lists them all"
            )
        if find_spec("keras") is None:
            raise MissingExtraError(f"keras:{name}", "keras")
        if choice.given == "random":
            from penult.backbones.weights.load import random_weights

            model = _build(name, None)
            weights, build = random_weights(model), lambda: model
        else:
            given = choice.given
            weights = _given(name, given) if given else _find(name, offline=choice.offline)
            build = partial(_build, name, weights.path)
        return KerasBackbone(name, weights, build)


class KerasBackbone(Backbone):
    """A Keras model; its layers are the operations of its graph, not torch modules.

    Maps are laid out (N, H, W, C), as Keras computes them. ``penultimate`` is the input of the
    last layer that has weights, ``logits`` the model's output without its softmax.

    Parameters
    ----------
    name : as Keras writes it
    build : makes the ``keras.Model`` with its weights loaded; called once, when first needed
    """

    libraries = ("torch", "keras")

    def __init__(self, name: str, weights: Weights, build: Callable[[], Any]) -> None:
        self.name = f"keras:{name}"
        self.architecture = f"keras/{name}"
        self.weights = weights
        self.preprocessing = keras_preprocessing(KERAS_MODELS[name])
        self._build = build

    @cached_property
    def model(self) -> Any:
        """The whole ``keras.Model``."""
        return self._build()

    @cached_property
    def _outputs(self) -> dict[str, tuple[str, Any]]:
        """Name to (type, symbolic tensor), in execution order, the two ends last."""
        outputs = {}
        head = None
        for operation in self.model.operations:
            # Not `operation.output`: of a model in the model, that is a tensor of its own graph.
            node = operation._inbound_nodes[-1]
            if node.is_input:
                continue
            outputs[operation.name] = (type(operation).__name__, node.output_tensors[0])
            if getattr(operation, "weights", None):
                head = node.input_tensors[0]
        # MobileNetV3 has a layer named logits: the same numbers, laid out (1, 1, classes).
        outputs.pop("logits", None)
        outputs["penultimate"] = ("input of the classifier", head)
        outputs["logits"] = ("output of the network", self.model.outputs[0])
        return outputs

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Every layer that gives maps or vectors; shapes from the graph, nothing is run."""
        layers = []
        for name, (kind, tensor) in self._outputs.items():
            shape = tuple(tensor.shape[1:])
            if name == "penultimate" or len(shape) == 1:
                # MobileNet's classifiers are convolutions over (1, 1, C): a vector all the same.
                layers.append(Layer(name, kind, (shape[-1],), "vector"))
            elif len(shape) == 3:
                layers.append(Layer(name, kind, shape, "NHWC"))
        return tuple(layers)

    def cut(self, layers: Sequence[str]) -> nn.Module:
        """Build a model that ends with `layers`; the graph's other branches are not run."""
        shapes = [self.layer(name).shape for name in layers]
        from penult.backbones.keras.cut import KerasCut  # imports Keras, set up by now

        return KerasCut(self.model, [self._outputs[name][1] for name in layers], shapes)


def _spelled(name: str) -> str:
    """The name as Keras writes it, where it is one of Keras's."""
    return {known.lower(): known for known in KERAS_MODELS}.get(name.lower(), name)


def _cache() -> Path:
    """Keras's own cache, so that what one of the two has downloaded, the other finds."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"


def _find(name: str, *, offline: bool) -> Weights:
    """The pretrained weights, from Keras's cache or from where Keras downloads them."""
    from penult.backbones.weights.load import fetch_url

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
    return Weights(model.file, sha256_of(path), path)


def _given(name: str, path: Path) -> Weights:
    from penult.backbones.weights.load import given_weights

    if path.is_file() and path.suffix.lower() not in SUFFIXES:
        raise WeightsError(
            f"{path} is no weights file of Keras by its name; keras:{name} reads .weights.h5, .h5 "
            f"and .keras"
        )
    return given_weights(path)


def _build(name: str, path: Path | None) -> Any:
    """The model, in a thread of its own: Keras counts the names it makes up (``conv2d_93``) in
    thread-local state, so that they are the same however many models came before, and the caller's
    count and settings stay as they were."""
    _import_keras()
    with ThreadPoolExecutor(1) as pool:
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
