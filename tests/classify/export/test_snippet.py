"""The program in docs/predict.md that runs an exported classifier sees what `predict` sees."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image
from test_docs import ROOT, blocks_of

import penult
from penult.images.in_memory import as_records
from penult.images.pixels.transform import Transform
from penult.images.read import read_pixels
from penult.recipe import Preprocessing

pytest.importorskip("onnxruntime")


def saved(kind, path):
    """A photo of some kind, with edges, slopes and every level of opacity."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (6, 9, 3), dtype=np.uint8)
    photo = Image.fromarray(pixels).resize((90, 61), Image.Resampling.BICUBIC)
    opacity = Image.linear_gradient("L").resize(photo.size)
    if kind == "RGBA":
        photo.putalpha(opacity)
    elif kind == "palette with transparency":
        photo = photo.quantize(16)
        photo.info["transparency"] = bytes(range(0, 256, 16))
    elif kind == "transparent colour":
        photo.putpixel((3, 3), (1, 2, 3))
        photo.info["transparency"] = (1, 2, 3)
    elif kind == "16-bit grey":
        grey = np.asarray(photo.convert("L")).astype(np.uint16)
        photo = Image.fromarray(grey << 8 | 0xC0)
    elif kind == "grey with alpha":
        photo.putalpha(opacity)
        photo = photo.convert("LA")
    elif kind == "CMYK":
        photo = photo.convert("CMYK")
    elif kind == "lying on its side":
        exif = Image.Exif()
        exif[0x0112] = 6
        photo.save(path.with_suffix(".jpg"), exif=exif)
        return path.with_suffix(".jpg")
    path = path.with_suffix(".jpg" if kind == "CMYK" else ".png")
    photo.save(path, transparency=photo.info.get("transparency"))
    return path


@pytest.fixture
def program(photos, toy, tmp_path, monkeypatch):
    """The names that the snippet defines; and the classifier that it runs."""
    monkeypatch.chdir(tmp_path)
    penult.extract(photos, "f.h5", model=toy)
    classifier = penult.train("f.h5")
    penult.export(classifier, "flowers.onnx")
    page = (ROOT / "docs/predict.md").read_text("utf-8")
    (snippet,) = [one.text for one in blocks_of(page, "predict.md") if "onnxruntime" in one.text]
    names = {}
    exec(snippet, names)
    return names, classifier


KINDS = ["RGBA", "palette with transparency", "transparent colour", "16-bit grey"]
KINDS += ["grey with alpha", "CMYK", "lying on its side", "plain"]

PREPROCESSINGS = [
    Preprocessing(resize=size, crop=crop, interpolation="bicubic", mean=(0,), std=(1,), margin=how)
    for size, crop, how in [
        (40, (31, 32), "even"),
        (40, (31, 32), "down"),
        ((24, 20), None, "even"),
        (None, (31, 32), "even"),
    ]
]


def test_the_documented_program_gives_the_pixels_and_probabilities_of_predict(program, tmp_path):
    names, classifier = program
    paths = [saved(kind, tmp_path / kind) for kind in KINDS]
    images = np.stack([names["prepare"](path) for path in paths])
    probabilities, labels = names["session"].run(["probabilities", "label"], {"images": images})
    predictions = classifier.predict(paths, top=3)
    for photo, row, label in zip(predictions, probabilities, labels, strict=True):
        told = dict(photo.top)
        np.testing.assert_allclose(row, [told[name] for name in names["names"]], atol=1e-4)
        assert names["names"][label] == photo.label
    for preprocessing in PREPROCESSINGS:
        names["how"] = asdict(preprocessing)
        for path, record in zip(paths, as_records(paths), strict=True):
            expected = read_pixels(record, Transform(preprocessing))[0]
            np.testing.assert_array_equal(names["prepare"](path), expected, str(path))
