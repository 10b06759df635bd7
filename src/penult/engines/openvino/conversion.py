"""From a backbone to the graph that OpenVINO runs, its rows compared with torch's."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.engines.agreement import check_image, relative_error
from penult.engines.base import TOLERANCE
from penult.engines.openvino.core import shared_core
from penult.engines.openvino.read_graph import read_graph
from penult.errors import EngineError
from penult.locks import ForkSafeLock
from penult.messages import first_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.backbones.backbone import Backbone
    from penult.recipe import Recipe

__all__ = [
    "INT8_TOLERANCE",
    "Conversion",
    "convert",
    "first_run_lock",
    "import_converter",
    "import_openvino",
]

INT8_TOLERANCE = 0.05
"""How far a row in integers may be from itself, relatively: a sum that is added up in another order
may be rounded to the next integer."""

# OpenVINO's bindings set up some of their types when the first image is run, in a way that two
# threads at once deadlock in: one holds the interpreter and waits for the other's set-up, which
# waits for the interpreter. So every engine runs one image before it is handed out.
first_run_lock = ForkSafeLock()


@dataclass(frozen=True)
class Conversion:
    """A graph that gives some recipes' rows.

    Attributes
    ----------
    model : openvino.Model, from uint8 (N, H, W, 3) to an output a recipe
    fixed_batch : whether the trace took the number of images for a constant, which is then one
    rows : what each output was for `penult.engines.agreement.check_image` when it was made, (1, …);
        empty for a graph that was written by hand
    """

    model: Any
    fixed_batch: bool
    rows: tuple[NDArray[np.float32], ...] = ()


@cache
def import_openvino() -> ModuleType:
    """Import OpenVINO without its converter, which takes as long again, until that is needed.

    Raises
    ------
    EngineError
    """
    try:
        with _hidden("openvino.tools.ovc", unless="openvino"):
            import openvino
    except ImportError as error:
        raise EngineError(f"OpenVINO cannot be imported: {error}") from error
    if not hasattr(openvino, "convert_model"):
        # For whoever else looks for it in this process.
        openvino.__getattr__ = _converter_when_asked
    module: ModuleType = openvino
    return module


def _converter_when_asked(name: str) -> Any:
    if name != "convert_model":
        raise AttributeError(f"module 'openvino' has no attribute {name!r}")
    return import_converter()


@cache
def import_converter() -> Callable[..., Any]:
    """Import OpenVINO's ``convert_model`` without its telemetry, which reports by default.

    The converter has a stub for where the telemetry package is not installed; hiding the package
    during the import makes it take the stub. Where it was imported before, the stub is put in.
    Each report would be a forked process, too, which holds open what files this one has open.

    Raises
    ------
    EngineError
    """
    import_openvino()
    try:
        with _hidden("openvino_telemetry", unless="openvino.tools.ovc"):
            from openvino.tools.ovc import (
                convert_impl,
                convert_model,
                telemetry_stub,
                telemetry_utils,
                utils,
            )
    except ImportError as error:
        raise EngineError(f"OpenVINO's converter cannot be imported: {error}") from error
    for reporting in (convert_impl, telemetry_utils, utils):
        reporting.tm = telemetry_stub
    convert: Callable[..., Any] = convert_model
    return convert


@contextmanager
def _hidden(name: str, *, unless: str) -> Iterator[None]:
    """Have a module seem not to be installed, unless it or another was imported before."""
    hide = name not in sys.modules and unless not in sys.modules
    if hide:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hide:
            del sys.modules[name]


@contextmanager
def _root_logger_kept() -> Iterator[None]:
    """Undo what the converter does to the root logger: it would mute a whole program."""
    root = logging.getLogger()
    level, filters = root.level, list(root.filters)
    try:
        yield
    finally:
        root.setLevel(level)
        root.filters[:] = filters


def convert(backbone: Backbone, recipes: Sequence[Recipe]) -> Conversion:
    """Make a conversion, trusting nothing that lies on the disk but the weights.

    Raises
    ------
    EngineError
        If the network cannot be converted, or its rows are then not torch's to `TOLERANCE`.
    """
    ov = import_openvino()
    image = check_image(backbone.preprocessing.input_size)[None]
    if "openvino" in backbone.metadata.forms:
        with first_run_lock:
            model = read_graph(ov, backbone, recipes)
            if backbone.metadata.instant:
                return Conversion(model, fixed_batch=False)
            compiled = _compile(ov, model)
            images = np.concatenate([255 - image, image])
            tolerance = INT8_TOLERANCE if backbone.metadata.quantized else TOLERANCE
            several = _takes_several(compiled, images, tolerance)
            return Conversion(model, not several, _rows(compiled, image))
    import torch

    from penult.engines.row_network import RowNetwork

    network = RowNetwork(backbone, recipes).eval().requires_grad_(False)
    # Another image than the traced one: a trace that froze what it saw would give that one's row.
    traced = torch.randint(
        0, 256, image.shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    try:
        with torch.inference_mode(), warnings.catch_warnings(), _root_logger_kept():
            # The converter traces, which torch has deprecated; tracing is what sees a pass that
            # hooks cut short.
            warnings.simplefilter("ignore")
            model = import_converter()(network, example_input=traced)
            expected = network(torch.from_numpy(image))
    except Exception as error:
        raise EngineError(
            f"{backbone.described} cannot be converted: {first_line(error)}"
        ) from error
    with first_run_lock:
        compiled = _compile(ov, model)
        rows = _rows(compiled, image)
    for recipe, row, theirs in zip(recipes, rows, expected, strict=True):
        if not torch.isfinite(theirs).all():
            # OpenVINO's may be finite, and as wrong.
            raise EngineError(
                f"{backbone.described} gives NaN or infinite numbers for a test image (layer "
                f"{recipe.layer}), so its weights are damaged, or not made for float32; give others"
            )
        relative = relative_error(row, theirs.numpy())
        if not relative <= TOLERANCE:
            raise EngineError(
                f"the conversion of {recipe.layer} of {backbone.described} differs from torch's "
                f"rows by {relative:.1e}, more than {TOLERANCE:.0e}"
            )
    several = _takes_several(compiled, np.concatenate([traced, image]), TOLERANCE)
    return Conversion(model, not several, rows)


def _compile(ov: ModuleType, model: Any) -> Any:
    return shared_core(ov).compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def _rows(compiled: Any, images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], ...]:
    return tuple(row.copy() for row in compiled(images).values())


def _takes_several(compiled: Any, images: NDArray[np.uint8], tolerance: float) -> bool:
    """Whether images run together give the row of the last that it gives alone."""
    alone = _rows(compiled, images[-1:])
    try:
        together = _rows(compiled, images)
    except RuntimeError:
        return False
    return all(
        len(rows) == len(images) and relative_error(rows[-1], row[-1]) <= tolerance
        for rows, row in zip(together, alone, strict=True)
    )
