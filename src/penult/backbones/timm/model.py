"""Building timm's networks, with their weights and with a row that is timm's pre-logits."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MethodType
from typing import TYPE_CHECKING, Any

from penult.backbones.weights.load import class_count, fit_state, load_state, mismatch
from penult.errors import BackboneError, WeightsError
from penult.inputs import refuse_unread

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["TimmSpec", "build", "head", "load_pretrained", "load_user_weights"]

# Where the classifier has one of these paths, it reads what timm calls pre-logits. Others (several
# classifiers, or one with layers of its own) are asked for their pre-logits.
_PLAIN_HEADS = {"classif", "classifier", "fc", "head", "head.fc", "last_linear"}


@dataclass(frozen=True)
class TimmSpec:
    """What to build.

    Attributes
    ----------
    name : within this source
    cfg : timm's `PretrainedCfg`
    arguments : of the architecture's constructor, where a repository's configuration has some
    """

    name: str
    architecture: str
    cfg: Any
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def recorded(self) -> str:
        """The architecture as a recipe says it: the arguments, too, may change a row."""
        arguments = json.dumps(self.arguments, sort_keys=True) if self.arguments else ""
        return f"timm/{self.architecture}{arguments}"

    def resized(self, height: int, width: int) -> TimmSpec:
        """The same for images of another size, where the network is built for one."""
        arguments = self.arguments
        if "img_size" in arguments:
            arguments = {**arguments, "img_size": (height, width)}
        cfg = replace(self.cfg, input_size=(3, height, width))
        return replace(self, cfg=cfg, arguments=arguments)


def build(spec: TimmSpec, *, pretrained: bool = False, **changes: Any) -> Any:
    """Build the network.

    Parameters
    ----------
    pretrained : load the weights that the changed configuration names
    changes : to fields of the configuration
    """
    import timm

    try:
        network = timm.create_model(
            spec.architecture,
            pretrained=pretrained,
            pretrained_cfg=replace(spec.cfg, **changes).to_dict(),
            **spec.arguments,
        )
    except TypeError as error:
        if pretrained or not spec.arguments:
            raise
        raise BackboneError(
            f"timm:{spec.name} cannot be built with the arguments in its config.json: {error}"
        ) from error
    except AssertionError as error:
        _, height, width = spec.cfg.input_size
        raise BackboneError(
            f"timm:{spec.name} cannot be built for images of {height} × {width}: {error}"
        ) from error
    return _with_pre_logits(network)


def load_pretrained(spec: TimmSpec, path: Path) -> Any:
    """Build the network with its own weights, as timm does: it knows the keys of older files."""
    try:
        return build(spec, pretrained=True, file=str(path), source=None, custom_load=False)
    except Exception as error:
        refuse_unread(path, error)
        # Damaged files meet timm with whatever exception comes up first.
        raise mismatch(path, f"timm's {spec.architecture}", error) from error


def load_user_weights(spec: TimmSpec, path: Path) -> Any:
    """Build the network with weights of the user's, however many classes they tell apart."""
    state = load_state(path)
    classifier = _classifiers(spec.cfg.classifier)
    classes = class_count(state, classifier[0]) if classifier else None
    changes: dict[str, Any] = {}
    if classes is not None:
        changes = {"num_classes": classes, "label_offset": None}
    network = build(spec, **changes)
    try:
        fit_state(network, state, path, f"timm:{spec.name}")
    except WeightsError as error:
        try:
            network = build(spec, pretrained=True, state_dict=state, source=None, **changes)
        except (RuntimeError, KeyError, AttributeError, TypeError):
            # Not an older layout of the keys, either.
            raise error from None
        network.pretrained_cfg.pop("state_dict", None)
    return network


def _classifiers(named: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return () if named is None else (named,) if isinstance(named, str) else tuple(named)


def _reads_pre_logits(classifiers: tuple[str, ...]) -> bool:
    return len(classifiers) == 1 and classifiers[0] in _PLAIN_HEADS


def head(network: Any) -> str | None:
    """The module whose input is the penultimate row; None where there is no classifier."""
    classifiers = _classifiers(network.pretrained_cfg.get("classifier"))
    if not classifiers or not network.num_classes:
        return None
    return classifiers[0] if _reads_pre_logits(classifiers) else "pre_logits"


def _with_pre_logits(network: Any) -> Any:
    """Send pre-logits that no single classifier reads through a module of their own.

    Then ``penultimate`` is its input, and ends the computation, as with any other network.
    """
    from torch import nn

    classifiers = _classifiers(network.pretrained_cfg.get("classifier"))
    if classifiers and not _reads_pre_logits(classifiers):
        network.pre_logits = nn.Identity()
        # Bound, so that a copy of the network runs the copy.
        network.forward = MethodType(_forward, network)
    return network


def _forward(network: Any, images: Tensor) -> Any:
    features = network.forward_features(images)
    network.pre_logits(network.forward_head(features, pre_logits=True))
    return network.forward_head(features)
