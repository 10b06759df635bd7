"""What each epoch came to, written down while a training goes on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from penult.extras import require_extra

if TYPE_CHECKING:
    from penult.records import FinetuneEpoch

__all__ = ["TrainingLog", "require_tensorboard"]

_TAGS = {
    "train_loss": "loss/train",
    "validation_loss": "loss/validation",
    "validation_accuracy": "accuracy/validation",
    "lr": "lr",
    "images_per_second": "speed/images per second",
}


def require_tensorboard(folder: str | Path | None) -> None:
    """Refuse logs for TensorBoard where it is not installed.

    Raises
    ------
    MissingExtraError
    """
    if folder is not None:
        require_extra("logs for TensorBoard", "tensorboard", "tensorboard")


class TrainingLog:
    """Writes epochs for TensorBoard, each once; without a folder, nothing.

    Parameters
    ----------
    folder : path or None
        Which TensorBoard is to show; made if need be.
    """

    def __init__(self, folder: str | Path | None) -> None:
        self._folder = folder
        self._writer: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def __call__(self, stage: str, epochs: Sequence[FinetuneEpoch]) -> None:
        """Write the last of some epochs down.

        Parameters
        ----------
        stage : str
            What is trained.
        epochs : sequence of FinetuneEpoch
            All so far.
        """
        if self._folder is None:
            return
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self._folder))
        last = epochs[-1].to_dict()
        for name, tag in _TAGS.items():
            if last[name] is not None:
                self._writer.add_scalar(f"{stage}/{tag}", last[name], last["epoch"])
        self._writer.flush()
