"""What tests of backbones share."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from penult.engines.base import EngineSettings
from penult.images.pixels.transform import Transform


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A stand-in for the Hugging Face hub that the real client talks to, with an empty cache."""
    from hub import serving
    from huggingface_hub import constants

    for name in ("HF_HUB_OFFLINE", "PENULT_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with serving() as served:
        # The client reads its environment once, when it is imported.
        monkeypatch.setattr(constants, "ENDPOINT", served.url)
        template = served.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
        yield served


@pytest.fixture(scope="session")
def pictures():
    """Two Pillow images with detail, one wide and one tall, larger than any network's input."""
    rng = np.random.default_rng(0)
    sizes = [(900, 700), (660, 820)]
    return [
        Image.fromarray(rng.integers(0, 256, (h // 8, w // 8, 3), np.uint8)).resize((w, h))
        for w, h in sizes
    ]


@pytest.fixture
def rows_of(pictures):
    """Run the pictures as `extract` does: transform, engine; gives an array a layer."""

    from penult.engines.torch import TorchEngine

    def run(backbone, *layers):
        recipes = [backbone.recipe(layer) for layer in layers]
        transform = Transform(backbone.preprocessing)
        pixels = np.stack([transform(picture) for picture in pictures])
        return TorchEngine(backbone, recipes, EngineSettings(device="cpu")).run(pixels)

    return run


@pytest.fixture
def worst_error():
    """Measure the largest difference of two arrays of rows, relative to the length of a row."""

    def measure(ours, theirs):
        difference = np.linalg.norm(np.asarray(ours) - np.asarray(theirs), axis=1)
        return max(difference / np.linalg.norm(np.asarray(theirs), axis=1))

    return measure
