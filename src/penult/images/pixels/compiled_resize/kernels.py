"""The two passes of a resize in the processor's own instructions, written and compiled by LLVM.

A pixel has four bytes, of which the last does not count; `AT_ONCE` are read at a time. The vectors
become what the processor has: AVX-512, AVX2 or SSE on x86, NEON on ARM. All sums are of integers,
so that their order does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, c_int64, c_void_p
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numpy.typing import NDArray

from penult.images.pixels.compiled_resize.weights import AT_ONCE, WEIGHT_BITS

__all__ = ["Kernels"]

_BYTE, _WORD, _SIZE = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_SAMPLES, _SUMS = ir.VectorType(_BYTE, 4 * AT_ONCE), ir.VectorType(_WORD, 4 * AT_ONCE)
_WEIGHTS = ir.VectorType(_WORD, AT_ONCE)
_BYTES, _WORDS, _SIZES = _BYTE.as_pointer(), _WORD.as_pointer(), _SIZE.as_pointer()
_HALF = 1 << (WEIGHT_BITS - 1)


class Kernels:
    """The two passes, compiled for this processor, which takes some milliseconds.

    Raises
    ------
    RuntimeError
        If LLVM does not know the processor.
    """

    def __init__(self) -> None:
        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        target = binding.Target.from_default_triple().create_target_machine(
            cpu=binding.get_host_cpu_name(), features=binding.get_host_cpu_features().flatten()
        )
        module = ir.Module()
        _write_across(module)
        _write_down(module)
        # It owns the memory that they lie in.
        self._engine = binding.create_mcjit_compiler(binding.parse_assembly(str(module)), target)
        self._engine.finalize_object()
        given = [c_void_p, c_int64, c_void_p, c_void_p]
        across = CFUNCTYPE(None, *given, c_int64, c_int64, c_int64, c_void_p)
        down = CFUNCTYPE(None, *given, c_int64, c_int64, c_void_p)
        self._across = across(self._engine.get_function_address("across"))
        self._down = down(self._engine.get_function_address("down"))

    def resize(
        self,
        pixels: NDArray[np.uint32],
        columns: tuple[NDArray[np.int64], NDArray[np.int32]],
        lines: tuple[NDArray[np.int64], NDArray[np.int32]],
        out: NDArray[np.uint8],
    ) -> None:
        """Resize and crop; safe to call from any thread, without the interpreter's lock.

        Parameters
        ----------
        pixels : uint32 array, shape (h, w), C-contiguous
            Pillow's own.
        columns, lines : (starts, weights)
            What `weights` says of the two edges; of columns, a multiple of `AT_ONCE` each.
        out : uint8 array, shape (H, W, 3), C-contiguous
            Where to, with a W of at least `AT_ONCE`.
        """
        (x_starts, x_weights), (y_starts, y_weights) = columns, lines
        height, width, _ = out.shape
        top, within, taps = int(y_starts[0]), y_starts - y_starts[0], y_weights.shape[1]
        # Pillow rounds to bytes between the passes.
        narrow = np.empty((int(within[-1]) + taps, width), np.uint32)
        self._across(
            _address(pixels[top:]),
            pixels.shape[1],
            _address(x_starts),
            _address(x_weights),
            x_weights.shape[1] // AT_ONCE,
            width,
            len(narrow),
            _address(narrow),
        )
        self._down(
            _address(narrow),
            width,
            _address(within),
            _address(y_weights),
            taps,
            height,
            _address(out),
        )


def _address(array: NDArray[Any]) -> int:
    return int(array.__array_interface__["data"][0])


def _write_across(module: ir.Module) -> None:
    arguments = [_WORDS, _SIZE, _SIZES, _WORDS, _SIZE, _SIZE, _SIZE, _WORDS]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), arguments), "across")
    pixels, stride, starts, weights, steps, width, lines, out = function.args
    builder = ir.IRBuilder(function.append_basic_block())
    taps = builder.mul(steps, _SIZE(AT_ONCE))
    # What is rounded is half a unit above, once.
    half = ir.Constant(_SUMS, [_HALF] * 4 + [0] * (4 * AT_ONCE - 4))
    with _each(builder, lines) as y:
        line = builder.gep(pixels, [builder.mul(y, stride)])
        to = builder.gep(out, [builder.mul(y, width)])
        with _each(builder, width) as x:
            begin = builder.gep(line, [builder.load(builder.gep(starts, [x]))])
            samples = builder.bitcast(begin, _SAMPLES.as_pointer())
            own = builder.gep(weights, [builder.mul(x, taps)])
            fours = builder.bitcast(own, _WEIGHTS.as_pointer())

            def weighted(k: Any, samples: Any = samples, fours: Any = fours) -> Any:
                four = builder.load(builder.gep(fours, [k]), align=4)
                each = _lanes(builder, four, (lane // 4 for lane in range(4 * AT_ONCE)))
                return _product(builder, builder.gep(samples, [k]), each)

            sums = _sum(builder, steps, half, weighted)
            for count in 8, 4:
                low, high = range(count), range(count, 2 * count)
                sums = builder.add(_lanes(builder, sums, low), _lanes(builder, sums, high))
            pixel = builder.bitcast(_rounded(builder, sums), _WORD)
            builder.store(pixel, builder.gep(to, [x]))
    builder.ret_void()


def _write_down(module: ir.Module) -> None:
    arguments = [_WORDS, _SIZE, _SIZES, _WORDS, _SIZE, _SIZE, _BYTES]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), arguments), "down")
    pixels, width, starts, weights, taps, lines, out = function.args
    builder = ir.IRBuilder(function.append_basic_block())
    half = ir.Constant(_SUMS, [_HALF] * (4 * AT_ONCE))
    last = builder.sub(width, _SIZE(AT_ONCE))
    blocks = builder.udiv(builder.add(width, _SIZE(AT_ONCE - 1)), _SIZE(AT_ONCE))
    with _each(builder, lines) as y:
        line = builder.mul(builder.load(builder.gep(starts, [y])), width)
        own = builder.gep(weights, [builder.mul(y, taps)])
        with _each(builder, blocks) as block:
            # The last one may begin in the one before it, and write the same once more.
            x = builder.mul(block, _SIZE(AT_ONCE))
            x = builder.select(builder.icmp_unsigned("<", x, last), x, last)
            begin = builder.gep(pixels, [builder.add(line, x)])

            def weighted(k: Any, own: Any = own, begin: Any = begin) -> Any:
                one = builder.load(builder.gep(own, [k]))
                vector = builder.insert_element(_undefined(_WEIGHTS), one, _WORD(0))
                each = _lanes(builder, vector, [0] * (4 * AT_ONCE))
                samples = builder.gep(begin, [builder.mul(k, width)])
                return _product(builder, builder.bitcast(samples, _SAMPLES.as_pointer()), each)

            sums = _rounded(builder, _sum(builder, taps, half, weighted))
            colors = (4 * pixel + color for pixel in range(AT_ONCE) for color in range(3))
            three = _lanes(builder, sums, colors)
            at = builder.mul(builder.add(builder.mul(y, width), x), _SIZE(3))
            to = builder.bitcast(builder.gep(out, [at]), three.type.as_pointer())
            builder.store(three, to, align=1)
    builder.ret_void()


@contextmanager
def _each(builder: ir.IRBuilder, count: Any) -> Iterator[Any]:
    """Repeat what is built within, for 0, 1, … of a count of one or more."""
    before = builder.block
    loop, behind = builder.append_basic_block(), builder.append_basic_block()
    builder.branch(loop)
    builder.position_at_end(loop)
    k = builder.phi(_SIZE)
    yield k
    following = builder.add(k, _SIZE(1))
    k.add_incoming(_SIZE(0), before)
    k.add_incoming(following, builder.block)
    builder.cbranch(builder.icmp_unsigned("<", following, count), loop, behind)
    builder.position_at_end(behind)


def _sum(builder: ir.IRBuilder, count: Any, begin: Any, term: Callable[[Any], Any]) -> Any:
    """Add up as many terms as a count says."""
    before = builder.block
    with _each(builder, count) as k:
        sums = builder.phi(begin.type)
        more = builder.add(sums, term(k))
        sums.add_incoming(begin, before)
        sums.add_incoming(more, builder.block)
    return more


def _product(builder: ir.IRBuilder, samples: Any, weights: Any) -> Any:
    return builder.mul(builder.zext(builder.load(samples, align=4), _SUMS), weights)


def _rounded(builder: ir.IRBuilder, sums: Any) -> Any:
    """Bytes of sums, as Pillow clips them."""
    lanes = sums.type.count
    bits, least, most = (ir.Constant(sums.type, [value] * lanes) for value in (WEIGHT_BITS, 0, 255))
    whole = builder.ashr(sums, bits)
    whole = builder.select(builder.icmp_signed("<", whole, least), least, whole)
    whole = builder.select(builder.icmp_signed(">", whole, most), most, whole)
    return builder.trunc(whole, ir.VectorType(_BYTE, lanes))


def _lanes(builder: ir.IRBuilder, vector: Any, which: Iterable[int]) -> Any:
    """Some elements of a vector, in a new order."""
    order = list(which)
    mask = ir.Constant(ir.VectorType(_WORD, len(order)), order)
    return builder.shuffle_vector(vector, _undefined(vector.type), mask)


def _undefined(kind: Any) -> Any:
    return ir.Constant(kind, ir.Undefined)
