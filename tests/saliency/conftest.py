"""Real photos, and classifiers on rows of real and small networks."""

from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets
from PIL import Image

import penult


@pytest.fixture(scope="session")
def flower(tmp_path_factory):
    """A photo of a dahlia, which scikit-learn brings."""
    with Image.open(Path(sklearn.datasets.__file__).parent / "images" / "flower.jpg") as image:
        path = tmp_path_factory.mktemp("flower") / "flower.jpg"
        image.save(path)
    return path


@pytest.fixture(scope="session")
def temple(tmp_path_factory):
    """A photo of a temple, which scikit-learn brings."""
    with Image.open(Path(sklearn.datasets.__file__).parent / "images" / "china.jpg") as image:
        path = tmp_path_factory.mktemp("temple") / "temple.jpg"
        image.save(path)
    return path


@pytest.fixture(scope="session")
def pieces(flower, temple):
    """Pieces of both photos, 8 of each: what a classifier of two classes learns from."""
    made = {}
    for name, path in (("flower", flower), ("temple", temple)):
        with Image.open(path) as image:
            for k in range(8):
                box = (60 * k, 20 * k, 60 * k + 200, 20 * k + 200)
                made[f"{name}/{k}.png"] = np.asarray(image.convert("RGB").crop(box))
    return made


@pytest.fixture(scope="session")
def folder_of_pieces(pieces, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pieces")
    for name, pixels in pieces.items():
        (folder / name).parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(folder / name)
    return folder


@pytest.fixture(scope="session")
def real_rows(folder_of_pieces):
    """Rows of EfficientNet-Lite0."""
    return penult.extract(folder_of_pieces, offline=True, progress=False)


@pytest.fixture
def toy_rows(toy, folder_of_pieces):
    """Rows of `toy:mean-colour`."""
    return penult.extract(folder_of_pieces, model=toy, progress=False)


@pytest.fixture
def train():
    def trained(rows, **options):
        options = {"folds": 2, "classifier": "logistic", "grid": {"C": [10.0]}, **options}
        if options["classifier"] != "logistic":
            del options["grid"]
        return penult.train(rows, progress=False, **options)

    return trained
