"""From a backbone to an ONNX graph that gives the same rows."""

from __future__ import annotations

import io
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from penult.engines.agreement import relative_error
from penult.engines.base import TOLERANCE
from penult.engines.onnx_rows import row_model
from penult.engines.registry import engines_for, open_engine
from penult.errors import EngineError, PenultError
from penult.extras import require_extra, require_torch
from penult.messages import first_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from penult.backbones.backbone import Backbone
    from penult.recipe import BackboneRecipe

    Rows = Sequence[NDArray[np.float32]]

__all__ = ["IR", "OPSET", "RowGraph", "TriedGraph", "require_onnx", "row_graph", "run_graph"]

OPSET, IR = 17, 8
"""The versions of ONNX's operators and of its file format; runtimes since 2022 know them."""


def require_onnx(what: str) -> None:
    """Refuse early where the libraries are missing.

    Raises
    ------
    MissingExtraError
    """
    require_extra(what, "onnx", "onnx", "onnxruntime", "skl2onnx")


class TriedGraph(NamedTuple):
    """An ONNX model, and how far its outputs were from those that they have to be."""

    model: Any
    difference: float


class RowGraph(NamedTuple):
    """A network as an ONNX model, how far its rows were from the network's own, and those.

    The last is a function from uint8 (n, H, W, 3) to the rows of each recipe, float32 (n, D).
    """

    model: Any
    difference: float
    own_rows: Callable[[NDArray[np.uint8]], Rows]


def row_graph(
    backbone: Backbone,
    recipes: Sequence[BackboneRecipe],
    *,
    images: str = "images",
    prefix: str = "backbone/",
) -> RowGraph:
    """Write what `penult.engines.row_network` computes as an ONNX model, and try it out.

    Parameters
    ----------
    recipes : of `backbone`, one an output
    images : name of the input
    prefix : what all other names begin with

    Returns
    -------
    RowGraph
        From uint8 (N, H, W, 3) RGB, to float32 (N, D) for each recipe, with any N.

    Raises
    ------
    MissingExtraError
        If torch is needed to write it, and is not installed.
    EngineError
        If the network cannot be written as such, or gives other rows then; for example one that
        runs outside torch, or one whose weights are larger than the 2 GB that one file can hold.
    """
    forms = backbone.metadata.forms
    if not {"onnx", "torch"} & {*forms}:
        engines = " or ".join(engines_for(backbone))
        raise EngineError(
            f"{backbone.described} cannot be written as ONNX: it runs with the engine {engines} "
            "alone; train on rows of a network that torch runs"
        )
    if "onnx" not in forms:
        require_torch(f"{backbone.described} as ONNX")
    from onnx.compose import add_prefix

    size = (5, *backbone.preprocessing.input_size, 3)
    pixels = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    # Other images than the traced ones, and another number of them: a trace may freeze either.
    traced, others = pixels[:2], pixels[2:]
    try:
        if "onnx" in forms:
            model = row_model(backbone, recipes, images=images, opset=OPSET, ir=IR)
            exact = [recipe.with_options(precision="float32") for recipe in recipes]
            own_rows = _flat(open_engine(backbone, exact, device="cpu").run)
        else:
            model, own_rows = _by_torch(backbone, recipes, traced, images)
        rows = run_graph(model.SerializeToString(), others)
        expected = own_rows(others)
    except PenultError as error:
        raise EngineError(f"{backbone.described} cannot be written as ONNX: {error}") from error
    except Exception as error:
        raise EngineError(
            f"{backbone.described} cannot be written as ONNX: {first_line(error)}"
        ) from error
    relative = max(relative_error(*pair) for pair in zip(rows, expected, strict=True))
    if not relative <= TOLERANCE:
        raise EngineError(
            f"{backbone.described} as ONNX gives rows that differ from its own by {relative:.1e}, "
            f"more than {TOLERANCE:.0e}"
        )
    return RowGraph(add_prefix(model, prefix, rename_inputs=False), float(relative), own_rows)


def _flat(run: Callable[[NDArray[np.uint8]], Rows]) -> Callable[[NDArray[np.uint8]], Rows]:
    return lambda images: [rows.reshape(len(rows), -1) for rows in run(images)]


def _by_torch(
    backbone: Backbone,
    recipes: Sequence[BackboneRecipe],
    traced: NDArray[np.uint8],
    images: str,
) -> tuple[Any, Callable[[NDArray[np.uint8]], Rows]]:
    """Trace it on some images; the model, and torch's own rows."""
    import onnx
    import torch

    from penult.engines.row_network import RowNetwork

    class Flat(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = RowNetwork(backbone, recipes)

        def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return tuple(rows.flatten(1) for rows in self.network(images))

    def run(pixels: NDArray[np.uint8]) -> Rows:
        with torch.inference_mode(), _traceable():
            return [rows.numpy() for rows in network(torch.from_numpy(pixels))]

    file: Any = io.BytesIO()  # a path would let it write more files beside it
    network = Flat().eval().requires_grad_(False)
    names = [f"rows_{number}" for number in range(len(recipes))]
    with torch.inference_mode(), _traceable():
        torch.onnx.export(
            network,
            (torch.from_numpy(traced),),
            file,
            input_names=[images],
            output_names=names,
            dynamic_axes={name: {0: "N"} for name in (images, *names)},
            opset_version=OPSET,
            # As the other converter: tracing is what sees a pass that hooks cut short.
            dynamo=False,
        )
    model = onnx.load_from_string(file.getvalue())
    model.ir_version = IR
    return model, run


@contextmanager
def _traceable() -> Iterator[None]:
    import torch

    # Fused attention has no counterpart in ONNX; what it fuses has.
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    # Where an operator has no counterpart, torch prints the whole graph: it asks whether this
    # function is there, and not what it returns.
    logs = getattr(torch._C, "_jit_is_onnx_log_enabled", None)
    torch._C._jit_is_onnx_log_enabled = None  # type: ignore[assignment]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch._C._jit_is_onnx_log_enabled = logs  # type: ignore[assignment]
        torch.backends.mha.set_fastpath_enabled(fused)


def run_graph(model: bytes, *arrays: NDArray[Any]) -> list[NDArray[Any]]:
    """Run a serialised model on the CPU, one array an input; all its outputs."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]
    outputs: list[NDArray[Any]] = session.run(None, dict(zip(names, arrays, strict=True)))
    return outputs
