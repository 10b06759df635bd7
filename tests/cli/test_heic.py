"""The folder of a phone, from the command line: sorted where HEIC is read, and named where it is not."""

from __future__ import annotations

import io
import json
import sys
from functools import cache

import pytest
from PIL import Image

from penult.features.read import load

pillow_heif = pytest.importorskip("pillow_heif")


@pytest.fixture(scope="module")
def as_heic():
    """The HEIC of a photo, which takes long to make: once for all tests, as their photos are the same."""

    @cache
    def encode(data):
        pillow_heif.register_heif_opener()
        Image.open(io.BytesIO(data)).save(made := io.BytesIO(), "HEIF", quality=90)
        return made.getvalue()

    return encode


@pytest.fixture
def phone(photos, as_heic):
    """`photos` as HEIC, but for the first of each class; and one with another name than it has."""
    for path in sorted(photos.rglob("*.jpg")):
        if not path.stem.endswith("_01"):
            path.with_suffix(".HEIC").write_bytes(as_heic(path.read_bytes()))
            path.unlink()
    (photos / "daisy/daisy_02.HEIC").rename(photos / "daisy/daisy_02.jpg")
    return photos


@pytest.mark.usefixtures("without_looks")
def test_photos_of_a_phone_are_reported_on_sorted_and_shown(penult, toy, phone, tmp_path):
    call = ("report", phone, "-o", tmp_path / "r", "--model", toy, "-q", "--no-curve", "--json")
    done = penult(*call, "--no-label-errors")
    assert done.code == 0, done
    assert json.loads(done.out)["accuracy"] == 1

    classifier, folder = tmp_path / "r/classifier.skops", tmp_path / "sorted"
    done = penult("predict", classifier, phone, "-q", "--copy-to", folder)
    assert done.code == 0, done
    copied = (folder / "tulip/tulip_02.HEIC").read_bytes()
    assert copied == (phone / "tulip/tulip_02.HEIC").read_bytes()

    seen = tmp_path / "seen.png"
    assert penult("show-input", toy, phone / "rose/rose_02.HEIC", "-o", seen).code == 0
    red, green, _ = Image.open(seen).resize((1, 1)).getpixel((0, 0))
    assert red > 150
    assert green < 50


def test_the_pictures_of_a_report_are_those_of_the_heic(phone):
    from penult.web.thumbnails import Thumbnails

    thumbnails = Thumbnails(lambda name: (phone / name).read_bytes())
    assert thumbnails("rose/rose_02.HEIC", 32).startswith("data:image/webp;base64,")


def test_without_the_extra_each_photo_is_a_failure_that_says_what_to_type(
    penult, toy, phone, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    reason = "is HEIC; type: pip install 'penult[heif]'"
    done = penult("extract", phone, "-o", tmp_path / "f.h5", "--model", toy, "-q")
    assert f"daisy/daisy_02.jpg: {reason}" in done.out
    features = load(tmp_path / "f.h5")
    assert (len(features), len(features.failures)) == (3, 33)
    assert {failure.reason for failure in features.failures} == {reason}

    for path in phone.rglob("*_01.jpg"):
        path.unlink()
    done = penult("extract", phone, "-o", tmp_path / "none.h5", "--model", toy, "-q")
    assert done.code == 1
    assert "none of 33 images gave a row" in done.err
    assert reason in done.err
