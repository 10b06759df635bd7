"""Weighted sums of pixels, sixteen samples at a time, for Numba, which leaves such loops scalar.

A pixel has four bytes. The vectors are LLVM's, which makes of them what the processor has: AVX-512,
AVX2 or SSE on x86, NEON on ARM. Sums are of 32-bit integers, so that their order does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, no_type_check

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

__all__ = ["PIXELS", "WEIGHT_BITS", "across", "down"]

PIXELS = 4
"""So many are read at a time."""

WEIGHT_BITS = 22
"""Of a weight, behind the point: Pillow's PRECISION_BITS."""

_BYTE, _WORD = ir.IntType(8), ir.IntType(32)
_SAMPLES, _SUMS = ir.VectorType(_BYTE, 4 * PIXELS), ir.VectorType(_WORD, 4 * PIXELS)
_WEIGHTS = ir.VectorType(_WORD, PIXELS)
_HALF = 1 << (WEIGHT_BITS - 1)


@intrinsic
@no_type_check
def across(typing, words, at, weights, first, steps):
    """Give the pixel, a uint32, that is the weighted sum of `PIXELS` times `steps` in a row.

    Nothing asks whether they lie in the arrays.

    Parameters
    ----------
    words : uint32 array, C-contiguous
        Pixels.
    at : uintp
        Where the first one is in it, flattened.
    weights : int32 array, C-contiguous
        With `WEIGHT_BITS` behind the point.
    first : uintp
        Where the first pixel's weight is in it, flattened.
    steps : uintp
        One or more.
    """

    def generate(context, builder, signature, values):
        words, at, weights, first, steps = values
        pixels = _pointer(context, builder, signature.args[0], words, at, _SAMPLES)
        weight = _pointer(context, builder, signature.args[2], weights, first, _WEIGHTS)

        def weighted(k):
            four = builder.load(builder.gep(weight, [k]), align=4)
            each = _lanes(builder, four, (lane // 4 for lane in range(4 * PIXELS)))
            return _product(builder, builder.gep(pixels, [k]), each)

        # What is rounded is half a unit above, once.
        half = ir.Constant(_SUMS, [_HALF] * 4 + [0] * (4 * PIXELS - 4))
        sums = _sum(builder, steps, half, weighted)
        for width in 8, 4:
            low, high = range(width), range(width, 2 * width)
            sums = builder.add(_lanes(builder, sums, low), _lanes(builder, sums, high))
        return builder.bitcast(_rounded(builder, sums), _WORD)

    return types.uint32(words, types.uintp, weights, types.uintp, types.uintp), generate


@intrinsic
@no_type_check
def down(typing, words, at, stride, weights, first, steps, out, to):
    """Write `PIXELS` pixels side by side, each the weighted sum of `steps` below each other.

    Nothing asks whether they lie in the arrays.

    Parameters
    ----------
    words, at, weights, first, steps
        As for `across`.
    stride : uintp
        Pixels from one line to the next.
    out : uint8 array, C-contiguous
        Three bytes a pixel.
    to : uintp
        Where the first byte is in it, flattened.
    """

    def generate(context, builder, signature, values):
        words, at, stride, weights, first, steps, out, to = values
        pixels = _pointer(context, builder, signature.args[0], words, at, _WORD)
        weight = _pointer(context, builder, signature.args[3], weights, first, _WORD)

        def weighted(k):
            line = builder.gep(pixels, [builder.mul(k, stride)])
            one = builder.load(builder.gep(weight, [k]), align=4)
            vector = builder.insert_element(_undefined(_WEIGHTS), one, ir.Constant(_WORD, 0))
            each = _lanes(builder, vector, [0] * (4 * PIXELS))
            return _product(builder, builder.bitcast(line, _SAMPLES.as_pointer()), each)

        sums = _sum(builder, steps, ir.Constant(_SUMS, [_HALF] * (4 * PIXELS)), weighted)
        colors = (4 * pixel + color for pixel in range(PIXELS) for color in range(3))
        three = _lanes(builder, _rounded(builder, sums), colors)
        place = _pointer(context, builder, signature.args[6], out, to, three.type)
        builder.store(three, place, align=1)
        return context.get_dummy_value()

    given = words, types.uintp, types.uintp, weights, types.uintp, types.uintp, out, types.uintp
    return types.void(*given), generate


def _pointer(context: Any, builder: Any, of: Any, array: Any, at: Any, kind: Any) -> Any:
    """To what is so many elements behind the first one of an array."""
    data = context.make_array(of)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), kind.as_pointer())


def _product(builder: Any, samples: Any, weights: Any) -> Any:
    return builder.mul(builder.zext(builder.load(samples, align=4), _SUMS), weights)


def _sum(builder: Any, steps: Any, begin: Any, term: Callable[[Any], Any]) -> Any:
    """Add up so many terms, one at least."""
    before = builder.block
    loop, behind = builder.append_basic_block(), builder.append_basic_block()
    builder.branch(loop)
    builder.position_at_end(loop)
    k, sums = builder.phi(steps.type), builder.phi(begin.type)
    more = builder.add(sums, term(k))
    following = builder.add(k, ir.Constant(steps.type, 1))
    for value, first, later in (k, ir.Constant(steps.type, 0), following), (sums, begin, more):
        value.add_incoming(first, before)
        value.add_incoming(later, loop)
    builder.cbranch(builder.icmp_unsigned("<", following, steps), loop, behind)
    builder.position_at_end(behind)
    return more


def _rounded(builder: Any, sums: Any) -> Any:
    """Bytes of sums, as Pillow clips them."""
    lanes = sums.type.count
    bits, least, most = (ir.Constant(sums.type, [value] * lanes) for value in (WEIGHT_BITS, 0, 255))
    whole = builder.ashr(sums, bits)
    whole = builder.select(builder.icmp_signed("<", whole, least), least, whole)
    whole = builder.select(builder.icmp_signed(">", whole, most), most, whole)
    return builder.trunc(whole, ir.VectorType(_BYTE, lanes))


def _lanes(builder: Any, vector: Any, which: Iterable[int]) -> Any:
    """Some elements of a vector, in a new order."""
    order = list(which)
    mask = ir.Constant(ir.VectorType(_WORD, len(order)), order)
    return builder.shuffle_vector(vector, _undefined(vector.type), mask)


def _undefined(kind: Any) -> Any:
    return ir.Constant(kind, ir.Undefined)
