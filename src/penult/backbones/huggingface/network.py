"""Building the models of transformers, as networks that give one vector an image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from penult.backbones.weights.load import load_state
from penult.errors import BackboneError, WeightsError
from penult.inputs import refuse_unread
from penult.messages import first_line

__all__ = ["WEIGHT_FILES", "TransformersSpec", "build", "read_spec"]

WEIGHT_FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
"""Where transformers looks for weights in a folder, in this order."""

_PREFIX_TOKENS = {
    "cls_token", "class_embedding", "class_token", "dist_token", "distillation_token",
    "register_tokens",
}  # fmt: skip
"""Parameters whose vectors are put in front of the patches."""

_REFUSED = {
    "vit_mae": "it hides patches at random; take the same weights from timm: "
    "timm:vit_base_patch16_224.mae"
}


@dataclass(frozen=True)
class TransformersSpec:
    """What to build from a checkpoint, found out without allocating it.

    Attributes
    ----------
    folder : Path
        Of the configuration.
    kind : type
        Class of the model.
    config : transformers.PretrainedConfig
        Its settings.
    head : str or None
        Module path of the classifier; None where the output is the row.
    prefix_tokens : int
        Class, distillation and register tokens in front of the patches.
    """

    folder: Path
    kind: Any
    config: Any
    head: str | None
    prefix_tokens: int

    @property
    def architecture(self) -> str:
        """Name of the class."""
        return str(self.kind.__name__)


def read_spec(folder: Path, model: str, size: tuple[int, int] | None = None) -> TransformersSpec:
    """Read a checkpoint's configuration.

    Parameters
    ----------
    size : (height, width) of its images, where it is another than the configuration's

    Raises
    ------
    BackboneError
        If it is no image network, or needs code from its repository.
    """
    import transformers
    from transformers import AutoConfig, AutoModel, AutoModelForImageClassification

    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        _resize(config, size)
        named = (config.architectures or [""])[0]
        classifies = named.endswith("ForImageClassification")
        if named.endswith("VisionModelWithProjection"):
            # CLIP's image half alone; AutoModel would leave its projection out.
            network = _empty(getattr(transformers, named)._from_config, config)
        else:
            auto = AutoModelForImageClassification if classifies else AutoModel
            network = _empty(partial(auto.from_config, trust_remote_code=False), config)
        head = _head(network, config) if classifies else None
        if classifies and head is None:
            # Several classifiers side by side (distilled DeiT, LeViT): none is *the* head.
            network = _empty(partial(AutoModel.from_config, trust_remote_code=False), config)
    except (
        OSError,
        ValueError,
        KeyError,
        ImportError,
        AttributeError,
        TypeError,
        RecursionError,  # JSON that is nested too deeply
    ) as error:
        raise BackboneError(f"{model} cannot be built: {first_line(error)}") from error
    for part in (config, getattr(config, "vision_config", None)):
        channels = getattr(part, "num_channels", 3)
        if channels != 3:
            raise BackboneError(
                f"{model} takes images of {channels} channels, and penult gives 3 (RGB); choose a "
                f"model with num_channels 3"
            )
    if config.model_type in _REFUSED:
        raise BackboneError(f"{model} cannot be used: {_REFUSED[config.model_type]}")
    if getattr(network, "main_input_name", "") != "pixel_values" and not _is_two_towers(network):
        raise BackboneError(
            f"{model} is no image network: {type(network).__name__} takes {network.main_input_name}"
        )
    prefix = {
        # (1, tokens, D), or (D,) for a single one.
        name.rpartition(".")[2]: tensor.shape[-2] if tensor.ndim > 1 else 1
        for name, tensor in network.named_parameters()
        if name.rpartition(".")[2] in _PREFIX_TOKENS
    }
    return TransformersSpec(folder, type(network), config, head, sum(prefix.values()))


def build(spec: TransformersSpec, path: Path | None) -> nn.Module:
    """Build the network with the weights in `path`, or with random ones.

    Parameters
    ----------
    path : a safetensors file, a PyTorch checkpoint of tensors alone, or the index of several

    Raises
    ------
    WeightsError
        If tensors that the row needs are missing from the file or have another shape.
    """
    if path is None:
        network = spec.kind._from_config(spec.config, dtype=torch.float32)
        missing: set[str] = set()
    else:
        network, missing = _load(spec, path)
    return network.eval() if spec.head else _Tower(network, missing, spec.prefix_tokens)


def _resize(config: Any, size: tuple[int, int] | None) -> None:
    """Have the network built for images of `size`, if it is built for any."""
    for part in (config, getattr(config, "vision_config", None)):
        if size is not None and part is not None and hasattr(part, "image_size"):
            part.image_size = size[0] if size[0] == size[1] else size


def _empty(build: Callable[[Any], Any], config: Any) -> Any:
    with torch.device("meta"):
        return build(config)


def _is_two_towers(network: Any) -> bool:
    """Whether it has an image and a text half that meet in one space, as CLIP and SigLIP."""
    return hasattr(network, "get_image_features") and hasattr(network, "get_text_features")


def _head(network: nn.Module, config: Any) -> str | None:
    """Module path of the one linear layer outside the base model that gives the classes."""
    base = getattr(network, "base_model_prefix", "")
    heads = [
        name
        for name, module in network.named_modules()
        if isinstance(module, nn.Linear)
        and module.out_features == config.num_labels
        and name.partition(".")[0] != base
    ]
    return heads[0] if len(heads) == 1 else None


def _load(spec: TransformersSpec, path: Path) -> tuple[Any, set[str]]:
    is_its_own = path.parent == spec.folder and path.name in WEIGHT_FILES
    state = None if is_its_own else load_state(path)
    try:
        network, info = spec.kind.from_pretrained(
            # A state goes with the configuration; a file in the checkpoint's folder is found there.
            spec.folder if is_its_own else None,
            config=spec.config,
            state_dict=state,
            use_safetensors=".safetensors" in path.name if is_its_own else None,
            weights_only=True,
            local_files_only=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except Exception as error:
        refuse_unread(path, error)
        # Damaged files meet transformers with whatever exception comes up first: safetensors' own
        # has no base but this.
        raise WeightsError(
            f"{path} does not fit {spec.architecture}: {first_line(error)}"
        ) from error
    missing = set(info["missing_keys"])
    needed = {key for key in missing if not _is_optional(key)}
    if needed or info["mismatched_keys"]:
        lacking = sorted(needed) or [str(key) for key in sorted(info["mismatched_keys"])]
        raise WeightsError(
            f"{path} does not fit {spec.architecture}: {len(lacking)} tensors are missing or of "
            f"another shape, the first {lacking[0]}"
        )
    return network, missing


def _is_optional(key: str) -> bool:
    """Poolers are often missing (the checkpoint was trained without); then they are not used."""
    return "pooler." in key or key == "mask_token" or key.endswith(".mask_token")


class _Tower(nn.Module):
    """A model without a classifier, giving one vector an image; its module paths are the model's.

    The vector is, in this order: the image half's embedding of models with a text half; the
    trained pooler's output; the class token after the last layer norm; the mean over tokens or map.
    """

    _model: Any

    def __init__(self, model: Any, missing: set[str], prefix_tokens: int) -> None:
        super().__init__()
        # The very same registries: what moves, lists or hooks this module does so to the model.
        for registry in ("_modules", "_parameters", "_buffers"):
            object.__setattr__(self, registry, getattr(model, registry))
        object.__setattr__(self, "_model", model.eval())
        # Nothing is trained here; without one, a conversion makes transformers warn of it.
        model.loss_type = "ForImageClassification"
        self._use_pooler = not any("pooler." in key for key in missing)
        self._prefix_tokens = prefix_tokens

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Run float (N, 3, H, W) to (N, D)."""
        vector: torch.Tensor | None
        if _is_two_towers(self._model):
            output = self._model.get_image_features(pixel_values=images)
            embedding: torch.Tensor = getattr(output, "pooler_output", output)
            return embedding
        output = self._model(pixel_values=images)
        vector = getattr(output, "image_embeds", None)
        if vector is None and self._use_pooler:
            vector = getattr(output, "pooler_output", None)
        if vector is None:
            last = output.last_hidden_state
            if last.ndim == 4:
                vector = last.mean((2, 3))
            else:
                vector = last[:, 0] if self._prefix_tokens else last.mean(1)
        return vector.flatten(1)
