"""torchvision's classification networks, each with the weights and the preprocessing it names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.backbones.aliases import spelling
from penult.backbones.backbone import Backbone
from penult.backbones.info import ModelInfo
from penult.backbones.metadata import BackboneMetadata
from penult.backbones.sizes import known_architectures, sizes
from penult.backbones.source import BackboneSource
from penult.backbones.torch_network import TorchNetwork
from penult.backbones.weights.choice import WeightsChoice
from penult.backbones.weights.download import digest_in, fetch_url, torch_cache
from penult.backbones.weights.info import WeightsInfo, sha256_of
from penult.backbones.weights.load import (
    class_count,
    fit_state,
    load_state,
    random_weights,
    seeded,
    user_weights,
)
from penult.errors import BackboneError, UnknownNameError
from penult.extras import has_torch, is_installed, require_torch
from penult.interface import command
from penult.recipe import Preprocessing

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Torchvision"]


class Torchvision(BackboneSource):
    """``torchvision:ARCHITECTURE`` or ``torchvision:ARCHITECTURE.WEIGHTS``."""

    prefix = "torchvision"
    cached = True

    def require(self, what: str) -> None:
        """Refuse everything where torch or torchvision is missing."""
        require_torch(what, "torchvision")

    def names(self) -> Iterable[str]:
        """Every architecture, and, where torchvision is there, every one with its weights."""
        if not (has_torch() and is_installed("torchvision")):
            yield from known_architectures("torchvision")
            return
        for architecture, entries in _catalogue().items():
            yield architecture
            yield from (f"{architecture}.{entry.name}" for entry in entries)

    def models(self) -> Iterable[ModelInfo]:
        """What torchvision says of each; it names no licence for most weights."""
        for architecture, entries in _catalogue().items():
            known = sizes().get(f"torchvision/{architecture}")
            for entry in entries:
                yield ModelInfo(
                    name=f"torchvision:{architecture}.{entry.name}",
                    parameters=entry.meta["num_params"],
                    input_size=_preprocessing(entry).input_size,
                    features=known.features if known else None,
                    licence=entry.meta.get("license"),
                    top1=entry.meta["_metrics"]["ImageNet-1K"]["acc@1"],
                    weights=_file_name(entry),
                    on_this_machine=(torch_cache() / _file_name(entry)).is_file(),
                )

    def open(self, name: str, choice: WeightsChoice) -> Backbone:
        """Find the network's weights, and torchvision's preprocessing for them."""
        self.require(f"torchvision:{name}")
        architecture, entry = self._find(name)
        canonical = f"torchvision:{architecture}.{entry.name}"
        preprocessing = choice.preprocessing or _preprocessing(entry)
        size = preprocessing.input_size if choice.preprocessing else None
        build: Callable[[], nn.Module]
        if choice.weights == "random":
            network = seeded(partial(_build, architecture, entry, size))
            weights, build = random_weights(network), lambda: network
        elif choice.weights is not None:
            weights = user_weights(choice.weights)
            build = partial(_load, architecture, entry, size, choice.weights)
        else:
            path = _fetch(canonical, entry, choice)
            weights = WeightsInfo(path.name, sha256_of(path), path)
            build = partial(_load, architecture, entry, size, path)
        metadata = BackboneMetadata(
            name=canonical,
            architecture=f"torchvision/{architecture}",
            weights=weights,
            preprocessing=preprocessing,
            libraries=("torch", "torchvision"),
        )
        return Backbone(metadata, lambda: _network(build()))

    def _find(self, name: str) -> tuple[str, Any]:
        typed, _, tag = name.partition(".")
        architecture = spelling(typed, _catalogue())
        if architecture is None:
            raise UnknownNameError(
                "torchvision model", name, self.names(), hint=command("models", "torchvision:*")
            )
        entries = {entry.name: entry for entry in _catalogue()[architecture]}
        if tag and tag.upper() not in entries:
            raise UnknownNameError(f"weights of torchvision:{architecture}", tag, entries)
        return architecture, entries[tag.upper()] if tag else next(iter(entries.values()))


@cache
def _catalogue() -> dict[str, list[Any]]:
    """Architecture to its weights (torchvision's `WeightsEnum` members), the default first."""
    from torchvision import models

    catalogue = {}
    for name in models.list_models(module=models):
        every = models.get_model_weights(name)
        # Without an accuracy, the classifier is missing: torchvision fills it with NaN.
        whole = [e for e in every if not isnan(e.meta["_metrics"]["ImageNet-1K"]["acc@1"])]
        catalogue[name] = sorted(whole, key=[every.DEFAULT, *whole].index)
    return catalogue


def _file_name(entry: Any) -> str:
    return str(entry.url).rpartition("/")[2]


def _preprocessing(entry: Any) -> Preprocessing:
    preset = entry.transforms()
    return Preprocessing(
        resize=preset.resize_size[0],
        crop=(preset.crop_size[0], preset.crop_size[0]),
        interpolation=preset.interpolation.value,
        mean=tuple(preset.mean),
        std=tuple(preset.std),
    )


def _fetch(canonical: str, entry: Any, choice: WeightsChoice) -> Path:
    file_name = _file_name(entry)
    return fetch_url(
        entry.url,
        file_name,
        model=canonical,
        offline=choice.offline,
        sha256_prefix=digest_in(file_name),
    )


def _network(module: nn.Module) -> TorchNetwork:
    return TorchNetwork(module, head=_head(module))


def _build(
    architecture: str,
    entry: Any,
    size: tuple[int, int] | None,
    classes: int | None = None,
    aux: bool = True,
) -> nn.Module:
    from torchvision import models

    options: dict[str, Any] = {}
    if architecture in ("googlenet", "inception_v3"):
        # As with torchvision's own weights, which came from TensorFlow: the network itself turns
        # the normalisation into theirs. The auxiliary classifiers only serve training.
        options = {"transform_input": True, "init_weights": False, "aux_logits": aux}
    if architecture.startswith("vit_"):
        options["image_size"] = size[0] if size else entry.meta["min_size"][0]
    if architecture.startswith("maxvit") and size:
        options["input_size"] = size
    if classes is not None:
        options["num_classes"] = classes
    try:
        network: nn.Module = models.get_model(architecture, weights=None, **options)
    except (AssertionError, ValueError) as error:
        height, width = size or entry.meta["min_size"]
        raise BackboneError(
            f"torchvision:{architecture} cannot be built for images of {height} × {width}: {error}"
        ) from error
    return network


def _load(architecture: str, entry: Any, size: tuple[int, int] | None, path: Path) -> nn.Module:
    state = load_state(path)
    if architecture.startswith("densenet"):
        _rename_layers(state)
    aux = any(".AuxLogits." in f".{key}" or ".aux1." in f".{key}" for key in state)
    network = _build(architecture, entry, size, aux=aux)
    classes = class_count(state, _head(network))
    if classes not in (None, len(entry.meta["categories"])):
        network = _build(architecture, entry, size, classes, aux)
    fit_state(network, state, path, f"torchvision:{architecture}")
    return network


def _rename_layers(state: dict[str, Any]) -> None:
    """Old files write ``denselayer1.norm.1``, which torchvision reads as ``denselayer1.norm1``."""
    for key in list(state):
        new = re.sub(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)", r"\1\2", key)
        if new != key:
            state[new] = state.pop(key)


def _head(network: nn.Module) -> str:
    """The module that gives the logits: in all of torchvision's, the last one with parameters."""
    return [name for name, module in _with_parameters(network)][-1]


def _with_parameters(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for name, module in network.named_modules():
        if next(module.parameters(recurse=False), None) is not None:
            yield name, module
