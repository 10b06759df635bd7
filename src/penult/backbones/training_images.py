"""Which images trained a network that penult fine-tuned: its checkpoint knows their keys."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from penult.backbones.checkpoint_folder import CLASSIFIER, WEIGHTS, is_checkpoint_folder
from penult.backbones.graph_file import is_graph_file, read_trained_on
from penult.content_keys import NETWORK_TRAINED_ON, TRAINED_ON, parse_keys
from penult.errors import FileFormatError
from penult.inputs import unreadable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["training_images"]

_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError)


def training_images(weights: Path | None) -> NDArray[np.uint64] | None:
    """Read the keys of the images that trained a network, its parents' included.

    Parameters
    ----------
    weights : Path or None
        The file of its weights, as `penult.backbones.weights.info.WeightsInfo` has it: in the
        folder of a checkpoint, beside the head, which has the keys; or a file that was converted
        or quantised from one, which took them over.

    Returns
    -------
    uint64 array, shape (n,), or None
        Of `penult.content_keys`; None of a network of which nothing is known, as of all
        pretrained ones, and of those that are as they were after a fine-tuning.

    Raises
    ------
    FileFormatError
        If the folder is damaged.
    """
    if weights is None:
        return None
    if weights.name == WEIGHTS and is_checkpoint_folder(weights.parent):
        return _of_head(weights.parent / CLASSIFIER)
    return read_trained_on(weights) if is_graph_file(weights) else None


def _of_head(path: Path) -> NDArray[np.uint64] | None:
    if not path.is_file():
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            member = NETWORK_TRAINED_ON if NETWORK_TRAINED_ON in names else TRAINED_ON
            if member not in names:
                return None
            if archive.getinfo(member).file_size <= path.stat().st_size:  # as it was stored
                keys = parse_keys(archive.read(member))
                return keys if len(keys) or member == TRAINED_ON else None
    except OSError as error:
        raise unreadable(path, error) from error
    except (*_DAMAGE, ValueError, NotImplementedError, RuntimeError) as error:
        raise FileFormatError(f"{path} is damaged; copy its folder again") from error
    raise FileFormatError(f"{path} is damaged; copy its folder again")
