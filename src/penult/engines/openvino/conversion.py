"""From a backbone to the graph that OpenVINO runs, its rows compared with torch's."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.engines.agreement import check_image, relative_error
from penult.engines.base import TOLERANCE
from penult.engines.openvino.read_graph import read_graph
from penult.engines.openvino.rows import run_model
from penult.errors import EngineError
from penult.messages import first_line
from penult.openvino import first_run_lock, import_converter, import_openvino, shared_core
from penult.threads import NetworkThreads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.backbones.backbone import Backbone
    from penult.recipe import BackboneRecipe

__all__ = ["INT8_TOLERANCE", "Conversion", "convert"]

INT8_TOLERANCE = 0.05
"""How far a row in integers may be from itself, relatively: a sum that is added up in another order
may be rounded to the next integer."""


@dataclass(frozen=True)
class Conversion:
    """A graph that gives some recipes' rows.

    Attributes
    ----------
    model : openvino.Model, from uint8 (N, H, W, 3) to an output a recipe
    batch : how many images it takes at once, no more and no fewer; None where that is free. A trace
        may take the number of images that it saw, one, for a constant
    rows : what each output was for `penult.engines.agreement.check_image` when it was made, (1, …);
        empty for a graph that was written by hand
    """

    model: Any
    batch: int | None
    rows: tuple[NDArray[np.float32], ...] = ()


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


def convert(backbone: Backbone, recipes: Sequence[BackboneRecipe]) -> Conversion:
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
            model, batch, rows = read_graph(ov, backbone, recipes)
            if backbone.metadata.instant:
                return Conversion(model, batch, rows)
            if batch is not None:
                return Conversion(model, batch, tuple(run_model(ov, model, image, batch)))
            compiled = _compile(ov, model)
            # First, for a graph that has failed on several images goes on to fail on one.
            rows = _rows(compiled, image)
            images = np.concatenate([255 - image, image])
            tolerance = INT8_TOLERANCE if backbone.metadata.quantized else TOLERANCE
            several = _takes_several(compiled, images, tolerance)
            return Conversion(model, None if several else 1, rows)
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
            convert_model = import_converter()
            from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

            # torch would trace once more to compare; what is compared below says more, and the
            # modules of torch that compare take two seconds to import.
            unchecked = {"check_trace": False}

            def trace() -> Any:
                with torch.inference_mode():  # which counts for one thread
                    return TorchScriptPythonDecoder(
                        network, example_input=traced, trace_kwargs=unchecked
                    )

            # torch notes with each operation all calls that led to it. In a thread of its own there
            # are few; those of a notebook, of pytest or of a service would double what it costs.
            with NetworkThreads(1) as pool:
                decoder = pool.submit(trace).result()
            model = convert_model(decoder)
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
    return Conversion(model, None if several else 1, rows)


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
