"""timm's networks: by name from its registry, or from a repository on the Hugging Face hub."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from functools import cache, partial
from math import floor
from pathlib import Path
from typing import Any

from penult.backbones.backbone import Backbone
from penult.backbones.info import ModelInfo
from penult.backbones.metadata import BackboneMetadata
from penult.backbones.preprocessing import invalid_settings, is_edge, is_number, short_json
from penult.backbones.sizes import known_architectures, sizes
from penult.backbones.source import BackboneSource
from penult.backbones.timm.model import TimmSpec, build, head, load_pretrained, load_user_weights
from penult.backbones.torch_network import TorchNetwork
from penult.backbones.weights.choice import WeightsChoice
from penult.backbones.weights.download import digest_in, fetch_url, torch_cache
from penult.backbones.weights.hub import cached_hub_file, hub_file
from penult.backbones.weights.info import WeightsInfo, sha256_of
from penult.backbones.weights.load import random_weights, seeded, user_weights
from penult.errors import BackboneError, UnknownNameError, WeightsError
from penult.extras import has_torch, is_installed, require_torch
from penult.interface import command, option
from penult.parsing import read_json
from penult.recipe import Preprocessing

__all__ = ["Timm"]

# Arguments of `timm.create_model` that say where files are, and not what is built.
_NOT_FROM_HUBS = {"cache_dir", "checkpoint_path", "pretrained", "pretrained_cfg_overlay"}

WEIGHTS_FILES = ("model.safetensors", "pytorch_model.bin")
"""In a repository of the hub, the preferred one first."""


_NEEDED = ("timm", "huggingface_hub")


def _is_here() -> bool:
    return has_torch() and is_installed(*_NEEDED)


class Timm(BackboneSource):
    """``timm:ARCHITECTURE.TAG``, ``timm:ARCHITECTURE`` for its default tag, ``timm:OWNER/NAME``."""

    prefix = "timm"
    cached = True

    def require(self, what: str) -> None:
        """Refuse everything where torch or timm is missing."""
        require_torch(what, *_NEEDED)

    def names(self) -> Iterable[str]:
        """Every architecture, and, where timm is there, every one with a tag that has weights."""
        if not _is_here():
            yield from known_architectures("timm")
            return
        import timm

        yield from timm.list_models()
        yield from timm.list_pretrained()

    def knows(self, name: str) -> bool:
        """Whether timm can build it, with or without weights."""
        architecture, _, tag = name.partition(".")
        if not _is_here():
            return architecture in known_architectures("timm")
        import timm

        return bool(timm.is_model(architecture)) and (not tag or timm.is_model_pretrained(name))

    def models(self) -> Iterable[ModelInfo]:
        """What timm says of each that has weights; it states no accuracies."""
        import timm

        for name in timm.list_pretrained():
            cfg = _pretrained(name)
            known = sizes().get(f"timm/{cfg.architecture}")
            yield ModelInfo(
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
        self.require(f"timm:{name}")
        name = re.sub("^hf[-_]hub:", "", name)
        spec = _from_hub(name, choice) if "/" in name else _registered(name)
        preprocessing = choice.preprocessing or _preprocessing(spec)
        if choice.preprocessing:
            spec = spec.resized(*preprocessing.input_size)
        load: Callable[[], Any]
        if choice.weights == "random":
            module = seeded(partial(build, spec))
            weights, load = random_weights(module), lambda: module
        elif choice.weights is not None:
            weights = user_weights(choice.weights)
            load = partial(load_user_weights, spec, choice.weights)
        else:
            path = _fetch(spec, choice)
            weights = WeightsInfo(spec.cfg.hf_hub_id or path.name, sha256_of(path), path)
            load = partial(load_pretrained, spec, path)
        metadata = BackboneMetadata(
            name=f"timm:{spec.name}",
            architecture=spec.recorded,
            weights=weights,
            preprocessing=preprocessing,
            libraries=("torch", "timm"),
        )
        return Backbone(metadata, lambda: _network(load()))


def _network(module: Any) -> TorchNetwork:
    return TorchNetwork(module, head=head(module))


def _registered(name: str) -> TimmSpec:
    import timm

    name = timm.models.get_deprecated_models().get(name) or name
    architecture = name.partition(".")[0]
    if not timm.is_model(architecture):
        raise UnknownNameError("timm model", name, Timm().names(), hint=command("models", "timm:*"))
    try:
        cfg = timm.get_pretrained_cfg(name) or timm.models.PretrainedCfg(architecture=architecture)
    except RuntimeError:
        tagged = timm.list_pretrained(f"{architecture}.*") or timm.list_pretrained()
        raise UnknownNameError("timm model", name, tagged) from None
    full = f"{architecture}.{cfg.tag}" if cfg.tag else architecture
    return TimmSpec(full, architecture, cfg)


def _from_hub(repository: str, choice: WeightsChoice) -> TimmSpec:
    import timm
    from timm.models import PretrainedCfg

    model = f"timm:{repository}"
    config = hub_file(repository, ["config.json"], model=model, choice=choice)
    data = _read_config(config, model)
    architecture, arguments = data["architecture"], data.get("model_args") or {}
    # Older files keep the configuration of the weights on the top level.
    stated = {**data, **(data.get("pretrained_cfg") or {})}
    if "num_classes" in data:
        stated["num_classes"] = data["num_classes"]
    known = {f.name for f in fields(PretrainedCfg)} - {"url", "file", "state_dict", "source"}
    cfg = PretrainedCfg(**{k: v for k, v in stated.items() if k in known})
    if not timm.is_model(architecture):
        raise BackboneError(f"{model} is a {architecture!r}, which this timm lacks")
    if unknown := _NOT_FROM_HUBS & set(arguments):
        raise BackboneError(f"{model} was refused: its config.json sets {', '.join(unknown)}")
    return TimmSpec(repository, architecture, replace(cfg, hf_hub_id=repository), arguments)


def _read_config(path: Path, model: str) -> dict[str, Any]:
    """The settings in a repository's config.json, if they are timm's."""
    try:
        data = read_json(path.read_text(encoding="utf-8"))
        wrong = "" if isinstance(data, dict) else "it is no object"
    except ValueError as error:
        data, wrong = {}, f"it is no JSON: {error}"
    for name, kind, needed in (
        ("architecture", str, True),
        ("model_args", dict, False),
        ("pretrained_cfg", dict, False),
    ):
        value = None if wrong else data.get(name)
        if not wrong and not isinstance(value, kind) and (needed or value is not None):
            wrong = f"its {name} is {short_json(value)}"
    if wrong:
        raise BackboneError(
            f"{model} has a config.json that is not timm's ({wrong}); for a model of the "
            f"transformers library write hf:{model.partition(':')[2]}"
        )
    return dict(data)


def _preprocessing(spec: TimmSpec) -> Preprocessing:
    """What ``create_transform(**resolve_data_config(cfg))`` does, as a recipe says it."""
    from timm.data import resolve_data_config

    model, cfg = f"timm:{spec.name}", spec.cfg.to_dict()
    # What timm would take for absent where it is 0, and what it would divide by.
    for name, right in (("input_size", _is_input_size), ("crop_pct", _is_share)):
        if cfg.get(name) is not None and not right(cfg[name]):
            raise BackboneError(f"{model} states {name} {short_json(cfg[name])}, which cannot be")
    data = resolve_data_config(pretrained_cfg=cfg)
    channels, height, width = data["input_size"]
    channels = spec.arguments.get("in_chans", channels)
    scaled = floor(height / data["crop_pct"]), floor(width / data["crop_pct"])
    mode = data["crop_mode"]
    square = mode == "squash" or (mode == "center" and scaled[0] == scaled[1])
    if channels != 3 or not square:
        raise BackboneError(
            f"{model} prepares its images in a way that penult lacks: {channels} channels, "
            f"{height} × {width}, crop mode {mode!r}; choose another tag or model"
        )
    preprocessing = Preprocessing(
        resize=scaled if mode == "squash" else scaled[0],
        crop=(height, width),
        interpolation=data["interpolation"],
        mean=_tuple(data["mean"]),
        std=_tuple(data["std"]),
    )
    if wrong := invalid_settings(preprocessing):
        raise BackboneError(
            f"{model} prepares its images in a way that penult lacks: {wrong}; choose another tag "
            f"or model"
        )
    return preprocessing


def _is_input_size(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 3 and all(map(is_edge, value))


def _is_share(value: Any) -> bool:
    return is_number(value) and value > 0


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value


def _fetch(spec: TimmSpec, choice: WeightsChoice) -> Path:
    model, cfg = f"timm:{spec.name}", spec.cfg
    if not (cfg.hf_hub_id or cfg.url):
        import timm

        raise WeightsError(
            f"{model} has no pretrained weights in timm {timm.__version__}; give "
            f"{option('weights', 'PATH')} or {option('weights', 'random')}, or choose among: "
            f"{command('models', f'timm:*{spec.architecture}*.*')}"
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


def _files(cfg: Any) -> tuple[str, ...]:
    return (cfg.hf_hub_filename,) if cfg.hf_hub_filename else WEIGHTS_FILES


def _file_name(url: str) -> str:
    return url.rpartition("/")[2]


@cache
def _pretrained(name: str) -> Any:
    """What timm knows of weights, to be looked at: it makes a deep copy for each who asks."""
    import timm

    return timm.get_pretrained_cfg(name)


def _cached(cfg: Any) -> Path | None:
    """Where the weights are on this machine, without asking a network."""
    if cfg.hf_hub_id:
        return cached_hub_file(cfg.hf_hub_id, _files(cfg))
    path = torch_cache() / _file_name(cfg.url)
    return path if path.is_file() else None
