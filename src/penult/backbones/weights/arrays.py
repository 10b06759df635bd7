"""Arrays in a safetensors file, read without torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.errors import WeightsError
from penult.file_kinds import safetensors_header
from penult.inputs import open_file, refuse_unread
from penult.messages import first_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["array_shapes", "is_safetensors", "read_arrays"]


def is_safetensors(path: Path) -> bool:
    """Whether a file begins as a safetensors file does, whatever it is called."""
    with open_file(path) as file:
        return safetensors_header(file.read(9)) is not None


def array_shapes(path: Path) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Read the name, type (as safetensors has it, ``"F32"``) and shape of each array.

    Raises
    ------
    WeightsError
        If it is no whole safetensors file.
    """
    from safetensors import safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            return {name: (x.get_dtype(), tuple(x.get_shape())) for name, x in slices.items()}
    # Safetensors' error has no base but Exception.
    except Exception as error:
        refuse_unread(path, error)
        raise WeightsError(f"{path} is no whole safetensors file: {first_line(error)}") from error


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read all arrays.

    Raises
    ------
    WeightsError
        If it is no whole safetensors file.
    """
    from safetensors.numpy import load_file

    try:
        return dict(load_file(path))
    except Exception as error:
        refuse_unread(path, error)
        raise WeightsError(f"{path} is no whole safetensors file: {first_line(error)}") from error
