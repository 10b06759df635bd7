"""Image networks of the transformers library: from the hub, its local cache, or a folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.backbones.backbone import Backbone
from penult.backbones.metadata import BackboneMetadata
from penult.backbones.source import BackboneSource
from penult.backbones.torch_network import TorchNetwork
from penult.backbones.weights.choice import WeightsChoice
from penult.backbones.weights.hub import hub_file
from penult.backbones.weights.info import WeightsInfo, sha256_of
from penult.backbones.weights.load import random_weights, seeded, user_weights
from penult.errors import BackboneError, WeightsError
from penult.extras import require_extra, require_torch
from penult.inputs import require_existing, unreadable
from penult.parsing import read_json

if TYPE_CHECKING:
    from penult.backbones.info import ModelInfo

__all__ = ["HuggingFace"]

_PROCESSORS = ("preprocessor_config.json", "processor_config.json")


class HuggingFace(BackboneSource):
    """``hf:owner/name``, ``hf:owner/name@revision``, or ``hf:./folder``, ``hf:/folder``."""

    prefix = "hf"
    cached = True

    def require(self, what: str) -> None:
        """Refuse everything where transformers or torch is missing."""
        require_extra(what, "hf", "transformers")
        require_torch(what, "huggingface_hub")

    def names(self) -> Iterable[str]:
        """None: the hub has too many to list."""
        return ()

    def models(self) -> Iterable[ModelInfo]:
        """None: the hub has too many to list."""
        return ()

    def open(self, name: str, choice: WeightsChoice) -> Backbone:
        """Find configuration, preprocessing and weights; code from the hub is never run.

        Raises
        ------
        BackboneError
            If the checkpoint needs code of its own, or preprocessing that a recipe cannot say.
        """
        self.require(f"hf:{name}")
        os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
        from penult.backbones.huggingface.network import build, read_spec
        from penult.backbones.huggingface.preprocessing import read_preprocessing

        folder = _local(name)
        model = f"hf:{folder or name}"
        if folder is None:
            folder = _from_hub(name, model, choice)
        load: Callable[[], Any]
        with _quiet():
            preprocessing = choice.preprocessing or read_preprocessing(folder, model)
            size = preprocessing.input_size if choice.preprocessing else None
            spec = read_spec(folder, model, size)
            if choice.weights == "random":
                module = seeded(partial(build, spec, None))
                weights, load = random_weights(module), lambda: module
            else:
                weights, path = _weights(folder, name, model, choice)
                load = partial(build, spec, path)
        metadata = BackboneMetadata(
            name=model,
            architecture=f"transformers/{spec.architecture}",
            weights=weights,
            preprocessing=preprocessing,
            libraries=("torch", "transformers"),
        )

        def open_network() -> TorchNetwork:
            with _quiet():
                return TorchNetwork(load(), head=spec.head)

        return Backbone(metadata, open_network)


def _local(name: str) -> Path | None:
    """The folder that the name is the path of, by its form: names on the hub have one slash."""
    path = Path(name).expanduser()
    if not (path.is_absolute() or name.startswith(("./", "../", ".\\", "..\\")) or name == "."):
        return None
    require_existing(path, "folder", "hf: takes a folder or owner/name")
    if not (path / "config.json").is_file():
        raise BackboneError(
            f"{name} is no folder of a transformers model: it has no config.json; write one with "
            f"save_pretrained()"
        )
    return path.resolve()


def _from_hub(name: str, model: str, choice: WeightsChoice) -> Path:
    """The folder of the hub's local cache that holds the checkpoint's description."""
    config = hub_file(name, ["config.json"], model=model, choice=choice)
    hub_file(name, _PROCESSORS, model=model, choice=choice)
    return config.parent


def _weights(
    folder: Path, name: str, model: str, choice: WeightsChoice
) -> tuple[WeightsInfo, Path]:
    """The weights' identity, and the file to load (or the index of several)."""
    from penult.backbones.huggingface.network import WEIGHT_FILES

    if isinstance(choice.weights, Path):
        return user_weights(choice.weights), choice.weights
    if _local(name) is None:
        path = hub_file(name, WEIGHT_FILES, model=model, choice=choice)
        for shard in _shards(path):
            hub_file(name, [shard], model=model, choice=choice)
    else:
        found = [folder / file for file in WEIGHT_FILES if (folder / file).is_file()]
        if not found:
            raise WeightsError(f"{folder} holds no weights: none of {', '.join(WEIGHT_FILES)}")
        path = found[0]
    return WeightsInfo(model.removeprefix("hf:"), _digest(path), path), path


def _shards(path: Path) -> list[str]:
    """The files that an index names; none where `path` is the one file itself."""
    if path.suffix != ".json":
        return []
    try:
        named = {*read_json(path.read_text("utf-8"))["weight_map"].values()}
    except OSError as error:
        raise unreadable(path, error) from error
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise WeightsError(f"{path} is no index of weights files") from error
    if not named or not all(isinstance(name, str) for name in named):
        raise WeightsError(f"{path} is no index of weights files")
    return sorted(named)


def _digest(path: Path) -> str:
    """SHA-256 of the file; of the shards' digests, one a line, where there are several."""
    shards = _shards(path)
    if not shards:
        return sha256_of(path)
    missing = [shard for shard in shards if not (path.parent / shard).is_file()]
    if missing:
        raise WeightsError(f"{path.parent} lacks {missing[0]}, which {path.name} names")
    lines = "\n".join(sha256_of(path.parent / shard) for shard in shards)
    return hashlib.sha256(lines.encode()).hexdigest()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers' progress bars and reports of unused weights off the terminal."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
