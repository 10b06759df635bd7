"""The compiled resize gives Pillow's bits, comes when it pays, and is not used where it would not."""

from __future__ import annotations

import logging
import os
import sys
import threading
import types
import warnings
from concurrent.futures import ThreadPoolExecutor

import nanoarrow
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from penult.images.pixels.axis import Axis
from penult.images.pixels.compiled_resize import resizer
from penult.images.pixels.compiled_resize.weights import AT_ONCE, weights
from penult.images.pixels.transform import Transform
from penult.recipe import Preprocessing

FILTERS = ("bilinear", "bicubic", "lanczos")
needs_llvm = pytest.mark.needs("llvmlite")


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
    assert found.kernels() is not None
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


@needs_llvm
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


@needs_llvm
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


@needs_llvm
def test_the_first_images_are_left_to_pillow_and_the_others_are_equal(loading, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "penult")
    used = []
    monkeypatch.setattr(
        resizer, "_apply", lambda *given, apply=resizer._apply: used.append(1) or apply(*given)
    )
    shrink, image = transform(16, (12, 12)), noise(70, 50)
    pixels = [shrink(image) for _ in range(3)]
    wait_for_loading()
    assert caplog.messages == ["penult: resizing is compiled from now on"]
    before = len(used)  # of the comparison with Pillow alone
    pixels += [shrink(image) for _ in range(3)]
    assert len(used) == before + 3
    assert all(np.array_equal(found, pixels[0]) for found in pixels)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_fork_waits_for_what_is_being_loaded(loading, monkeypatch):
    begun, may_end, ended = threading.Event(), threading.Event(), []

    def load():
        begun.set()
        may_end.wait(10)
        ended.append(1)

    monkeypatch.setattr(loading, "load", load)
    for _ in range(3):
        loading.kernels()
    begun.wait(10)
    threading.Timer(0.05, may_end.set).start()
    with warnings.catch_warnings(action="ignore"):  # Python 3.12 warns of forks beside threads
        child = os.fork()
    if not child:
        os._exit(0 if ended else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@needs_llvm
def test_a_very_long_image_is_left_to_pillow(loading, compiled, monkeypatch):
    monkeypatch.setattr(resizer, "_LOADING", compiled)
    monkeypatch.setattr(resizer, "_apply", None)  # not to be called
    assert transform((8, 8), (8, 8))(noise(20_000, 2)).shape == (8, 8, 3)


@needs_llvm
def test_many_threads_load_it_once(loading, monkeypatch):
    loads = []
    monkeypatch.setattr(loading, "load", lambda load=loading.load: loads.append(1) or load())
    shrink, image = transform(16, (12, 12)), noise(70, 50)
    with ThreadPoolExecutor(8) as pool:
        pixels = list(pool.map(lambda _: shrink(image), range(200)))
    wait_for_loading()
    assert len(loads) == 1
    assert all(np.array_equal(found, pixels[0]) for found in pixels)


@needs_llvm
@pytest.mark.parametrize("interpolation", ["nearest", "box", "hamming"])
def test_other_filters_are_left_to_pillow(loading, compiled, monkeypatch, interpolation):
    monkeypatch.setattr(resizer, "_LOADING", compiled)
    monkeypatch.setattr(resizer, "_apply", None)  # not to be called
    assert transform(16, (12, 12), interpolation)(noise(70, 50)).shape == (12, 12, 3)


@needs_llvm
def test_an_image_in_several_pieces_of_memory_is_left_to_pillow(monkeypatch, compiled):
    image = Image.new("RGB", (2500, 2000), (10, 20, 30))  # Pillow's pieces have 16 MB
    theirs, ours = both(monkeypatch, compiled, image, 16, (12, 12))
    assert (ours == (10, 20, 30)).all()
    np.testing.assert_array_equal(ours, theirs)


@needs_llvm
def test_an_image_of_borrowed_memory_is_resized_as_any_other(monkeypatch, compiled):
    pixels = np.random.default_rng(0).integers(0, 256, 70 * 50 * 4, np.uint8)
    words = nanoarrow.c_array_from_buffers(nanoarrow.uint32(), 70 * 50, (None, pixels))
    image = Image.fromarrow(words, "RGB", (70, 50))
    theirs, ours = both(monkeypatch, compiled, image, 16, (12, 12))
    np.testing.assert_array_equal(ours, theirs)


KERNELS = "penult.images.pixels.compiled_resize.kernels"


def test_what_does_otherwise_than_the_installed_pillow_is_not_used(loading, monkeypatch, caplog):
    class Otherwise:
        def resize(self, pixels, columns, lines, out):
            out.fill(7)

    monkeypatch.setattr(resizer, "is_installed", lambda *modules: True)
    monkeypatch.setitem(sys.modules, KERNELS, types.SimpleNamespace(Kernels=Otherwise))
    with caplog.at_level(logging.INFO, "penult"):
        loading.load()
    assert loading.kernels() is None
    assert "penult: resizing is not compiled: Pillow" in caplog.text


def test_where_llvm_cannot_be_imported_pillow_goes_on(loading, monkeypatch, caplog):
    monkeypatch.setattr(resizer, "is_installed", lambda *modules: True)
    monkeypatch.setitem(sys.modules, KERNELS, None)
    with caplog.at_level(logging.INFO, "penult"):
        loading.load()
    assert loading.kernels() is None
    assert "penult: resizing is not compiled: " in caplog.text


@needs_llvm
def test_where_memory_is_short_pillow_goes_on(loading, monkeypatch, caplog):
    monkeypatch.setattr(resizer, "free_memory", lambda: 1 << 27)
    with caplog.at_level(logging.INFO, "penult"):
        loading.load()
    assert loading.kernels() is None
    assert caplog.messages == ["penult: resizing is not compiled: there is too little memory"]


def test_where_no_thread_can_be_started_pillow_goes_on(loading, monkeypatch, caplog):
    def no_more(*_, **__):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(resizer, "Thread", no_more)
    shrink = transform(16, (12, 12))
    with caplog.at_level(logging.INFO, "penult"):
        assert [shrink(noise(70, 50)).shape for _ in range(5)] == [(12, 12, 3)] * 5
    assert caplog.messages == ["penult: resizing is not compiled: can't start new thread"]


def test_without_llvm_nothing_is_loaded(loading, monkeypatch):
    monkeypatch.setattr(resizer, "is_installed", lambda *modules: False)
    monkeypatch.setattr(resizer, "_apply", None)  # not to be called
    shrink = transform(16, (12, 12))
    assert [shrink(noise(70, 50)).shape for _ in range(5)] == [(12, 12, 3)] * 5
    resizer.preload()
    assert loading.kernels() is None


def test_weights_of_an_edge_that_is_halved_can_be_worked_out_by_hand():
    # Centres are at 1 and 3; neighbours at 0.5, 1.5 and 2.5 count 3, 3 and 1 for the first.
    starts, counted = weights(Axis.of(4, 2, 2, "even"), "bilinear")
    assert starts.tolist() == [0, 1]
    np.testing.assert_allclose(
        counted / 2**22, [[3 / 7, 3 / 7, 1 / 7], [1 / 7, 3 / 7, 3 / 7]], atol=2e-7
    )


@given(
    size=st.integers(1, 3000),
    resized=st.integers(1, 300),
    crop=st.integers(1, 300),
    interpolation=st.sampled_from(FILTERS),
    step=st.sampled_from((1, AT_ONCE)),
)
def test_no_neighbour_lies_outside_the_edge_and_weights_come_to_one(
    size, resized, crop, interpolation, step
):
    starts, counted = weights(Axis.of(size, resized, crop, "even"), interpolation, step)
    assert starts.min() >= 0
    assert starts.max() + counted.shape[1] <= size
    assert counted.shape[1] in {size, *range(0, size, step)}
    assert abs(counted.sum(1) - 2**22).max() <= counted.shape[1]
