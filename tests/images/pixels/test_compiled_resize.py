"""The compiled resize gives Pillow's bits, comes when it pays, and is not used where it would not."""

from __future__ import annotations

import importlib
import logging
import sys
import threading
import types
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from penult.images.pixels.compiled_resize import resizer
from penult.images.pixels.transform import Transform
from penult.recipe import Preprocessing

FILTERS = ("bilinear", "bicubic", "lanczos")
needs_numba = pytest.mark.needs("numba")


@pytest.fixture
def loading(monkeypatch):
    """As in a new process, which takes the compiled loops after three images."""
    found = resizer._Loading()
    monkeypatch.setattr(resizer, "_LOADING", found)
    monkeypatch.setattr(resizer, "_WORTH_LOADING", 3)
    return found


@pytest.fixture(scope="module")
def compiled():
    """The loops, compiled once for all tests."""
    found = resizer._Loading()
    found.load()
    assert found.loops() is not None
    return found


def noise(width, height, seed=0):
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))


def transform(resize, crop, interpolation="bicubic"):
    half = (0.5,) * 3
    return Transform(
        Preprocessing(resize=resize, crop=crop, interpolation=interpolation, mean=half, std=half)
    )


def both(monkeypatch, compiled, image, *how):
    """The pixels as Pillow makes them, and as the loops do."""
    found = []
    for loading in resizer._Loading(), compiled:
        with monkeypatch.context() as patch:
            patch.setattr(resizer, "_LOADING", loading)
            found.append(transform(*how)(image))
    return found


def wait_for_loading():
    for thread in threading.enumerate():
        if thread.name == "penult-compiled-resize":
            thread.join()


@needs_numba
@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize(
    ("size", "resize", "crop"),
    [
        pytest.param((590, 540), 256, (224, 224), id="landscape"),
        pytest.param((541, 731), 292, (260, 260), id="portrait"),
        pytest.param((90, 61), 256, (224, 224), id="enlarged"),
        pytest.param((256, 300), 256, (224, 224), id="cropped only"),
        pytest.param((301, 200), (64, 48), None, id="squashed"),
        pytest.param((50, 100), 31, (48, 48), id="padded left and right, odd"),
        pytest.param((1, 1), 256, (224, 224), id="a single pixel"),
        pytest.param((3, 700), 32, (28, 28), id="very tall"),
        pytest.param((700, 3), 33, (28, 28), id="very wide"),
        pytest.param((4000, 90), 30, (30, 30), id="hundreds of neighbours"),
    ],
)
def test_pixels_are_pillows_to_the_bit(monkeypatch, compiled, size, resize, crop, interpolation):
    theirs, ours = both(monkeypatch, compiled, noise(*size), resize, crop, interpolation)
    np.testing.assert_array_equal(ours, theirs)


@needs_numba
@settings(max_examples=300, deadline=None)
@given(
    width=st.integers(1, 400),
    height=st.integers(1, 400),
    resize=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    crop=st.tuples(st.integers(1, 80), st.integers(1, 80)),
    interpolation=st.sampled_from(FILTERS),
    black_and_white=st.booleans(),
    seed=st.integers(0, 9),
)
def test_pixels_are_pillows_whatever_the_sizes(
    compiled, width, height, resize, crop, interpolation, black_and_white, seed
):
    image = noise(width, height, seed)
    if black_and_white:  # where filters overshoot most
        image = image.point(lambda value: 255 * (value > 127))
    with pytest.MonkeyPatch.context() as patch:
        theirs, ours = both(patch, compiled, image, resize, crop, interpolation)
    np.testing.assert_array_equal(ours, theirs)


@needs_numba
def test_the_first_images_are_left_to_pillow_and_the_others_are_equal(loading, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "penult")
    used = []
    monkeypatch.setattr(
        resizer, "_apply", lambda *given, apply=resizer._apply: used.append(1) or apply(*given)
    )
    shrink, image = transform(16, (12, 12)), noise(70, 50)
    pixels = [shrink(image) for _ in range(3)]
    wait_for_loading()
    assert caplog.messages == ["resizing is compiled from now on"]
    before = len(used)  # of the comparison with Pillow alone
    pixels += [shrink(image) for _ in range(3)]
    assert len(used) == before + 3
    assert all(np.array_equal(found, pixels[0]) for found in pixels)


@needs_numba
def test_many_threads_load_it_once(loading, monkeypatch):
    loads = []
    monkeypatch.setattr(loading, "load", lambda load=loading.load: loads.append(1) or load())
    shrink, image = transform(16, (12, 12)), noise(70, 50)
    with ThreadPoolExecutor(8) as pool:
        pixels = list(pool.map(lambda _: shrink(image), range(200)))
    wait_for_loading()
    assert len(loads) == 1
    assert all(np.array_equal(found, pixels[0]) for found in pixels)


@needs_numba
@pytest.mark.parametrize("interpolation", ["nearest", "box", "hamming"])
def test_other_filters_are_left_to_pillow(loading, compiled, monkeypatch, interpolation):
    monkeypatch.setattr(resizer, "_LOADING", compiled)
    monkeypatch.setattr(resizer, "_apply", None)  # not to be called
    assert transform(16, (12, 12), interpolation)(noise(70, 50)).shape == (12, 12, 3)


@needs_numba
def test_an_image_in_several_pieces_of_memory_is_left_to_pillow(monkeypatch, compiled):
    image = Image.new("RGB", (2500, 2000), (10, 20, 30))  # Pillow's pieces have 16 MB
    theirs, ours = both(monkeypatch, compiled, image, 16, (12, 12))
    assert (ours == (10, 20, 30)).all()
    np.testing.assert_array_equal(ours, theirs)


def test_loops_that_do_otherwise_than_the_installed_pillow_are_not_used(
    loading, monkeypatch, caplog
):
    monkeypatch.setattr(resizer, "is_installed", lambda *modules: True)
    loops = types.SimpleNamespace(forget=None, resize=partial(lambda *given: given[-1].fill(7)))
    name = "penult.images.pixels.compiled_resize.loops"
    monkeypatch.setitem(sys.modules, name, loops)
    with caplog.at_level(logging.INFO, "penult"):
        loading.load()
    assert loading.loops() is None
    assert "resizing is not compiled: Pillow" in caplog.text


def test_a_numba_that_does_not_go_with_this_numpy_is_not_used(loading, monkeypatch, caplog):
    monkeypatch.setattr(resizer, "is_installed", lambda *modules: True)
    monkeypatch.setitem(sys.modules, "penult.images.pixels.compiled_resize.loops", None)
    with caplog.at_level(logging.INFO, "penult"):
        loading.load()
    assert loading.loops() is None
    assert "resizing is not compiled: " in caplog.text


@needs_numba
def test_where_numba_is_told_not_to_compile_or_memory_is_short_pillow_goes_on(
    loading, monkeypatch, caplog
):
    caplog.set_level(logging.INFO, "penult")
    loops = importlib.import_module("penult.images.pixels.compiled_resize.loops")
    monkeypatch.setattr(loops, "resize", lambda *_: None)  # as with NUMBA_DISABLE_JIT=1
    loading.load()
    monkeypatch.setattr(resizer, "free_memory", lambda: 1 << 29)
    loading.load()
    assert loading.loops() is None
    assert caplog.messages == [
        "resizing is not compiled: Numba is told not to compile, by NUMBA_DISABLE_JIT",
        "resizing is not compiled: there is too little memory",
    ]


def test_where_no_thread_can_be_started_pillow_goes_on(loading, monkeypatch, caplog):
    def no_more(*_, **__):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(resizer, "Thread", no_more)
    shrink = transform(16, (12, 12))
    with caplog.at_level(logging.INFO, "penult"):
        assert [shrink(noise(70, 50)).shape for _ in range(5)] == [(12, 12, 3)] * 5
    assert caplog.messages == ["resizing is not compiled: can't start new thread"]


def test_what_was_kept_and_is_damaged_is_compiled_anew(loading, monkeypatch, caplog):
    class Damaged:
        """Numba raises whatever reading the kept code does; here the loops are Pillow's own."""

        forgotten = False

        def resize(self, words, across, down, support, out):
            if not self.forgotten:
                raise EOFError("pickle data was truncated")
            image = Image.fromarray(words.view(np.uint8).reshape(*words.shape, 4)[:, :, :3].copy())
            name = next(one for one, reach in resizer._SUPPORT.items() if reach == support)
            resized = image.resize((across[1], down[1]), Image.Resampling[name.upper()])
            out[:] = np.asarray(resized)
            return True

        def forget(self):
            self.forgotten = True

    damaged = Damaged()
    monkeypatch.setattr(resizer, "is_installed", lambda *modules: True)
    monkeypatch.setitem(sys.modules, "penult.images.pixels.compiled_resize.loops", damaged)
    loading.load()
    assert damaged.forgotten
    assert loading.loops() == damaged.resize


def test_without_numba_nothing_is_loaded(loading, monkeypatch):
    monkeypatch.setattr(resizer, "is_installed", lambda *modules: False)
    monkeypatch.setattr(resizer, "_apply", None)  # not to be called
    shrink = transform(16, (12, 12))
    assert [shrink(noise(70, 50)).shape for _ in range(5)] == [(12, 12, 3)] * 5
    resizer.preload()
    assert loading.loops() is None


class Slowly:
    """What the vectors do, pixel by pixel."""

    PIXELS, WEIGHT_BITS = 4, 22

    @staticmethod
    def _sums(pixels, weights):
        samples = np.ascontiguousarray(pixels).view(np.uint8).reshape(len(pixels), 4)
        sums = (samples.astype(np.int64) * weights[:, None]).sum(0) + (1 << 21)
        return np.clip(sums >> 22, 0, 255).astype(np.uint8)

    def across(self, words, at, weights, first, steps):
        taps = 4 * steps
        at, first = int(at), int(first)
        pixels = np.ravel(words)[at : at + int(taps)]
        return self._sums(pixels, np.ravel(weights)[first : first + int(taps)]).view(np.uint32)[0]

    def down(self, words, at, stride, weights, first, steps, out, to):
        at, first, taps, flat = int(at), int(first), int(steps), out.reshape(-1)
        for k in range(4):
            pixels = np.ravel(words)[at + k :: int(stride)][:taps]
            color = self._sums(pixels, np.ravel(weights)[first : first + taps])[:3]
            flat[int(to) + 3 * k : int(to) + 3 * k + 3] = color


def test_where_nothing_can_be_kept_the_loops_are_compiled_each_time(monkeypatch):
    def njit(function, *, nogil, cache=False):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return function

    # Not compiled at all, so that this is also the check of the loops by another interpreter.
    monkeypatch.setitem(sys.modules, "numba", types.SimpleNamespace(njit=njit))
    name = "penult.images.pixels.compiled_resize.loops"
    monkeypatch.setitem(sys.modules, name.replace("loops", "lanes"), Slowly())
    before = sys.modules.pop(name, None)
    loops = importlib.import_module(name)
    del sys.modules[name]
    if before is not None:
        sys.modules[name] = before
    image = noise(13, 7)
    out = np.empty((4, 6, 3), np.uint8)
    words = np.asarray(image.convert("RGBX")).view(np.uint32)[:, :, 0]
    assert loops.resize(words, (13, 9, 2, 6), (7, 4, 0, 4), 2, out)
    np.testing.assert_array_equal(
        out, np.asarray(image.resize((9, 4), Image.Resampling.BICUBIC))[:, 2:8]
    )
