"""Reading a backbone that is an OpenVINO graph, as quantized ones are; needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from penult.engines.agreement import check_image, cosines, relative_error
from penult.engines.base import TOLERANCE
from penult.engines.openvino.rows import append_pooling, run_model
from penult.errors import EngineError, PenultError
from penult.interface import command
from penult.messages import first_line
from penult.openvino import shared_core

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.backbones.backbone import Backbone
    from penult.backbones.network import OpenVinoGraph
    from penult.recipe import BackboneRecipe

__all__ = ["MIN_COSINE", "read_graph"]

MIN_COSINE = 0.999
"""The least cosine of an int8 graph's row for `check_image` and the one it gave where it was made.

Processors that can add up four products of bytes at once (VNNI and its like) give the same rows to
the last bit. Older ones add them up two by two in 16 bits, where they may overflow.
"""


class ReadGraph(NamedTuple):
    """What gives some recipes' rows.

    Attributes
    ----------
    model : openvino.Model
    batch : see `penult.backbones.network.OpenVinoGraph`
    expected : what each recipe's row for `check_image` was where it was made, (1, …), as far as
        that is known and still to be compared
    """

    model: Any
    batch: int | None
    expected: tuple[NDArray[np.float32], ...] = ()


def read_graph(ov: Any, backbone: Backbone, recipes: Sequence[BackboneRecipe]) -> ReadGraph:
    """Take from a backbone that is an OpenVINO graph what gives these recipes' rows.

    Raises
    ------
    EngineError
        If this processor computes something else with it than the one where it was made, or than
        what else runs the network.
    """
    content = backbone.as_openvino([recipe.layer for recipe in recipes])
    expected = dict(zip((layer.name for layer in content.layers), content.expected, strict=False))
    checks = [backbone.recipe(name) for name in expected]

    def graph(recipes: Sequence[BackboneRecipe]) -> Any:
        whole = content.build(shared_core(ov))
        return append_pooling(ov, whole, content.layers, recipes)

    image = check_image(backbone.preprocessing.input_size)[None]
    try:
        model = graph(recipes)
        if content.reference is not None:
            _compare(ov, backbone, content, image)
        if not expected:
            return ReadGraph(model, content.batch)
        plain = [replace(recipe, preprocessing=checks[0].preprocessing) for recipe in recipes]
        if backbone.metadata.instant and all(recipe in checks for recipe in plain):
            # Whoever opens an engine compares them.
            rows = tuple(expected[recipe.layer][None] for recipe in recipes)
            return ReadGraph(model, content.batch, rows)
        found = run_model(ov, graph(checks), image, content.batch)
    except PenultError:
        raise
    except RuntimeError as error:
        cause = first_line(error)
        raise EngineError(f"{backbone.described} cannot run: {cause}") from error
    for row, (name, theirs) in zip(found, expected.items(), strict=True):
        differs = (
            f"{backbone.described} gives other rows on this processor than on the one that it was"
        )
        cosine = float(cosines(row, theirs[None])[0]) if row[0].shape == theirs.shape else 0.0
        if backbone.metadata.quantized and not cosine >= MIN_COSINE:
            raise EngineError(
                f"{differs} made on ({name}: cosine {cosine:.3f}); make it again here with "
                f"{command('quantize')}"
            )
        relative = relative_error(row[0], theirs)
        if not backbone.metadata.quantized and not relative <= TOLERANCE:
            raise EngineError(f"{differs} made on ({name}: they differ by {relative:.1e})")
    return ReadGraph(model, content.batch)


def _compare(ov: Any, backbone: Backbone, content: OpenVinoGraph, image: NDArray[np.uint8]) -> None:
    """Compare activations with those of what else runs the network."""
    assert content.reference is not None
    ours = run_model(ov, content.build(shared_core(ov)), image, content.batch)
    for layer, row, theirs in zip(content.layers, ours, content.reference(image), strict=False):
        relative = relative_error(row, theirs)
        if not backbone.metadata.quantized and not relative <= TOLERANCE:
            raise EngineError(
                f"OpenVINO's {layer.name} of {backbone.described} differs from ONNX Runtime's by "
                f"{relative:.1e}, more than {TOLERANCE:.0e}"
            )
