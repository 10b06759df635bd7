"""timm's networks: by name from its registry, or from a repository on the Hugging Face hub."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from functools import partial
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from penult.backbones.base import Backbone, Card, Source, Weights, WeightsChoice, sha256_of
from penult.backbones.fetch import cached_hub_file, digest_in, fetch_url, hub_file, torch_cache
from penult.backbones.network import NetworkBackbone
from penult.backbones.sizes import sizes
from penult.backbones.weights import (
    class_count,
    fit_state,
    given_weights,
    load_state,
    mismatch,
    random_weights,
    seeded,
)
from penult.errors import BackboneError, UnknownNameError, WeightsError
from penult.recipe import Interpolation, Preprocessing

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Timm"]

# Where the classifier has one of these paths, it reads what timm calls pre-logits. Others (several
# classifiers, or one with layers of its own) are asked for their pre-logits.
_PLAIN_HEADS = {"classif", "classifier", "fc", "head", "head.fc", "last_linear"}

# Arguments of `timm.create_model` that say where files are, and not what is built.
_NOT_FROM_HUBS = {"cache_dir", "checkpoint_path", "pretrained", "pretrained_cfg_overlay"}

WEIGHTS_FILES = ("model.safetensors", "pytorch_model.bin")
"""In a repository of the hub, the preferred one first."""


class Timm(Source):
    """``timm:ARCHITECTURE.TAG``, ``timm:ARCHITECTURE`` for its default tag, ``timm:OWNER/NAME``."""

    prefix = "timm"

    def names(self) -> Iterable[str]:
        """Every architecture, and every architecture with a tag that has weights."""
        import timm

        yield from timm.list_models()
        yield from timm.list_pretrained()

    def knows(self, name: str) -> bool:
        """Whether timm can build it, with or without weights."""
        import timm

        architecture, _, tag = name.partition(".")
        return bool(timm.is_model(architecture)) and (not tag or timm.is_model_pretrained(name))

    def cards(self, pattern: str = "*") -> Iterable[Card]:
        """What timm says of each that has weights; it states no accuracies."""
        import timm

        for name in timm.list_pretrained():
            if fnmatch.fnmatch(name, pattern) or fnmatch.fnmatch(f"timm:{name}", pattern):
                cfg: Any = timm.get_pretrained_cfg(name)
                known = sizes().get(f"timm/{cfg.architecture}")
                yield Card(
                    name=f"timm:{name}",
                    parameters=known.parameters if known else None,
                    input_size=tuple(cfg.input_size[1:]),
                    features=known.features if known else None,
                    licence=cfg.license,
                    top1=None,
                    weights=cfg.hf_hub_id or _file_name(cfg.url),
                    on_this_machine=_cached(cfg) is not None,
                )

    def open(self, name: str, choice: WeightsChoice) -> Backbone:
        """Find the network's configuration and weights."""
        name = re.sub("^hf[-_]hub:", "", name)
        wanted = _from_hub(name, choice) if "/" in name else _registered(name)
        preprocessing = _preprocessing(wanted)
        backbone = partial(
            NetworkBackbone,
            name=f"timm:{wanted.name}",
            architecture=wanted.described,
            preprocessing=preprocessing,
            head=_head,
            libraries=("torch", "timm"),
        )
        if choice.given == "random":
            network = seeded(partial(_build, wanted))
            return backbone(weights=random_weights(network), build=partial(_same, network))
        if choice.given is not None:
            weights = given_weights(choice.given)
            return backbone(weights=weights, build=partial(_load_given, wanted, choice.given))
        path = _fetch(wanted, choice)
        weights = Weights(wanted.cfg.hf_hub_id or path.name, sha256_of(path), path)
        return backbone(weights=weights, build=partial(_load_pretrained, wanted, path))


@dataclass(frozen=True)
class _Wanted:
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
    def described(self) -> str:
        """For the recipe: the arguments, too, may change a row."""
        arguments = json.dumps(self.arguments, sort_keys=True) if self.arguments else ""
        return f"timm/{self.architecture}{arguments}"


def _registered(name: str) -> _Wanted:
    import timm

    name = timm.models.get_deprecated_models().get(name) or name
    architecture = name.partition(".")[0]
    if not timm.is_model(architecture):
        raise UnknownNameError("timm model", name, Timm().names(), hint="penult models 'timm:*'")
    try:
        cfg = timm.get_pretrained_cfg(name) or timm.models.PretrainedCfg(architecture=architecture)
    except RuntimeError:
        tagged = timm.list_pretrained(f"{architecture}.*") or timm.list_pretrained()
        raise UnknownNameError("timm model", name, tagged) from None
    full = f"{architecture}.{cfg.tag}" if cfg.tag else architecture
    return _Wanted(full, architecture, cfg)


def _from_hub(repository: str, choice: WeightsChoice) -> _Wanted:
    import timm
    from timm.models import PretrainedCfg

    model = f"timm:{repository}"
    config = hub_file(repository, ["config.json"], model=model, choice=choice)
    try:
        data = json.loads(config.read_text(encoding="utf-8"))
        architecture, arguments = data["architecture"], data.get("model_args") or {}
        # Older files keep the configuration of the weights on the top level.
        stated = {**data, **data.get("pretrained_cfg", {})}
        if "num_classes" in data:
            stated["num_classes"] = data["num_classes"]
        known = {f.name for f in fields(PretrainedCfg)} - {"url", "file", "state_dict", "source"}
        cfg = PretrainedCfg(**{k: v for k, v in stated.items() if k in known})
        if not timm.is_model(architecture):
            raise BackboneError(f"{model} is a {architecture!r}, which this timm lacks")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BackboneError(
            f"{model} has a config.json that is not timm's ({type(error).__name__}: {error}); for "
            f"a model of the transformers library write hf:{repository}"
        ) from error
    if unknown := _NOT_FROM_HUBS & set(arguments):
        raise BackboneError(f"{model} was refused: its config.json sets {', '.join(unknown)}")
    return _Wanted(repository, architecture, replace(cfg, hf_hub_id=repository), arguments)


def _preprocessing(wanted: _Wanted) -> Preprocessing:
    """What ``create_transform(**resolve_data_config(cfg))`` does, as a recipe says it."""
    from timm.data import resolve_data_config  # type: ignore[attr-defined]

    data = resolve_data_config(  # type: ignore[no-untyped-call]
        pretrained_cfg=wanted.cfg.to_dict()
    )
    channels, height, width = data["input_size"]
    scaled = floor(height / data["crop_pct"]), floor(width / data["crop_pct"])
    mode = data["crop_mode"]
    resize = scaled if mode == "squash" else scaled[0]
    whole = channels == len(data["mean"]) == len(data["std"]) == 3
    square = mode == "squash" or (mode == "center" and scaled[0] == scaled[1])
    if not (whole and square and data["interpolation"] in get_args(Interpolation)):
        raise BackboneError(
            f"timm:{wanted.name} prepares its images in a way that penult lacks: {channels} "
            f"channels, {height} × {width}, crop mode {mode!r}, {data['interpolation']} "
            f"interpolation; choose another tag or model"
        )
    return Preprocessing(
        resize=resize,
        crop=(height, width),
        interpolation=data["interpolation"],
        mean=tuple(data["mean"]),
        std=tuple(data["std"]),
    )


def _fetch(wanted: _Wanted, choice: WeightsChoice) -> Path:
    model, cfg = f"timm:{wanted.name}", wanted.cfg
    if not (cfg.hf_hub_id or cfg.url):
        import timm

        raise WeightsError(
            f"{model} has no pretrained weights in timm {timm.__version__}; give --weights PATH or "
            f"--weights random, or choose among: penult models 'timm:*{wanted.architecture}*.*'"
        )
    if cfg.hf_hub_id:
        return hub_file(cfg.hf_hub_id, _files(cfg), model=model, choice=choice)
    file_name = _file_name(cfg.url)
    return fetch_url(
        cfg.url,
        file_name,
        model=model,
        offline=choice.offline,
        sha256_prefix=digest_in(file_name),
    )


def _same(network: nn.Module) -> nn.Module:
    return network


def _files(cfg: Any) -> tuple[str, ...]:
    return (cfg.hf_hub_filename,) if cfg.hf_hub_filename else WEIGHTS_FILES


def _file_name(url: str) -> str:
    return url.rpartition("/")[2]


def _cached(cfg: Any) -> Path | None:
    """Where the weights are on this machine, without asking a network."""
    if cfg.hf_hub_id:
        return cached_hub_file(cfg.hf_hub_id, _files(cfg))
    path = torch_cache() / _file_name(cfg.url)
    return path if path.is_file() else None


def _build(wanted: _Wanted, *, pretrained: bool = False, **changes: Any) -> Any:
    import timm

    try:
        network = timm.create_model(
            wanted.architecture,
            pretrained=pretrained,
            pretrained_cfg=replace(wanted.cfg, **changes).to_dict(),
            **wanted.arguments,
        )
    except TypeError as error:
        if pretrained or not wanted.arguments:
            raise
        raise BackboneError(
            f"timm:{wanted.name} cannot be built with the arguments in its config.json: {error}"
        ) from error
    return _with_pre_logits(network)


def _load_pretrained(wanted: _Wanted, path: Path) -> Any:
    """Through timm, which knows how the keys of old files are called today."""
    try:
        return _build(wanted, pretrained=True, file=str(path), source=None, custom_load=False)
    except Exception as error:
        # Damaged files meet timm with whatever exception comes up first.
        raise mismatch(path, f"timm's {wanted.architecture}", error) from error


def _load_given(wanted: _Wanted, path: Path) -> Any:
    state = load_state(path)
    classifier = _classifiers(wanted.cfg.classifier)
    classes = class_count(state, classifier[0]) if classifier else None
    changes: dict[str, Any] = {}
    if classes is not None:
        changes = {"num_classes": classes, "label_offset": None}
    network = _build(wanted, **changes)
    try:
        fit_state(network, state, path)
    except WeightsError as error:
        try:
            network = _build(wanted, pretrained=True, state_dict=state, source=None, **changes)
        except (RuntimeError, KeyError, AttributeError, TypeError):
            # Not an older layout of the keys, either.
            raise error from None
        network.pretrained_cfg.pop("state_dict", None)
    return network


def _classifiers(named: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return () if named is None else (named,) if isinstance(named, str) else tuple(named)


def _reads_pre_logits(classifiers: tuple[str, ...]) -> bool:
    return len(classifiers) == 1 and classifiers[0] in _PLAIN_HEADS


def _head(network: Any) -> str | None:
    """The module whose input is the penultimate row; None where there is no classifier."""
    classifiers = _classifiers(network.pretrained_cfg.get("classifier"))
    if not classifiers or not network.num_classes:
        return None
    return classifiers[0] if _reads_pre_logits(classifiers) else "pre_logits"


def _with_pre_logits(network: Any) -> Any:
    """Send pre-logits that no single classifier reads through a module of their own.

    Then ``penultimate`` is its input, and ends the computation, as with any other network.
    """
    from torch import Tensor, nn

    if not _reads_pre_logits(_classifiers(network.pretrained_cfg.get("classifier"))):

        def forward(images: Tensor) -> Tensor:
            features = network.forward_features(images)
            network.pre_logits(network.forward_head(features, pre_logits=True))
            logits: Tensor = network.forward_head(features)
            return logits

        network.pre_logits = nn.Identity()
        network.forward = forward
    return network
