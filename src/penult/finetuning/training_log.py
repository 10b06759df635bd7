"""What each epoch came to, written down while a training goes on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from penult.errors import OutputExistsError
from penult.extras import require_extra
from penult.interface import option
from penult.output import check_folder, explain

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
    """Refuse logs for TensorBoard where it is not installed, or the folder cannot be written.

    Raises
    ------
    MissingExtraError, OutputExistsError, OutputError
    """
    if folder is None:
        return
    require_extra("logs for TensorBoard", "tensorboard", "tensorboard")
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise OutputExistsError(
            f"{folder} is a file; give {option('tensorboard')} the name of a folder"
        )
    check_folder(folder, name="tensorboard")


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

            try:
                self._writer = SummaryWriter(str(self._folder))
            except OSError as error:
                raise explain(error, Path(self._folder)) from error
        last = epochs[-1].to_dict()
        for name, tag in _TAGS.items():
            if last[name] is not None:
                self._writer.add_scalar(f"{stage}/{tag}", last[name], last["epoch"])
        self._writer.flush()
