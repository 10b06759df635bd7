"""OpenVINO: the fastest engine on a CPU, converted once and kept on disk."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.backbones.remembered import cache_folder
from penult.engines.base import TOLERANCE, Engine, cores
from penult.engines.core import the_core
from penult.errors import EngineError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.backbones.base import Backbone
    from penult.recipe import Recipe

__all__ = ["OpenVinoEngine", "converted"]

# Raised when what `engines.graph` computes changes, so that old conversions are not used.
_GRAPH = 2

_FILES = ("model.xml", "model.bin")

# Lies beside them where the trace took the number of images for a constant.
_SINGLY = "one-image-at-a-time"

# How far a row in integers may be from itself, relatively: a sum that is added up in another order
# may be rounded to the next integer.
_ROUNDED = 0.05

# Images an inference. More gain nothing, and their activations leave the core's own cache.
_AT_ONCE = 4


# OpenVINO's bindings set up some of their types when the first image is run, in a way that two
# threads at once deadlock in: one holds the interpreter and waits for the other's set-up, which
# waits for the interpreter. So every engine runs one image before it is handed out.
_first_run = Lock()


class OpenVinoEngine(Engine):
    """Runs a converted graph in float32, one stream a core; needs no torch once it is converted.

    Parameters
    ----------
    streams : inferences at the same time; the number of cores by default
    batch_size : images a call
    images : how many there are, where that is known

    Raises
    ------
    EngineError
        If the network cannot be converted, or the conversion does not agree with torch to
        `TOLERANCE`.
    """

    name = "openvino"
    device = "cpu"
    batch_size = 8

    def __init__(
        self,
        backbone: Backbone,
        recipes: Sequence[Recipe],
        *,
        streams: int | None = None,
        batch_size: int | None = None,
        images: int | None = None,
    ) -> None:
        self.recipes = tuple(recipes)
        self.concurrency = streams or cores()
        self.batch_size = batch_size or self.batch_size
        # The streams share the way to memory, so each reads the weights once for several images.
        # A graph compiled for a fixed number is faster than one for any number up to it, by up to
        # a seventh, and costs the last batch some images of nothing.
        few = min(self.batch_size, images or self.batch_size) < _AT_ONCE
        self._at_once = 1 if few else _AT_ONCE
        ov = _openvino()
        folder, is_new = _converted(ov, backbone, self.recipes)
        try:
            compiled = self._compile(ov, folder)
        except RuntimeError as error:
            if is_new:
                raise EngineError(f"{backbone.name} cannot run: {_first_line(error)}") from error
            # What is kept on disk was damaged, or is of another machine.
            shutil.rmtree(folder, ignore_errors=True)
            folder, _ = _converted(ov, backbone, self.recipes)
            compiled = self._compile(ov, folder)
        self._requests: SimpleQueue[Any] = SimpleQueue()
        for _ in range(self.concurrency):
            self._requests.put(compiled.create_infer_request())
        with _first_run:
            self.run(np.zeros((1, *self.recipes[0].preprocessing.input_size, 3), np.uint8))

    def _compile(self, ov: Any, folder: Path) -> Any:
        core = the_core(ov)
        model = core.read_model(folder / _FILES[0])
        if (folder / _SINGLY).exists():
            self._at_once = 1
        model.reshape([self._at_once, *self.recipes[0].preprocessing.input_size, 3])
        options = {
            "NUM_STREAMS": self.concurrency,
            "INFERENCE_NUM_THREADS": self.concurrency,
            # Not the processor's choice of bfloat16: rows agree with torch's to 1e-4.
            "INFERENCE_PRECISION_HINT": "f32",
            "ENABLE_CPU_PINNING": False,
            "CACHE_DIR": str(folder),
        }
        return core.compile_model(model, "CPU", options)

    def run(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """See `Engine.run`."""
        request = self._requests.get()
        try:
            rows: list[NDArray[np.float32]] = []
            for start in range(0, len(images), self._at_once):
                chunk = images[start : start + self._at_once]
                if missing := self._at_once - len(chunk):
                    chunk = np.concatenate([chunk, np.zeros((missing, *chunk.shape[1:]), np.uint8)])
                outputs = request.infer(chunk, share_inputs=True, share_outputs=True)
                results = [outputs[j] for j in range(len(self.recipes))]
                if not rows:
                    rows = [np.empty((len(images), *r.shape[1:]), np.float32) for r in results]
                for row, result in zip(rows, results, strict=True):
                    row[start : start + self._at_once] = result[: len(row) - start]
            return rows
        finally:
            self._requests.put(request)


def converted(backbone: Backbone, recipes: Sequence[Recipe]) -> tuple[ModuleType, Any]:
    """The module openvino, and the graph that gives these recipes' rows, as an openvino.Model.

    Raises
    ------
    EngineError
    """
    ov = _openvino()
    folder, _ = _converted(ov, backbone, recipes)
    return ov, the_core(ov).read_model(folder / _FILES[0])


@cache
def _openvino() -> ModuleType:
    """Import OpenVINO without its telemetry, which reports by default.

    Its converter has a stub for where the telemetry package is not installed; hiding the package
    during the import makes it take the stub.
    """
    hidden = "openvino_telemetry"
    hide = hidden not in sys.modules and "openvino" not in sys.modules
    if hide:
        sys.modules[hidden] = None  # type: ignore[assignment]
    try:
        import openvino
    except ImportError as error:
        raise EngineError(f"OpenVINO cannot be imported: {error}") from error
    finally:
        if hide:
            del sys.modules[hidden]
    module: ModuleType = openvino
    return module


def _converted(ov: Any, backbone: Backbone, recipes: Sequence[Recipe]) -> tuple[Path, bool]:
    """The folder of the converted graph, made now if it is not there, and whether it was."""
    parts = [_GRAPH, ov.__version__, [json.loads(recipe.to_json()) for recipe in recipes]]
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
    folder = cache_folder() / "openvino" / key
    if all((folder / name).is_file() for name in _FILES):
        return folder, False
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as name:
            _convert(ov, backbone, recipes, Path(name))
            shutil.rmtree(folder, ignore_errors=True)
            try:
                Path(name).rename(folder)
                Path(name).mkdir()  # for the clean-up to remove
            except OSError:
                # Another process converted the same meanwhile.
                if not folder.is_dir():
                    raise
    except OSError as error:
        raise EngineError(f"the conversion cannot be kept in {folder}: {error}") from error
    return folder, True


def _convert(ov: Any, backbone: Backbone, recipes: Sequence[Recipe], folder: Path) -> None:
    from penult.backbones.int8 import Int8Backbone

    config = {"INFERENCE_PRECISION_HINT": "f32"}
    if isinstance(backbone, Int8Backbone):
        from penult.engines.int8 import check_image, unpack

        image = check_image(backbone.preprocessing.input_size)
        with _first_run:
            model = unpack(ov, backbone, recipes)
            compiled = the_core(ov).compile_model(model, "CPU", config)
            several = _takes_several(compiled, np.stack([255 - image, image]), _ROUNDED)
        ov.save_model(model, folder / _FILES[0], compress_to_fp16=False)
        if not several:
            (folder / _SINGLY).touch()
        return
    import torch

    from penult.engines.graph import RowNetwork

    network = RowNetwork(backbone, recipes).eval().requires_grad_(False)
    size = (2, 1, *backbone.preprocessing.input_size, 3)
    # Another image than the traced one: a trace that froze what it saw would give that one's row.
    traced, image = torch.randint(
        0, 256, size, dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            # The converter traces, which torch has deprecated; tracing is what sees a pass that
            # hooks cut short.
            warnings.simplefilter("ignore")
            model = ov.convert_model(network, example_input=traced)
            expected = network(image)
    except Exception as error:
        raise EngineError(f"{backbone.name} cannot be converted: {_first_line(error)}") from error
    ov.save_model(model, folder / _FILES[0], compress_to_fp16=False)
    with _first_run:
        compiled = the_core(ov).compile_model(model, "CPU", config)
        outputs = [row.copy() for row in compiled(image.numpy()).values()]
    for k, (recipe, reference) in enumerate(zip(recipes, expected, strict=True)):
        theirs = reference.numpy()
        relative = float(np.linalg.norm(outputs[k] - theirs) / (np.linalg.norm(theirs) or 1))
        if not relative <= TOLERANCE:
            raise EngineError(
                f"the conversion of {recipe.layer} of {backbone.name} differs from torch's rows by "
                f"{relative:.1e}, more than {TOLERANCE:.0e}"
            )
    if not _takes_several(compiled, np.concatenate([traced, image]), TOLERANCE):
        (folder / _SINGLY).touch()


def _takes_several(compiled: Any, images: NDArray[np.uint8], tolerance: float) -> bool:
    """Whether images run together give the row of the last that it gives alone."""
    alone = [rows[-1].copy() for rows in compiled(images[-1:]).values()]
    try:
        together = compiled(images).values()
    except RuntimeError:
        return False
    return all(
        len(rows) == len(images)
        and np.linalg.norm(rows[-1] - row) <= tolerance * np.linalg.norm(row)
        for rows, row in zip(together, alone, strict=True)
    )


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
