"""Post-training quantisation to 8-bit integers, by NNCF, of what OpenVINO runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.backbones.graph_file import SavedGraph
from penult.engines.openvino.cosine_metric import CosineMetric
from penult.engines.openvino.engine import converted
from penult.engines.openvino.nncf import import_nncf, silence
from penult.engines.openvino.pack import pack
from penult.errors import EngineError
from penult.interface import option
from penult.messages import first_line
from penult.openvino import import_openvino, keep_signal_stack, shared_core
from penult.progress import announce, announcing_late
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.backbones.backbone import Backbone
    from penult.recipe import BackboneRecipe

__all__ = ["Quantized", "quantize"]

VALIDATION_IMAGES = 100
"""Images, the first of those calibrated on, by which is decided what stays in float32."""

RANKING_IMAGES = 32
"""The worst of them, on which operations are compared."""

_PRODUCTS = ("Convolution", "Deconvolution", "FullyConnected", "MatMul")
_ATTENTION = ("Softmax", "ScaledDotProductAttention")


@dataclass(frozen=True, kw_only=True)
class Quantized:
    """A quantised network.

    Attributes
    ----------
    graph : what goes into the file
    products : number of its convolutions and matrix products
    in_float : how many of these are computed in float32
    half_range : whether weights have 7 bits, which cannot overflow without VNNI
    """

    graph: SavedGraph
    products: int
    in_float: int
    half_range: bool


_WEIGHTS = {
    False: "8-bit weights",
    True: "7-bit weights, whose sums do not overflow on older processors,",
}


@keep_signal_stack()  # NNCF makes cores of its own
def quantize(
    backbone: Backbone,
    recipes: Sequence[BackboneRecipe],
    images: NDArray[np.uint8],
    *,
    min_cosine: float,
) -> Quantized:
    """Turn the part of a network that leads to some layers into 8-bit integers.

    Weights get a scale for each channel; activations a scale and a zero point (NNCF's preset
    ``mixed``) from the ranges that they have on `images`, and biases are corrected for what
    rounding does to the mean. If the rows are then not alike enough:

    1. Weights of 7 bits are tried, as sums of 8-bit products overflow on processors without VNNI,
       and the better of the two is gone on with.
    2. NNCF's accuracy control ranks the quantised operations by the mean cosine that comes of
       putting one alone back into float32, and puts them back in this order, the one that wins
       most first, ranking anew whenever one does not help, until the mean cosine is reached.

    Parameters
    ----------
    backbone : Backbone
        What is to be quantized.
    recipes : sequence of BackboneRecipe
        Of the layers to keep; rows are judged after their poolings.
    images : uint8 array, shape (N, H, W, 3)
        As `penult.images.pixels.transform` makes them.
    min_cosine : float
        Mean cosine of int8 and float32 rows to reach, if it can be, on the first
        `VALIDATION_IMAGES`; with several layers, that of the worst.

    Raises
    ------
    EngineError
        If OpenVINO cannot run the network, or there is nothing in it to quantise.
    """
    announce("converting the network")
    plain = [replace(recipe, pooling="none", normalize="none") for recipe in recipes]
    ov, model = import_openvino(), converted(backbone, plain).model
    # Only now: once it is imported, OpenVINO's converter asks it about every network.
    nncf = import_nncf()
    model.reshape([1, *images.shape[1:]])
    metric = CosineMetric(ov, backbone, recipes, model, images[:VALIDATION_IMAGES])
    dataset = nncf.Dataset([images[k : k + 1] for k in range(len(images))])
    options = {
        "preset": nncf.QuantizationPreset.MIXED,
        "subset_size": len(images),
        "model_type": _model_type(nncf, model),
    }

    def with_bits(half_range: bool) -> Any:
        # NNCF halves the range of the first layer's weights by default, for processors without
        # VNNI. It costs more than all other layers together, and helps them little.
        fix = nncf.OverflowFix.ENABLE if half_range else nncf.OverflowFix.DISABLE
        return nncf.AdvancedQuantizationParameters(overflow_fix=fix)

    tried: dict[bool, tuple[float, Any]] = {}
    try:
        with silence():
            for half_range in (False, True):
                announce(f"calibrating {_WEIGHTS[half_range]} on {count(len(images), 'image')}")
                graph = nncf.quantize(
                    model, dataset, advanced_parameters=with_bits(half_range), **options
                )
                tried[half_range] = (metric.mean(graph), graph)
                if tried[half_range][0] >= min_cosine:
                    break
            half_range = max(tried, key=lambda key: tried[key][0])
            cosine, graph = tried[half_range]
            if cosine < min_cosine:
                reached = option("min_cosine", max(floor(cosine * 1000), 0) / 1000)
                announce(
                    f"mean cosine {cosine:.4f}: looking for what to keep in float32, which takes a "
                    f"while; {reached} does without"
                )
                # How many tries it takes, NNCF does not know before it has ended.
                metric.counted = announcing_late(
                    lambda: f"what to keep in float32, mean cosine {metric.best:.4f} at best",
                    None,
                    "tries",
                )
                controlled = nncf.quantize_with_accuracy_control(
                    model,
                    dataset,
                    nncf.Dataset(metric.items),
                    metric,
                    max_drop=1 - min_cosine,
                    advanced_quantization_parameters=with_bits(half_range),
                    advanced_accuracy_restorer_parameters=(
                        nncf.AdvancedAccuracyRestorerParameters(ranking_subset_size=RANKING_IMAGES)
                    ),
                    **options,
                )
                graph = max((graph, controlled), key=metric.mean)
    except Exception as error:
        # NNCF's errors have no base of their own.
        cause = first_line(error)
        raise EngineError(f"{backbone.described} cannot be quantised: {cause}") from error
    products, in_float = _count(ov, graph)
    if products == in_float:
        raise EngineError(
            f"{backbone.described} has nothing before {recipes[-1].layer} that could be in "
            f"integers and give rows with a mean cosine of {min_cosine:g}"
        )
    return Quantized(
        graph=pack(backbone, [recipe.layer for recipe in recipes], graph),
        products=products,
        in_float=in_float,
        half_range=half_range,
    )


def _count(ov: ModuleType, graph: Any) -> tuple[int, int]:
    """(convolutions and matrix products, those that this machine computes in floats)."""
    config = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = shared_core(ov).compile_model(graph, "CPU", config)
    primitives = [
        operation.get_rt_info()["primitiveType"].astype(str)
        for operation in compiled.get_runtime_model().get_ordered_ops()
        if operation.get_rt_info()["layerType"].astype(str) in _PRODUCTS
    ]
    return len(primitives), sum(not name.endswith("_I8") for name in primitives)


def _model_type(nncf: ModuleType, model: Any) -> Any:
    """Transformers have patterns of their own that NNCF leaves in float or smoothes."""
    kinds = {operation.get_type_name() for operation in model.get_ordered_ops()}
    return nncf.ModelType.TRANSFORMER if kinds & set(_ATTENTION) else None
