"""Reading a backbone that is an OpenVINO graph, such as an int8 checkpoint; needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from penult.engines.agreement import check_image, cosines, relative_error
from penult.engines.base import TOLERANCE
from penult.engines.openvino.core import shared_core
from penult.engines.openvino.rows import append_pooling, run_model
from penult.errors import EngineError, PenultError
from penult.interface import command
from penult.messages import first_line

if TYPE_CHECKING:
    from penult.backbones.backbone import Backbone
    from penult.recipe import Recipe

__all__ = ["MIN_COSINE", "read_graph"]

MIN_COSINE = 0.999
"""The least cosine of an int8 graph's row for `check_image` and the one it gave where it was made.

Processors that can add up four products of bytes at once (VNNI and its like) give the same rows to
the last bit. Older ones add them up two by two in 16 bits, where they may overflow.
"""


def read_graph(ov: Any, backbone: Backbone, recipes: Sequence[Recipe]) -> Any:
    """Take from a backbone that is an OpenVINO graph what gives these recipes' rows.

    Returns
    -------
    openvino.Model

    Raises
    ------
    EngineError
        If this processor computes something else with it than the one where it was made.
    """
    content = backbone.as_openvino([recipe.layer for recipe in recipes])
    names = [layer.name for layer in content.layers]

    def graph(recipes: Sequence[Recipe]) -> Any:
        whole = content.build(shared_core(ov))
        return append_pooling(ov, whole, content.layers, recipes)

    try:
        model = graph(recipes)
        if not content.expected:
            return model
        image = check_image(backbone.preprocessing.input_size)
        found = run_model(ov, graph([backbone.recipe(name) for name in names]), image[None])
    except PenultError:
        raise
    except RuntimeError as error:
        cause = first_line(error)
        raise EngineError(f"{backbone.described} cannot run: {cause}") from error
    for name, row, expected in zip(names, found, content.expected, strict=True):
        differs = (
            f"{backbone.described} gives other rows on this processor than on the one that it was"
        )
        cosine = float(cosines(row, expected[None])[0])
        if backbone.metadata.quantized and not cosine >= MIN_COSINE:
            raise EngineError(
                f"{differs} made on ({name}: cosine {cosine:.3f}); make it again here with "
                f"{command('quantize')}"
            )
        relative = relative_error(row[0], expected)
        if not backbone.metadata.quantized and not relative <= TOLERANCE:
            raise EngineError(f"{differs} made on ({name}: they differ by {relative:.1e})")
    return model
