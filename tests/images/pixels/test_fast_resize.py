"""The fast resize is Pillow's to within one, and refuses what it cannot do."""

from __future__ import annotations

import dataclasses
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import PIL
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from penult.errors import ImageError, MissingExtraError, UsageError
from penult.images.pixels import fast_resize
from penult.images.pixels.fast_resize import require_fast
from penult.images.pixels.transform import Transform
from penult.recipe import Preprocessing

library = pytest.importorskip("cykooz_resizer")

FILTERS = ("bilinear", "bicubic", "lanczos")


def noise(width, height, seed=0):
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))


def both(image, resize, crop, interpolation="bicubic"):
    """Pillow's pixels, and the fast ones, as int."""
    exact = Preprocessing(
        resize=resize, crop=crop, interpolation=interpolation, mean=(0.5,) * 3, std=(0.5,) * 3
    )
    fast = dataclasses.replace(exact, resampling="fast")
    return [Transform(how)(image).astype(int) for how in (exact, fast)]


@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize(
    ("size", "resize", "crop"),
    [
        pytest.param((590, 540), 256, (224, 224), id="landscape"),
        pytest.param((541, 731), 292, (260, 260), id="portrait"),
        pytest.param((90, 61), 256, (224, 224), id="enlarged"),
        pytest.param((256, 300), 256, (224, 224), id="cropped only"),
        pytest.param((300, 300), None, (224, 223), id="no resize"),
        pytest.param((301, 200), (64, 48), None, id="squashed"),
        pytest.param((50, 100), 31, (48, 48), id="padded left and right, odd"),
        pytest.param((1, 1), 256, (224, 224), id="a single pixel"),
        pytest.param((3, 700), 32, (28, 28), id="very tall"),
        pytest.param((700, 3), 33, (28, 28), id="very wide"),
    ],
)
def test_pixels_are_pillows_but_for_a_few_that_are_off_by_one(size, resize, crop, interpolation):
    exact, fast = both(noise(*size), resize, crop, interpolation)
    assert fast.shape == exact.shape
    off = np.abs(fast - exact)
    assert off.max() <= 2  # where a filter overshoots, on noise
    assert (off > 0).mean() < 0.03


@pytest.mark.skipif(
    int(PIL.__version__.partition(".")[0]) < 13,
    reason="before Pillow 13, tall images were resized across before down",
)
@settings(max_examples=200, deadline=None)
@given(
    width=st.integers(1, 400),
    height=st.integers(1, 400),
    resize=st.integers(1, 70) | st.tuples(st.integers(1, 70), st.integers(1, 70)),
    crop=st.tuples(st.integers(1, 80), st.integers(1, 80)),
    interpolation=st.sampled_from(FILTERS),
    seed=st.integers(0, 9),
)
def test_pixels_are_pillows_to_within_two_whatever_the_sizes(
    width, height, resize, crop, interpolation, seed
):
    if max(width, height) / min(width, height) * 70 > 3000:
        height = width
    exact, fast = both(noise(width, height, seed), resize, crop, interpolation)
    assert np.abs(fast - exact).max() <= 2


def test_a_large_photo_whose_rows_lie_in_several_blocks_of_memory_is_read_whole():
    image = noise(64, 48).resize((3000, 2500), Image.Resampling.BICUBIC)
    exact, fast = both(image, 256, (224, 224))
    assert np.abs(fast - exact).max() <= 1


def test_pixels_are_the_same_whatever_vector_instructions_a_processor_has(monkeypatch):
    image, usual = noise(301, 200), library.Resizer
    assert usual().cpu_extensions is not library.CpuExtensions.none
    _, vectors = both(image, 64, (56, 56))

    def plain():
        resizer = usual()
        resizer.cpu_extensions = library.CpuExtensions.none
        return resizer

    monkeypatch.setattr(library, "Resizer", plain)
    _, one_by_one = both(image, 64, (56, 56))
    assert np.array_equal(vectors, one_by_one)


def test_threads_do_not_disturb_each_other():
    how = Preprocessing(
        resize=64,
        crop=(56, 56),
        interpolation="lanczos",
        mean=(0.5,) * 3,
        std=(0.5,) * 3,
        resampling="fast",
    )
    transform, images = Transform(how), [noise(301, 200, seed) for seed in range(8)]
    alone = [transform(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(transform, images * 4))
    for k, pixels in enumerate(together):
        assert np.array_equal(pixels, alone[k % 8])


@pytest.mark.parametrize("interpolation", ["nearest", "box", "hamming"])
def test_a_filter_that_it_does_not_have_is_refused_and_not_replaced(interpolation):
    with pytest.raises(UsageError) as caught:
        both(noise(9, 9), 8, (8, 8), interpolation)
    assert str(caught.value) == (
        "resize='fast' cannot be had: it resizes by bilinear, bicubic, lanczos, and this "
        f"network's images are resized by {interpolation}"
    )


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cykooz_resizer", None)
    monkeypatch.setattr("penult.extras.find_spec", lambda name: None)
    how = Preprocessing(
        resize=8, crop=(8, 8), interpolation="bicubic", mean=(0.5,) * 3, std=(0.5,) * 3
    )
    with pytest.raises(MissingExtraError, match=r"pip install 'penult\[fast\]'"):
        require_fast("resize='fast'", how)


def test_which_pictures_are_too_elongated_does_not_depend_on_the_way():
    image = Image.new("RGB", (60_000, 7))
    exact = Preprocessing(
        resize=256, crop=(224, 224), interpolation="bicubic", mean=(0.5,) * 3, std=(0.5,) * 3
    )
    for how in (exact, dataclasses.replace(exact, resampling="fast")):
        with pytest.raises(ImageError, match="too elongated: resized it would be"):
            Transform(how)(image)


def test_what_resizes_is_said_once(caplog):
    caplog.set_level("INFO", "penult")
    fast_resize._tell.cache_clear()
    for _ in range(2):
        both(noise(9, 7), 4, (4, 4))
    assert caplog.messages == ["penult: photos are resized by cykooz.resizer (fast)"]
