"""Weights: read without executing anything, fitted to a network without guessing."""

from __future__ import annotations

import argparse
import hashlib
import pickle
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.backbones.weights.arrays import is_safetensors
from penult.backbones.weights.info import WeightsInfo, sha256_of
from penult.errors import WeightsError
from penult.inputs import refuse_unread, require_file
from penult.messages import first_line
from penult.suffixes import WEIGHTS
from penult.wording import article

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = [
    "class_count",
    "fit_state",
    "load_state",
    "mismatch",
    "random_weights",
    "seeded",
    "user_weights",
]

# Averaged weights come first, as in timm: they are what a training run is evaluated with.
_WRAPPERS = ("state_dict_ema", "model_ema", "state_dict", "model_state_dict", "model")
_NEITHER = "{} is neither a safetensors file nor a PyTorch checkpoint"
_PREFIXES = ("module.", "_orig_mod.", "model.", "network.", "backbone.")


def seeded(build: Callable[[], nn.Module]) -> nn.Module:
    """Build a network with the same random weights each time; the process's own seed is kept."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build()


def random_weights(network: nn.Module) -> WeightsInfo:
    """Name an untrained network's weights: the SHA-256 is over its tensors, in order."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(memoryview(tensor.contiguous().reshape(-1).view(torch.uint8).numpy()))
    return WeightsInfo("random", digest.hexdigest())


def user_weights(path: Path) -> WeightsInfo:
    """Name the weights in a file that the user gave, so that a recipe can find them again."""
    require_file(path, "a file of weights", WEIGHTS)
    return WeightsInfo(f"file:{path.resolve()}", sha256_of(path), path)


def load_state(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file or of a PyTorch checkpoint.

    Training checkpoints are unwrapped (``{"state_dict": …}``, ``{"model": …}``); what is no
    tensor is left out.

    Raises
    ------
    PathNotFoundError
    WeightsError
        If the file cannot be read, holds no tensors, or would have to execute code to be read.
    """
    require_file(path, "a file of weights", WEIGHTS)
    loaded = _load_safetensors(path) if is_safetensors(path) else _load_pickle(path)
    wrapper = next((k for k in _WRAPPERS if isinstance(loaded.get(k), Mapping)), None)
    state = loaded if wrapper is None else loaded[wrapper]
    import torch

    tensors = {k: v for k, v in state.items() if isinstance(v, torch.Tensor)}
    if not tensors:
        raise WeightsError(f"{path} holds no tensors by name; save network.state_dict() into it")
    # Modules note in it the version of their tensors' layout.
    found = _State(tensors)
    found._metadata = getattr(state, "_metadata", None)
    return found


class _State(dict[str, Any]):
    """A state dict with the attribute in which torch keeps the modules' versions."""

    _metadata: Any


def _load_safetensors(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except (SafetensorError, ValueError, OSError) as error:
        refuse_unread(path, error)
        raise WeightsError(f"{path} is no whole safetensors file: {first_line(error)}") from error


def _load_pickle(path: Path) -> Mapping[str, Any]:
    import torch

    try:
        # Training scripts store their options, which are plain data.
        with torch.serialization.safe_globals([argparse.Namespace]):
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if named := re.search(r"GLOBAL (\S+)", str(error)):
            raise WeightsError(
                f"{path} was refused: it holds more than tensors ({named[1]}), and reading it "
                f"would execute code; save network.state_dict() or a .safetensors file instead"
            ) from error
        raise WeightsError(_NEITHER.format(path)) from error
    except RuntimeError as error:
        refuse_unread(path, error)
        raise WeightsError(
            f"{path} cannot be read as a PyTorch checkpoint: {first_line(error)}"
        ) from error
    except Exception as error:
        refuse_unread(path, error)
        # Other content meets the unpickler with whatever exception comes up first.
        raise WeightsError(_NEITHER.format(path)) from error
    if not isinstance(loaded, Mapping):
        raise WeightsError(
            f"{path} holds {article(type(loaded).__name__)}; save network.state_dict() into it"
        )
    return loaded


def class_count(state: Mapping[str, Tensor], head: str) -> int | None:
    """The number of classes of the classifier in a state, or None where it has none.

    Parameters
    ----------
    head : module path of the classifier in the network
    """
    found = [state[k] for p in ("", *_PREFIXES) if (k := f"{p}{head}.weight") in state]
    return int(found[0].shape[0]) if found else None


def fit_state(
    network: nn.Module, state: Mapping[str, Tensor], path: Path, name: str | None = None
) -> None:
    """Load a state into a network, every tensor of both.

    Prefixes that wrappers leave (``module.``) are taken off.

    Parameters
    ----------
    path : where the state came from, for messages
    name : of the network, as it can be typed; its class by default

    Raises
    ------
    WeightsError
        Names the first tensors that are missing, left over, or of another shape.
    """
    ours = network.state_dict()
    fitted = _State(_without_prefix(state, ours.keys()))
    # Without a note of versions, as in safetensors files, a network takes its own root's: torch
    # reads no note as "from before versions", which some networks refuse.
    root = getattr(ours, "_metadata", {}).get("", {})
    fitted._metadata = getattr(state, "_metadata", None) or {"": root}
    try:
        network.load_state_dict(fitted, strict=True)
    except (RuntimeError, ValueError) as error:
        refuse_unread(path, error)
        raise mismatch(path, name or type(network).__name__, error) from error


def _without_prefix(state: Mapping[str, Tensor], expected: Any) -> dict[str, Tensor]:
    keys = dict(state)
    while not any(key in expected for key in keys):
        prefix = next((p for p in _PREFIXES if all(k.startswith(p) for k in keys)), None)
        if prefix is None:
            break
        keys = {k.removeprefix(prefix): v for k, v in keys.items()}
    return keys


def mismatch(path: Path, network: str, error: Exception) -> WeightsError:
    """Turn torch's listing of all keys that do not fit into one line."""
    text = str(error)
    parts = []
    for title, pattern in (
        ("it lacks", r"Missing key\(s\) in state_dict: (.*?)\.\s"),
        ("it has left over", r"Unexpected key\(s\) in state_dict: (.*?)\.\s"),
        ("of another shape", r"size mismatch for (\S+):"),
    ):
        found = re.findall(pattern, text + "\n", re.DOTALL)
        names = [n.strip().strip('"') for group in found for n in group.split(",")]
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            parts.append(f"{title} {', '.join(names[:3])}{more}")
    reason = "; ".join(parts) or first_line(error)
    return WeightsError(f"{path} does not fit {network}: {reason}")
