"""Conversions on disk: one folder each, with what shows whether it still is what was put there.

``model.xml`` and ``model.bin`` are OpenVINO's. ``check.safetensors`` beside them has the SHA-256 of
both, what they were made from (so that a folder that was put in another's place is noticed), and
the rows of a check image, which every engine compares with its own before it is handed out. Nothing
compiled is kept: that saves a tenth of a second, doubles what has to be trusted, and ends the
process where it is damaged.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.backbones.weights.info import sha256_of
from penult.engines.openvino.conversion import Conversion
from penult.machine import cache_folder
from penult.messages import first_line
from penult.openvino import import_openvino, shared_core
from penult.output import sync_folder
from penult.scratch import scratch_folder, sweep

if TYPE_CHECKING:
    from penult.recipe import BackboneRecipe

__all__ = ["ConversionCache", "DamagedError", "kept_conversions"]

# Raised when what `engines.row_network` computes changes, so that old conversions are not used.
_GRAPH = 4

_MODEL, _CHECK = ("model.xml", "model.bin"), "check.safetensors"


class DamagedError(Exception):
    """What is stored is not what was put there; says how."""


class ConversionCache:
    """The conversion for some recipes, on disk.

    Attributes
    ----------
    folder : Path
        There, whole, or not at all.
    """

    def __init__(self, recipes: Sequence[BackboneRecipe]) -> None:
        # How photos are decoded and resized, and what the graph is computed in, is not in it.
        plain = [json.loads(recipe.with_options().to_json()) for recipe in recipes]
        parts = [_GRAPH, import_openvino().__version__, plain]
        self._made_from = json.dumps(parts, sort_keys=True)
        key = hashlib.sha256(self._made_from.encode()).hexdigest()[:32]
        self.folder = _conversions() / key
        self._outputs = len(recipes)

    def load(self) -> Conversion | None:
        """Read what is stored; None where there is nothing.

        Raises
        ------
        DamagedError
            If it is not what was put there.
        """
        from safetensors import SafetensorError, safe_open

        if not self.folder.is_dir():
            return None
        try:
            with safe_open(self.folder / _CHECK, "numpy") as file:
                note: dict[str, Any] = file.metadata() or {}
                rows = tuple(file.get_tensor(f"row{k}") for k in range(self._outputs))
            if note["made_from"] != self._made_from:
                raise DamagedError("is another network's")
            for name in _MODEL:
                if sha256_of(self.folder / name) != note[name]:
                    raise DamagedError(f"is not what it was: {name} has changed")
            batch = None if note["batch"] == "any" else int(note["batch"])
            model = shared_core(import_openvino()).read_model(self.folder / _MODEL[0])
        except FileNotFoundError as error:
            if not self.folder.is_dir():
                return None  # another process is about to put something else there
            name = Path(error.filename or _CHECK).name
            raise DamagedError(f"is not whole: it has no {name}") from error
        except (SafetensorError, KeyError, ValueError) as error:
            raise DamagedError(f"is not what it was: {_CHECK} has changed") from error
        except (OSError, RuntimeError) as error:
            raise DamagedError(f"cannot be read: {first_line(error)}") from error
        return Conversion(model, batch, rows)

    def store(self, conversion: Conversion) -> None:
        """Store a conversion, in place of whatever is there.

        Raises
        ------
        OSError
        """
        from safetensors.numpy import save

        around = self.folder.parent
        around.mkdir(parents=True, exist_ok=True)
        sweep(around, self.folder.name)
        scratch = scratch_folder(around, self.folder.name)
        try:
            whole = scratch / "whole"
            whole.mkdir()
            try:
                import_openvino().save_model(
                    conversion.model, whole / _MODEL[0], compress_to_fp16=False
                )
            except RuntimeError as error:
                raise OSError(first_line(error)) from error
            note = {
                "made_from": self._made_from,
                "batch": "any" if conversion.batch is None else str(conversion.batch),
                **{name: sha256_of(whole / name) for name in _MODEL},
            }
            rows = {f"row{k}": row for k, row in enumerate(conversion.rows)}
            (whole / _CHECK).write_bytes(save(rows, note))
            for path in whole.iterdir():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
            sync_folder(whole)
            with suppress(FileNotFoundError):
                self.folder.rename(scratch / "before")
            try:
                whole.rename(self.folder)
            except OSError:
                if not self.folder.is_dir():  # else another process was faster with the same
                    raise
            sync_folder(around)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def kept_conversions() -> frozenset[str]:
    """The names of the conversions that are kept: another one after a run is one that it made."""
    try:
        return frozenset(folder.name for folder in _conversions().iterdir())
    except OSError:
        return frozenset()


def _conversions() -> Path:
    return cache_folder() / "openvino"
