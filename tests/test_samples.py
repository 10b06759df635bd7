from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn import datasets
from sklearn.datasets import load_digits
from sklearn.utils import Bunch

from penult.errors import OutputExistsError, UnknownNameError
from penult.samples import SAMPLES, find_sample, write_digits


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    directory = tmp_path_factory.mktemp("sample") / "demo" / "images"
    assert write_digits(directory) == 1797
    return directory


def test_every_digit_lies_in_the_folder_of_its_class(digits):
    labels = load_digits().target
    found = {p.name: p.parent.name for p in digits.rglob("*.png")}
    assert found == {f"digit_{i:04}.png": str(label) for i, label in enumerate(labels)}
    assert Counter(found.values())["0"] == 178


def test_a_digit_is_dark_ink_on_white_paper_over_the_whole_range(digits):
    ink = load_digits().images[0]
    with Image.open(digits / "0" / "digit_0000.png") as image:
        assert (image.mode, image.size) == ("L", (80, 80))
        pixels = np.asarray(image)
    assert pixels.max() == 255  # no ink
    assert pixels.min() < 16  # ink 15 or 16 of 16
    # The middle of each enlarged cell is as dark as its count of ink, whatever the smoothing does.
    centres = pixels[8:72, 8:72].reshape(8, 8, 8, 8)[:, 3:5, :, 3:5].mean(axis=(1, 3))
    assert np.corrcoef(centres.ravel(), ink.ravel())[0, 1] < -0.99
    assert (pixels[:4] == 255).all()  # the margin


@pytest.fixture
def few(monkeypatch):
    """The first thirty alone are the sample, for what takes more or less time by their number."""
    digits = load_digits()
    first = Bunch(images=digits.images[:30], target=digits.target[:30])
    monkeypatch.setattr(datasets, "load_digits", lambda: first)


@pytest.mark.usefixtures("few")
def test_writing_twice_leaves_the_folder_as_it_is(tmp_path):
    directory = tmp_path / "images"
    assert write_digits(directory) == 30
    before = {p: p.stat().st_mtime_ns for p in directory.rglob("*")}
    assert write_digits(directory) == 30
    assert {p: p.stat().st_mtime_ns for p in directory.rglob("*")} == before
    assert len(before) == 10 + 30


def test_nothing_but_the_images_is_left_beside_them(digits):
    assert [p.name for p in digits.parent.iterdir()] == ["images"]


@pytest.mark.usefixtures("few")
def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "images").mkdir()
    assert write_digits(tmp_path / "images") == 30


def _add_a_file(directory: Path) -> None:
    (directory / "notes.txt").write_text("mine")


def _lose_an_image(directory: Path) -> None:
    (directory / "0" / "digit_0000.png").unlink()


def _truncate_an_image(directory: Path) -> None:
    path = directory / "0" / "digit_0000.png"
    path.write_bytes(path.read_bytes()[:60])


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("change", [_add_a_file, _lose_an_image, _truncate_an_image])
def test_a_folder_that_holds_something_else_is_refused_and_kept(tmp_path, change):
    directory = tmp_path / "images"
    write_digits(directory)
    change(directory)
    before = {p: p.read_bytes() for p in directory.rglob("*") if p.is_file()}
    with pytest.raises(OutputExistsError, match="something else than the sample"):
        write_digits(directory)
    assert {p: p.read_bytes() for p in directory.rglob("*") if p.is_file()} == before


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "images").write_text("a file")
    with pytest.raises(OutputExistsError, match="is a file"):
        write_digits(tmp_path / "images")


def test_a_failure_half_way_leaves_no_folder(tmp_path, monkeypatch):
    def full(self, path, *args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(OSError, match="the disk is full"):
        write_digits(tmp_path / "images")
    assert list(tmp_path.iterdir()) == []


def test_samples_are_found_by_name_and_unknown_names_list_them():
    assert find_sample("digits") is SAMPLES["digits"]
    with pytest.raises(UnknownNameError, match="did you mean digits"):
        find_sample("digit")
