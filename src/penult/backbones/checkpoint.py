"""Networks in a file: penult's own checkpoints, and plain state dicts of a named architecture.

A folder that fine-tuning wrote is opened by the checkpoint in it (`checkpoint_folder`). A graph
that OpenVINO runs is another kind of file: see `graph_file`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.backbones.backbone import Backbone
from penult.backbones.checkpoint_folder import is_checkpoint_folder, require_whole, weights_file
from penult.backbones.checkpoint_note import NOTE, parse_note, read_note
from penult.backbones.graph_file import SUFFIX, is_graph_file
from penult.backbones.graph_network import open_graph_file
from penult.backbones.preprocessing import parse
from penult.backbones.registry import load_source, open_backbone
from penult.backbones.source import BackboneSource
from penult.backbones.weights.choice import WeightsChoice
from penult.errors import FileFormatError, UsageError, WeightsError
from penult.extras import require_torch
from penult.file_kinds import refuse_other_kind
from penult.inputs import require_file
from penult.interface import command, option
from penult.output import atomic_output
from penult.parsing import require_keys, to_record
from penult.recipe import Preprocessing
from penult.suffixes import WEIGHTS

if TYPE_CHECKING:
    import torch
    from torch import nn

    from penult.backbones.info import ModelInfo

__all__ = [
    "Checkpoint",
    "CheckpointFile",
    "architecture_of",
    "is_checkpoint_name",
    "read_checkpoint",
    "save_checkpoint",
]

FORMAT = 1
SUFFIXES = (".penult", ".ckpt", ".safetensors", ".pth", ".pt", ".pth.tar", ".bin")


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What a checkpoint says of itself, beside its tensors.

    Attributes
    ----------
    architecture : the backbone that it was trained from, e.g. ``"timm:resnet50.a1_in1k"``
    preprocessing : what its images go through
    label_names : of the classes of its classifier, in their order; empty where it has none
    training : how it was trained, for people to read; anything that JSON holds
    """

    architecture: str
    preprocessing: Preprocessing
    label_names: tuple[str, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)


def save_checkpoint(
    path: Path,
    network: nn.Module,
    *,
    architecture: str,
    preprocessing: Preprocessing,
    label_names: Sequence[str] = (),
    training: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a network as a safetensors file that ``--model PATH`` opens.

    Parameters
    ----------
    network : as the source of `architecture` builds it; its classifier may have other classes
    architecture, preprocessing, label_names, training : see `Checkpoint`

    Raises
    ------
    OutputExistsError, OutputError
    """
    from safetensors.torch import save_file

    checkpoint = Checkpoint(
        architecture=architecture,
        preprocessing=preprocessing,
        label_names=tuple(label_names),
        training=training or {},
    )
    settings = asdict(checkpoint) | {"preprocessing": checkpoint.preprocessing.to_dict()}
    note = json.dumps({"format": FORMAT, **settings}, sort_keys=True)
    with atomic_output(path, overwrite=overwrite) as temporary:
        save_file(_own_tensors(network), temporary, metadata={NOTE: note})


def _own_tensors(network: nn.Module) -> dict[str, torch.Tensor]:
    """The state on the CPU; a tensor that goes by two names is written twice."""
    seen: set[int] = set()
    state = {}
    for name, tensor in network.state_dict().items():
        ours = tensor.detach().cpu().contiguous()
        state[name] = ours.clone() if ours.untyped_storage().data_ptr() in seen else ours
        seen.add(ours.untyped_storage().data_ptr())
    return state


def read_checkpoint(path: Path) -> Checkpoint | None:
    """What the file says of itself, or None where it is no checkpoint of penult's.

    Of a folder that fine-tuning wrote, what the checkpoint in it says.

    Raises
    ------
    PathNotFoundError
    FileFormatError
        If it is damaged, or of a newer format.
    """
    path = require_file(weights_file(path), "a checkpoint", WEIGHTS)
    note = read_note(path, NOTE)
    if note is None:
        return None
    data = parse_note(note, path, "a checkpoint", FORMAT)
    del data["format"]
    try:
        require_keys(Checkpoint, data)
        return to_record(Checkpoint, {**data, "preprocessing": parse(data["preprocessing"])})
    except FileFormatError as error:
        raise FileFormatError(f"{path} is a damaged checkpoint: {error}") from error


def architecture_of(backbone: Backbone) -> str:
    """Name the backbone whose source builds a network, e.g. what a checkpoint was trained from.

    Parameters
    ----------
    backbone : Backbone
        Opened by any name.

    Returns
    -------
    str
        What `save_checkpoint` takes for the same network with other weights.

    Raises
    ------
    WeightsError
        If it is a graph, whose weights no training can change.
    """
    prefix, _, name = backbone.name.partition(":")
    if prefix != CheckpointFile.prefix:
        return backbone.name
    checkpoint = read_checkpoint(Path(name))
    if checkpoint is None:
        raise WeightsError(f"{name} is a graph for the engine openvino, which cannot be trained on")
    return checkpoint.architecture


def is_checkpoint_name(name: str) -> bool:
    """Whether a bare name looks like a file of weights, or is a folder that fine-tuning wrote."""
    return name.lower().endswith(SUFFIXES) or is_checkpoint_folder(name)


class CheckpointFile(BackboneSource):
    """``checkpoint:PATH``, or just a path that ends as such files do, or of such a folder."""

    prefix = "checkpoint"
    names_are_paths = True

    def names(self) -> Iterable[str]:
        """None: files cannot be listed."""
        return ()

    def models(self) -> Iterable[ModelInfo]:
        """None, as for `names`."""
        return ()

    def knows(self, name: str) -> bool:
        """Whether the name looks like a file of weights."""
        return is_checkpoint_name(name)

    def open(self, name: str, choice: WeightsChoice) -> Backbone:
        """Build the network that the file, or else `choice.architecture`, names."""
        place = Path(name).expanduser()
        if place.is_dir():
            require_whole(place)
        path = weights_file(place)
        if choice.weights is not None:
            raise UsageError(f"{path} has its own weights; leave out {option('weights')}")
        checkpoint = read_checkpoint(path)
        if is_graph_file(path):
            if choice.architecture:
                raise UsageError(f"{path} is a whole network; leave out {option('architecture')}")
            return open_graph_file(path)
        if checkpoint is None and path.suffix.lower() == SUFFIX:
            raise FileFormatError(
                f"{path} is not what its name says: nothing that {command('convert')} or "
                f"{command('quantize')} wrote whole; get it again"
            )
        architecture = checkpoint.architecture if checkpoint else choice.architecture
        if architecture is None:
            refuse_other_kind(path, "network")
        if architecture is None or not _runs_without_torch(architecture):
            require_torch(str(path))
        if architecture is None:
            raise UsageError(
                f"{path} does not say what network its weights are for; add "
                f"{option('architecture', 'NAME')}, e.g. {option('architecture', 'resnet50')} "
                f"({command('models')} lists the names)"
            )
        if checkpoint and choice.architecture:
            raise UsageError(f"{path} is a {architecture}; leave out {option('architecture')}")
        if architecture.startswith("checkpoint:"):
            raise WeightsError(f"{path} says that it was made from {architecture}, a file")
        seen = checkpoint.preprocessing if checkpoint else None
        choice = replace(choice, weights=path, architecture=None, preprocessing=seen)
        backbone = open_backbone(architecture, choice)
        if not checkpoint:  # it goes on as its architecture with other weights
            return backbone
        place = place.resolve()
        weights = replace(backbone.weights, name=f"file:{place}")
        return backbone.replace(name=f"checkpoint:{place}", weights=weights)


def _runs_without_torch(architecture: str) -> bool:
    bundled = load_source("bundled")
    return bundled.knows(architecture.removeprefix(f"{bundled.prefix}:"))
