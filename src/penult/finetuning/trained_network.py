"""A fine-tuned network that lies in memory, as part of a Python object."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from penult.backbones.checkpoint_folder import WEIGHTS
from penult.backbones.registry import open_backbone
from penult.extractor import EngineOptions, ExtractorSpec, ModelRows, ReadingOptions
from penult.finetuning.checkpoint_folder import check_folder, write_checkpoint, write_weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from penult.extractor import Extractor
    from penult.finetuning.finetuned_model import FinetunedModel
    from penult.progress import ShowProgress

__all__ = ["TrainedNetwork"]


class TrainedNetwork:
    """The weights of a network as the bytes of their file, and what belongs to them.

    Pickled, it is that: no path, and nothing that is open. A network is opened of a file, so that
    one is written where it has to run: into a folder of its own, which goes with the object, and is
    written again where somebody has cleared it away.

    Parameters
    ----------
    model : FinetunedModel
        Its head, and how it was trained.
    weights : bytes
        A checkpoint, as `write_weights` writes it.
    """

    def __init__(self, model: FinetunedModel, weights: bytes) -> None:
        self.model = model
        self._weights = weights
        self._folder: Path | None = None
        self._opened: tuple[ExtractorSpec, Extractor] | None = None
        self._opening = Lock()

    @classmethod
    def of(cls, network: nn.Module, model: FinetunedModel) -> TrainedNetwork:
        """Take what a training ended in.

        Parameters
        ----------
        network : torch.nn.Module
            As `write_checkpoint` takes it.
        model : FinetunedModel

        Raises
        ------
        OutputError
        """
        with tempfile.TemporaryDirectory(prefix="penult-") as folder:
            file = Path(folder) / WEIGHTS
            write_weights(file, network, model)
            return cls(model, file.read_bytes())

    def __reduce__(self) -> Any:
        return TrainedNetwork, (self.model, self._weights)

    def rows(
        self,
        images: Any,
        *,
        engine: EngineOptions,
        reading: ReadingOptions,
        progress: ShowProgress,
    ) -> NDArray[np.float32]:
        """Make penultimate rows of images, (N, D).

        Raises
        ------
        ImageError
            At the first image that cannot be read.
        UsageError, MissingExtraError, EngineError
        """
        with self._opening:
            spec = ExtractorSpec(
                rows=ModelRows(models=(f"checkpoint:{self._file()}",)),
                # What an engine makes of it is not kept on disk: a search over many would fill it.
                engine=replace(engine, fresh=True),
                reading=reading,
            )
            if self._opened is None or self._opened[0] != spec:
                self._opened = spec, spec.open()
            extractor = self._opened[1]
        return extractor(images, progress=progress)

    def save(self, folder: Path, *, overwrite: bool = False) -> Path:
        """Write the folder that `penult.finetune` writes; see `write_checkpoint`."""
        check_folder(folder, overwrite=overwrite)
        with self._opening:
            backbone = open_backbone(f"checkpoint:{self._file()}", use_cache=False)
        network: Any = backbone.cut(["penultimate"]).network
        return write_checkpoint(folder, network, self.model, overwrite=overwrite)

    def _file(self) -> Path:
        """The file of weights, written if it is not there."""
        if self._folder is None or not (self._folder / WEIGHTS).is_file():
            self._folder = Path(tempfile.mkdtemp(prefix="penult-"))
            weakref.finalize(self, _remove, self._folder, os.getpid())
            (self._folder / WEIGHTS).write_bytes(self._weights)
        return self._folder / WEIGHTS


def _remove(folder: Path, process: int) -> None:
    if os.getpid() == process:  # a forked child has the object as well
        shutil.rmtree(folder, ignore_errors=True)
