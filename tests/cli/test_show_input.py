"""`penult show-input`: the picture that the network sees."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PIL import Image

from penult.images.pixels.transform import Transform
from penult.preview import in_words, network_input
from penult.recipe import Preprocessing

pytestmark = pytest.mark.light

CENTRE = Preprocessing(
    resize=8, crop=(8, 8), interpolation="bilinear", mean=(0.5,) * 3, std=(0.25,) * 3
)


@pytest.fixture
def striped(tmp_path):
    """8 × 24 pixels: a red, a green and a blue square, one beside the other."""
    pixels = np.zeros((8, 24, 3), np.uint8)
    for k in range(3):
        pixels[:, 8 * k : 8 * k + 8, k] = 255
    path = tmp_path / "striped.png"
    Image.fromarray(pixels).save(path)
    return path


def test_the_picture_is_what_the_transform_gives(penult, photos, toy, tmp_path):
    photo, output = photos / "rose" / "rose_01.jpg", tmp_path / "seen.png"
    done = penult("show-input", toy, photo, "-o", output)
    assert done.code == 0
    assert f"{output}: 8 × 8 pixels, what toy:mean-colour sees of {photo}:" in done.out
    assert "squashed to 8 × 8 pixels (bilinear)" in done.out
    squash = Preprocessing(
        resize=(8, 8), crop=None, interpolation="bilinear", mean=(0,) * 3, std=(1,) * 3
    )
    with Image.open(photo) as opened:
        assert np.array_equal(np.asarray(Image.open(output)), Transform(squash)(opened))


def test_the_centre_is_cropped(striped):
    seen = np.asarray(network_input(striped, CENTRE))
    assert seen.shape == (8, 8, 3)
    assert (seen == (0, 255, 0)).all()


def test_normalised_numbers_are_scaled_from_black_to_white(tmp_path):
    path = tmp_path / "grey.png"
    Image.new("RGB", (8, 8), (0, 51, 255)).save(path)
    # Equal means and deviations cancel out: the picture is the image itself.
    assert np.asarray(network_input(path, CENTRE, normalized=True))[0, 0].tolist() == [0, 51, 255]
    # Red goes from -2 to 2, green and blue from 0 to 1: -2 is black and 2 is white.
    uneven = dataclasses.replace(CENTRE, mean=(0.5, 0, 0), std=(0.25, 1, 1))
    seen = np.asarray(network_input(path, uneven, normalized=True))[0, 0]
    assert seen.tolist() == [0, round((0.2 + 2) / 4 * 255), round(3 / 4 * 255)]


def test_a_network_that_sees_blue_first_is_shown_so(striped):
    bgr = dataclasses.replace(CENTRE, resize=(8, 24), crop=(8, 24), channels="BGR")
    seen = np.asarray(network_input(striped, bgr, normalized=True))
    assert seen[0, 0].tolist() == [0, 0, 255]
    assert "for blue, green, red" in in_words(bgr)[-1]


def test_the_preprocessing_in_words():
    assert in_words(CENTRE) == [
        "resized until the shorter edge is 8 pixels (bilinear)",
        "cropped to the central 8 × 8 pixels",
        "(pixel / 255 − mean) / std for red, green, blue: mean 0.5, 0.5, 0.5, std 0.25, 0.25, 0.25",
    ]


def test_bad_input_is_one_line_and_leaves_nothing(penult, toy, striped, tmp_path):
    (tmp_path / "text.jpg").write_text("hello")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    for arguments, message in [
        ((toy, tmp_path / "text.jpg", "-o", tmp_path / "s.png"), "text.jpg: is not an image"),
        ((toy, tmp_path / "none.jpg", "-o", tmp_path / "s.png"), "none.jpg; did you mean"),
        ((toy, tmp_path, "-o", tmp_path / "s.png"), "is a folder"),
        ((toy, striped, "-o", tmp_path / "s.jpg"), "name it s.png"),
        ((toy, striped, "-o", striped), "is what is read; give another name"),
        ((toy, striped, "-o", striped, "--overwrite"), "is what is read; give another name"),
        (("toy:mean", striped, "-o", tmp_path / "s.png"), "unknown toy model 'mean'"),
    ]:
        done = penult("show-input", *arguments)
        assert done.code in (1, 2)
        assert message in done.err
        assert len(done.err.splitlines()) == 1
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
