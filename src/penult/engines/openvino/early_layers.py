"""The first layers of a graph one image after the other, the last ones for several at once.

What early layers pass on is large: that of several images does not fit into the cache of a core,
and is written to memory and read again. Late layers have large weights, which are read once for all
images of a batch. So early layers are faster image by image, and late ones in batches; every row is
the same to the last bit. That holds in float32: in bfloat16, where graphs are put together decides
what is rounded, and half as much is passed on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

__all__ = ["early_layers_apart"]

_CACHE = 1 << 20
"""Bytes of a core's own cache, of the processors of these years at least."""

_WORTH_IT = 1 / 48
"""Bytes saved for each product that is computed: networks that save less compute so much beside
that they gained nothing, or not the time to compile (`benchmarks/RESULTS.md`)."""

_LAYERS = {"Convolution", "GroupConvolution", "MatMul"}


@dataclass(frozen=True)
class _Layer:
    """What a layer does for one image.

    Attributes
    ----------
    weights : int
        Bytes of them.
    passed : int
        Bytes that it gets and gives.
    products : int
        That it adds up.
    """

    weights: int
    passed: int
    products: int

    @classmethod
    def of(cls, op: Any, of_image: Sequence[bool]) -> _Layer:
        """What a node reads and writes; of its inputs, some depend on the image."""
        inputs = list(zip(op.inputs(), of_image, strict=True))
        weights = sum(_bytes(one) for one, is_passed in inputs if not is_passed)
        passed = sum(_bytes(one) for one, is_passed in inputs if is_passed)
        return cls(weights, passed + _bytes(op.output(0)), _products(op))

    def traffic(self, images: int) -> float:
        """Bytes an image that come from outside of the cache, where it runs so many at once."""
        spilled = self.passed if self.passed * images > _CACHE else 0
        return self.weights / images + spilled


def early_layers_apart(ov: ModuleType, model: Any, shape: Sequence[int]) -> Any:
    """Rewrite a graph so that its early layers run image by image, if that pays.

    Parameters
    ----------
    ov : module
        OpenVINO.
    model : openvino.Model
        From images to rows in float32, each of its image alone; it is not changed.
    shape : (int, int, int, int)
        Of the images that it is to take at once, N × H × W × 3.

    Returns
    -------
    openvino.Model
        Another one, of that shape.
    """
    images, *of_one = shape
    batched, single = model.clone(), model.clone()
    batched.reshape(shape)
    single.reshape([1, *of_one])
    # A shape that depends on what an image shows is known to nobody yet.
    is_known = images > 1 and not (single.is_dynamic() or batched.is_dynamic())
    if not is_known or (waist := _waist(single, batched, images)) is None:
        return batched
    ops = ov.opset13
    (image_batch,) = batched.get_parameters()
    apart = ops.split(image_batch, ops.constant(0), images)
    early = []
    for image in apart.outputs():
        copy = single.clone()
        early.append(_output(copy, waist))
        (parameter,) = copy.get_parameters()
        _lead(parameter.output(0), image)
    _lead(_output(batched, waist), ops.concat(early, 0).output(0))
    batched.validate_nodes_and_infer_types()
    return batched


def _output(model: Any, name: str) -> Any:
    return next(op for op in model.get_ops() if op.get_friendly_name() == name).output(0)


def _lead(old: Any, new: Any) -> None:
    """Let all that takes one output take another."""
    for taker in old.get_target_inputs():
        taker.replace_source_output(new)


def _waist(single: Any, batched: Any, images: int) -> str | None:
    """Name the node of a graph behind which images are best put together; None for none."""
    ops = single.get_ordered_ops()
    place = {op.get_friendly_name(): n for n, op in enumerate(ops)}
    theirs = {op.get_friendly_name(): op for op in batched.get_ordered_ops()}
    if len(place) < len(ops):
        return None
    sources = [[place[_source(one)] for one in op.inputs()] for op in ops]
    of_image: list[bool] = []
    last = list(range(len(ops)))  # who takes what a node gives
    for n, op in enumerate(ops):
        of_image.append(op.get_type_name() == "Parameter" or any(of_image[p] for p in sources[n]))
        for p in sources[n]:
            last[p] = len(ops) if op.get_type_name() == "Result" else max(last[p], n)
    layers = {
        n: _Layer.of(op, [of_image[p] for p in sources[n]])
        for n, op in enumerate(ops)
        if op.get_type_name() in _LAYERS and of_image[n]
    }
    before, behind = 0.0, sum(layer.traffic(images) for layer in layers.values())
    costs: dict[str, float] = {}
    least, held = behind, set[int]()
    for n in range(len(ops)):
        if n in layers:
            # Of what is passed on, this layer takes it: a sum or an activation that follows on a
            # layer is computed with it, and must not be parted from it.
            (waist, *more) = held
            name = ops[waist].get_friendly_name()
            if not more and _is_batched(ops[waist], theirs.get(name), images):
                costs[name] = before + behind + 2 * _bytes(ops[waist].output(0))  # it is copied
            before += layers[n].traffic(1)
            behind -= layers[n].traffic(images)
        held = {p for p in held | ({n} if of_image[n] else set()) if last[p] > n}
    cheapest = min(costs.values(), default=math.inf)
    if cheapest > least - _WORTH_IT * sum(layer.products for layer in layers.values()):
        return None
    # Of those that are nearly as good, the first: the fewer layers, the sooner they are compiled.
    return next(name for name, cost in costs.items() if cost <= cheapest + 0.05 * least)


def _source(taken: Any) -> str:
    return str(taken.get_source_output().get_node().get_friendly_name())


def _is_batched(single: Any, batched: Any, images: int) -> bool:
    """Whether a node gives for several images what it gives for one, one after the other."""
    if batched is None or len(single.outputs()) != 1:
        return False
    one, several = list(single.output(0).get_shape()), list(batched.output(0).get_shape())
    return bool(one) and one[0] == 1 and several == [images, *one[1:]]


def _products(op: Any) -> int:
    """How many products a convolution, or a product of matrices, adds up."""
    given, factors = (list(one.get_shape()) for one in op.inputs())
    if op.get_type_name() == "MatMul":
        each = given[-2 if op.get_attributes()["transpose_a"] else -1]
    else:  # groups come before what a filter gives
        each = math.prod(factors[2 if op.get_type_name() == "GroupConvolution" else 1 :])
    return int(each * math.prod(op.output(0).get_shape()))


def _bytes(output: Any) -> int:
    return int(math.prod(output.get_shape()) * output.get_element_type().size)
