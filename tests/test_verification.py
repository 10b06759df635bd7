"""A feature file proves where it came from, and one that lies is found out."""

from __future__ import annotations

import math

import h5py
import numpy as np
import pytest
from PIL import Image
from toys import MeanColour

import penult
from penult.backbones.weights.info import WeightsInfo
from penult.engines.base import HALF_TOLERANCES, TOLERANCE
from penult.engines.registry import ENGINES, EngineEntry
from penult.errors import FeatureFileError, PathNotFoundError, UsageError
from penult.verification import FLOAT16_TOLERANCE

pytestmark = pytest.mark.light


@pytest.fixture
def shades(tmp_path):
    """Four images of one colour each; `light/c.png` is (0.2, 0.2, 0.2)."""
    folder = tmp_path / "shades"
    colours = {
        "dark/a": (9, 9, 9),
        "dark/b": (5, 90, 5),
        "light/c": (51,) * 3,
        "light/d": (255,) * 3,
    }
    for name, colour in colours.items():
        path = folder / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (10, 10), colour).save(path)
    return folder


@pytest.fixture
def file(shades, tmp_path, toy):
    path = tmp_path / "f.h5"
    penult.extract(shades, path, model=toy)
    return path


def rewrite(file, row, values, layer="features"):
    with h5py.File(file, "r+") as opened:
        opened[layer][row] = values


def test_an_honest_file_passes(file):
    found = penult.verify(file)
    assert found.passed
    assert (found.compared, found.rows) == (4, 4)
    (agreement,) = found.agreements
    assert (agreement.layer, agreement.worst_cosine, agreement.worst_error) == ("penultimate", 1, 0)
    assert found.tolerance == TOLERANCE


def test_a_row_that_is_not_its_image_s_is_named_and_measured(file):
    rewrite(file, 2, [0.2, 0.2, 0.4])
    found = penult.verify(file)
    assert not found.passed
    (agreement,) = found.agreements
    assert agreement.worst_error_id == agreement.worst_cosine_id == "light/c.png"
    # A mean of 64 pixels in float32.
    assert agreement.worst_error == pytest.approx(0.2 / math.sqrt(0.12), rel=1e-5)
    assert agreement.worst_cosine == pytest.approx(0.16 / math.sqrt(0.12 * 0.24), rel=1e-5)


def test_a_longer_row_of_the_same_direction_does_not_pass(file):
    rewrite(file, 2, [0.4, 0.4, 0.4])
    found = penult.verify(file)
    assert found.agreements[0].worst_cosine == pytest.approx(1)
    assert not found.passed


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_row_that_is_no_number_does_not_pass(file, value):
    rewrite(file, 1, [value, 0, 0])
    found = penult.verify(file)
    assert found.agreements[0].worst_error_id == "dark/b.png"
    assert not found.passed


def test_rows_that_changed_places_do_not_pass(file):
    with h5py.File(file, "r+") as opened:
        opened["features"][[0, 1]] = opened["features"][:2][::-1]
    assert not penult.verify(file).passed


def test_an_image_that_was_replaced_is_not_compared(file, shades):
    Image.new("RGB", (10, 10), "red").save(shades / "dark" / "a.png")
    found = penult.verify(file)
    assert found.changed == ("dark/a.png",)
    assert found.compared == 3
    assert found.agreements[0].worst_error == 0
    assert not found.passed


def test_images_that_are_gone_or_broken_are_named_with_a_reason(file, shades):
    (shades / "dark" / "a.png").unlink()
    (shades / "light" / "d.png").write_text("hello")
    found = penult.verify(file)
    assert [failure.id for failure in found.missing] == ["dark/a.png", "light/d.png"]
    assert found.missing[0].reason == "is not there"
    assert "is not an image" in found.missing[1].reason
    assert (found.compared, found.passed) == (2, False)


def test_nothing_compared_is_nothing_proved(file, shades):
    for path in shades.rglob("*.png"):
        Image.new("RGB", (3, 3)).save(path)
    found = penult.verify(file)
    assert (found.compared, found.agreements, found.passed) == (0, (), False)


def test_every_layer_is_verified(shades, tmp_path, toy):
    path = tmp_path / "f.h5"
    penult.extract(shades, path, model=toy, layer=["pixels", "mean", "logits"], pooling="flatten")
    assert [a.layer for a in penult.verify(path).agreements] == ["pixels", "mean", "logits"]
    rewrite(path, 3, 0.5, layer="layers/pixels")
    pixels, mean, logits = penult.verify(path).agreements
    assert pixels.worst_error == pytest.approx(0.5)
    assert (mean.worst_error, logits.worst_error) == (0, 0)


def test_float16_rounds_and_is_allowed_to(shades, tmp_path, toy):
    path = tmp_path / "f.h5"
    penult.extract(shades, path, model=toy, dtype="float16")
    found = penult.verify(path)
    assert TOLERANCE < found.agreements[0].worst_error < found.tolerance == FLOAT16_TOLERANCE
    assert found.passed
    rewrite(path, 2, [0.2, 0.2, 0.201])
    assert not penult.verify(path).passed


@pytest.mark.torch
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize(
    ("precision", "passes", "fails"), [("float16", 0.002, 0.03), ("bfloat16", 0.03, 0.25)]
)
def test_in_half_precision_others_round_elsewhere_and_may(
    shades, tmp_path, toy, monkeypatch, precision, passes, fails, dtype
):
    entry = EngineEntry(
        "toys:ChannelMeans", devices=("cpu",), forms=("torch",), half={"cpu": (precision,)}
    )
    monkeypatch.setitem(ENGINES, "means", entry)
    path = tmp_path / "f.h5"
    how = {"engine": "means", "device": "cpu"}
    penult.extract(shades, path, model=toy, precision=precision, dtype=dtype, **how)
    rewrite(path, 2, [0.2, 0.2, 0.2 + passes])
    found = penult.verify(path, **how)
    assert (found.passed, found.tolerance) == (True, HALF_TOLERANCES[precision])
    rewrite(path, 2, [0.2, 0.2, 0.2 + fails])
    assert not penult.verify(path, **how).passed


def test_maps_are_compared_as_a_whole(shades, tmp_path, toy):
    path = tmp_path / "f.h5"
    penult.extract(shades, path, model=toy, layer="pixels", pooling="none")
    assert penult.verify(path).passed


def test_labels_from_a_table_make_no_difference(shades, tmp_path, toy):
    (shades / "labels.csv").write_text("path,label\ndark/a.png,x\nlight/c.png,y\n")
    path = tmp_path / "f.h5"
    penult.extract(shades, path, model=toy, labels=shades / "labels.csv")
    assert penult.verify(path).passed


def test_a_folder_that_moved_is_asked_for_and_taken(file, shades, tmp_path):
    shades.rename(tmp_path / "elsewhere")
    with pytest.raises(
        PathNotFoundError, match=r"the images of .*f\.h5 .*; images=FOLDER says where they are$"
    ):
        penult.verify(file)
    assert penult.verify(file, images=tmp_path / "elsewhere").passed


def test_several_sources_that_moved_together(shades, tmp_path, toy):
    path = tmp_path / "f.h5"
    single = tmp_path / "single.png"
    Image.new("RGB", (4, 4), "blue").save(single)
    penult.extract([shades / "dark", shades / "light", single], path, model=toy)
    assert penult.verify(path).compared == 5
    moved = tmp_path / "moved"
    shades.rename(moved)
    single.rename(moved / "single.png")
    assert penult.verify(path, images=moved).compared == 5
    again = penult.verify(path, images=[moved / "light", moved / "single.png", moved / "dark"])
    assert again.passed
    assert again.compared == 5


def test_a_sample_is_random_and_repeatable(photos, tmp_path, toy):
    path = tmp_path / "f.h5"
    penult.extract(photos, path, model=toy)
    rewrite(path, slice(None), np.random.default_rng(0).random((36, 3)))
    worst = [penult.verify(path, 5, seed).agreements for seed in range(4)]
    assert worst == [penult.verify(path, 5, seed).agreements for seed in range(4)]
    assert len({one.worst_error_id for (one,) in worst}) > 1
    assert penult.verify(path, 5).compared == 5
    assert penult.verify(path, None).compared == penult.verify(path, 1000).compared == 36


def test_another_network_of_that_name_is_told(file, monkeypatch):
    opened = MeanColour.open

    def other(self, name, choice):
        backbone = opened(self, name, choice)
        return backbone.replace(weights=WeightsInfo("mean-colour 2", "71" * 32))

    monkeypatch.setattr(MeanColour, "open", other)
    found = penult.verify(file)
    assert not found.passed
    assert "717171717171… (mean-colour 2)" in found.mismatch


@pytest.mark.torch
def test_an_untrained_network_is_the_same_again(photos, tmp_path):
    options = {"engine": "torch", "workers": 1}
    path = tmp_path / "f.h5"
    features = penult.extract(photos / "rose", path, weights="random", **options)
    assert features.recipe.weights == "random"
    found = penult.verify(path, 3, **options)
    assert found.passed
    assert found.agreements[0].worst_cosine == pytest.approx(1)


def test_options_that_changed_pixels_are_taken_from_the_file(tmp_path, toy):
    folder = tmp_path / "photos"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8)
    Image.fromarray(noise).save(folder / "large.jpg")
    half = (folder / "large.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(half[: len(half) // 2])
    path = tmp_path / "f.h5"
    features = penult.extract(folder, path, model=toy, decode="scaled", allow_truncated=True)
    assert len(features) == 2
    found = penult.verify(path)
    assert found.mismatch is None
    assert found.passed


def test_what_cannot_be_verified_is_one_clear_line(file, tmp_path, shades):
    with pytest.raises(UsageError, match="a sample of 0"):
        penult.verify(file, 0)
    with pytest.raises(FeatureFileError, match="not a feature file"):
        penult.verify(shades / "dark" / "a.png")
    with pytest.raises(PathNotFoundError, match=r"nowhere\.h5"):
        penult.verify(tmp_path / "nowhere.h5")


def test_progress_ends_at_everything(file):
    seen = []
    penult.verify(file, progress=seen.append, batch_size=1)
    assert (seen[-1].done, seen[-1].total) == (4, 4)


@pytest.mark.parametrize("name", ["labels.csv", "LABELS.CSV", "labels.txt"])
def test_the_columns_of_a_table_of_labels_are_no_columns_of_the_images(shades, tmp_path, toy, name):
    paths = sorted(path.relative_to(shades) for path in shades.rglob("*.png"))
    table = tmp_path / name
    table.write_text("photo,label\n" + "".join(f"{path},a\n" for path in paths))
    file = tmp_path / "labelled.h5"
    penult.extract(shades, file, model=toy, labels=table, path_column="photo")
    assert penult.verify(file).passed
