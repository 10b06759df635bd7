"""Extraction: images in, a feature file out, and nothing half done left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import penult
from penult import extras
from penult.errors import (
    ImageError,
    MissingExtraError,
    OutputExistsError,
    PathNotFoundError,
    RecipeMismatchError,
    SourceError,
    UnknownNameError,
    UsageError,
)
from penult.records import Progress

pytestmark = pytest.mark.light


def colours(folder, **shades):
    """`label_name=(r, g, b)`: one 10 × 10 PNG each, in a folder named by what is before the `_`."""
    for name, colour in shades.items():
        path = folder / name.partition("_")[0] / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (10, 10), colour).save(path)
    return folder


@pytest.fixture
def shades(tmp_path):
    return colours(
        tmp_path / "shades",
        dark_1=(0, 0, 0),
        dark_2=(51, 51, 51),
        light_1=(255, 255, 255),
        light_2=(204, 204, 204),
    )


def test_rows_ids_and_labels_belong_together(shades, tmp_path, toy):
    features = penult.extract(shades, tmp_path / "f.h5", model=toy)
    assert features.ids == [
        "dark/dark_1.png",
        "dark/dark_2.png",
        "light/light_1.png",
        "light/light_2.png",
    ]
    assert features.labels.tolist() == [0, 0, 1, 1]
    np.testing.assert_allclose(features.features[:, 0], [0, 0.2, 1, 0.8], atol=1e-6)
    assert features.recipe.backbone == toy
    assert features.origin["sources"] == [str(shades)]


def test_without_an_output_the_rows_stay_in_memory(shades, tmp_path, toy):
    in_memory = penult.extract(shades, model=toy)
    on_disk = penult.extract(shades, tmp_path / "f.h5", model=toy)
    assert np.array_equal(in_memory.features[:], on_disk.features[:])
    assert in_memory.ids == on_disk.ids
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f.h5", "shades"]


def test_rows_and_failures_add_up_to_files_and_reasons_are_given(shades, tmp_path, toy):
    (shades / "dark" / "empty.jpg").touch()
    (shades / "light" / "text.png").write_text("hello")
    (shades / "notes.txt").write_text("hello")
    features = penult.extract(shades, tmp_path / "f.h5", model=toy)
    assert len(features) == 4
    assert [f.id for f in features.failures] == ["dark/empty.jpg", "light/text.png"]
    assert "empty" in features.failures[0].reason
    assert features.origin["passed_over"] == {".txt": 1}


def test_stopping_at_the_first_bad_image_names_it_and_leaves_nothing(shades, tmp_path, toy):
    (shades / "dark" / "empty.jpg").touch()
    with pytest.raises(ImageError, match=r"dark/empty\.jpg"):
        penult.extract(shades, tmp_path / "f.h5", model=toy, on_error="fail")
    assert [p.name for p in tmp_path.iterdir()] == ["shades"]


def test_no_readable_image_is_an_error_that_gives_the_first_reason(tmp_path, toy):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "empty.jpg").touch()
    with pytest.raises(SourceError, match=r"empty\.jpg gave no row: it "):
        penult.extract(tmp_path / "photos", tmp_path / "f.h5", model=toy)
    assert not (tmp_path / "f.h5").exists()


@pytest.fixture
def list_of(tmp_path):
    """A list of images, in a folder of its own."""

    def write(*names):
        (tmp_path / "list.csv").write_text("\n".join(["path,label", *(f"{n},x" for n in names)]))
        return tmp_path / "list.csv"

    return write


@pytest.mark.parametrize("output", [None, "f.h5"])
def test_where_the_photos_of_a_list_are_elsewhere_the_command_to_type_is_told(
    list_of, toy, output, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    file = list_of("b.jpg", "a.jpg")
    with pytest.raises(SourceError, match=r"is named in .*list\.csv, line 3") as refused:
        penult.extract(file, output, model=toy)
    told = f"if the photos are in another folder, type: penult.extract(FOLDER, labels='{file}')"
    assert str(refused.value).endswith(told)


def test_a_photo_of_a_list_that_is_there_and_damaged_is_in_no_other_folder(list_of, toy, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(SourceError, match=r"gave (a|no) row") as refused:
        penult.extract(list_of("a.jpg"), model=toy)
    assert "another folder" not in str(refused.value)


def test_an_output_that_exists_is_refused_before_any_work(shades, tmp_path, toy):
    (tmp_path / "f.h5").write_text("precious")
    with pytest.raises(OutputExistsError, match="give overwrite=True"):
        penult.extract(tmp_path / "no such folder", tmp_path / "f.h5", model=toy)
    assert (tmp_path / "f.h5").read_text() == "precious"
    penult.extract(shades, tmp_path / "f.h5", model=toy, overwrite=True)
    assert len(penult.load(tmp_path / "f.h5")) == 4


def test_overwriting_keeps_the_old_file_until_the_new_one_is_whole(shades, tmp_path, toy):
    (tmp_path / "f.h5").write_text("precious")
    (shades / "dark" / "empty.jpg").touch()
    with pytest.raises(ImageError):
        penult.extract(shades, tmp_path / "f.h5", model=toy, overwrite=True, on_error="fail")
    assert (tmp_path / "f.h5").read_text() == "precious"


def test_a_full_disk_is_one_line_and_says_what_is_safe(shades, tmp_path, toy):
    penult.extract(shades, model=toy)  # its conversion is kept: no disk is full of that one
    code = f"""
import resource, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import penult
from penult.backbones.registry import register
from toys import MeanColour
register(MeanColour())
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
try:
    penult.extract({str(shades)!r}, {str(tmp_path / "f.h5")!r}, model="toy:mean-colour")
except penult.errors.OutputError as error:
    print(error)
"""
    # Where coverage is measured, that could not be written either, and would be said.
    environment = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert "f.h5 cannot be written: the disk is full" in done.stdout
    assert "4 of 4 images are safe in" in done.stdout
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f.h5.parts", "shades"]
    assert len(penult.extract(shades, tmp_path / "f.h5", model=toy)) == 4
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f.h5", "shades"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"model": "toy:mean-color"}, UnknownNameError, "did you mean mean-colour"),
        ({"layer": "penultimat"}, UnknownNameError, "did you mean penultimate"),
        ({"layer": "conv*"}, UnknownNameError, r"penult\.layers\(.toy:mean-colour.\)"),
        ({"pooling": "gem"}, UsageError, "a vector of 3 already"),
        ({"layer": "pixels", "pooling": "median"}, UnknownNameError, "allowed: avg, max, gem"),
        ({"normalize": "l1"}, UsageError, "allowed: none, l2"),
        ({"dtype": "int8"}, UnknownNameError, "allowed: float32, float16"),
        ({"on_error": "ignore"}, UnknownNameError, "allowed: skip, fail"),
        ({"batch_size": 0}, UsageError, "give 1 or more"),
        ({"workers": -1}, UsageError, "give 1 or more"),
        ({"max_pixels": 0}, UsageError, "max_pixels is 0; give 1 or more"),
        ({"output": ""}, UsageError, "an empty path was given as output; give the name of a file"),
        ({"output": "."}, OutputExistsError, "is a folder; give the name of a file"),
    ],
)
def test_an_option_that_cannot_be_is_one_clear_line(shades, toy, options, error, message):
    with pytest.raises(error, match=message) as caught:
        penult.extract(shades, **{"model": toy, **options})
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_no_such_folder_and_an_output_in_no_folder(shades, tmp_path, toy):
    with pytest.raises(PathNotFoundError, match="did you mean"):
        penult.extract(tmp_path / "shade", model=toy)
    with pytest.raises(PathNotFoundError, match="there is no folder"):
        penult.extract(shades, tmp_path / "nowhere" / "f.h5", model=toy)


def test_layers_poolings_and_maps(shades, toy):
    features = penult.extract(shades, model=toy, layer=["mean", "pixels"], pooling="max")
    assert features.layers == ("pixels", "mean")
    assert features.recipe.pooling == "none"
    maps = penult.extract(shades, model=toy, layer="pixels", pooling="none")
    assert maps.features.shape == (4, 3, 8, 8)
    flat = penult.extract(shades, model=toy, layer="pixels", pooling="flatten")
    assert np.array_equal(flat.features[:], maps.features[:].reshape(4, -1))


def test_progress_begins_at_nothing_and_ends_at_everything(shades, toy):
    (shades / "dark" / "empty.jpg").touch()
    seen: list[Progress] = []
    penult.extract(shades, model=toy, batch_size=1, progress=seen.append)
    seen = [now for now in seen if now.counted]
    assert seen[0] == Progress(done=0, total=5, failed=0, stage="extract")
    assert seen[-1] == Progress(done=5, total=5, failed=1, stage="extract")
    assert [p.done for p in seen] == sorted(p.done for p in seen)


def test_batch_size_and_threads_never_change_the_file(shades, toy):
    first = penult.extract(shades, model=toy, batch_size=1, workers=1)
    second = penult.extract(shades, model=toy, batch_size=3, workers=4)
    assert np.array_equal(first.features[:], second.features[:])
    assert first.ids == second.ids
    assert first.content == second.content


def test_scaled_decoding_is_another_recipe_and_nearly_the_same_row(tmp_path, toy):
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 256, (5, 7, 3), dtype=np.uint8))
    smooth.resize((700, 500), Image.Resampling.BICUBIC).save(tmp_path / "large.jpg", quality=95)
    exact = penult.extract(tmp_path / "large.jpg", model=toy)
    scaled = penult.extract(tmp_path / "large.jpg", model=toy, decode="scaled")
    assert exact.recipe.difference(scaled.recipe) == {"preprocessing.decode": ("exact", "scaled")}
    assert not np.array_equal(exact.features[:], scaled.features[:])
    np.testing.assert_allclose(exact.features[:], scaled.features[:], atol=0.02)
    with pytest.raises(UnknownNameError, match="allowed: exact, scaled"):
        penult.extract(tmp_path / "large.jpg", model=toy, decode="half")


def test_a_fast_resize_is_another_recipe_and_nearly_the_same_row(tmp_path, photos, toy):
    pytest.importorskip("cykooz_resizer")
    path = tmp_path / "rows.h5"
    exact = penult.extract(photos, path, model=toy)
    fast = penult.extract(photos, model=toy, resize="fast")
    difference = exact.recipe.difference(fast.recipe)
    assert difference == {"preprocessing.resampling": ("exact", "fast")}
    np.testing.assert_allclose(exact.features[:], fast.features[:], atol=1 / 255)
    with pytest.raises(RecipeMismatchError, match=r"\(resize: 'exact' then, 'fast'"):
        penult.extract(photos, path, model=toy, resize="fast", update=True)
    with pytest.raises(UnknownNameError, match="'quick'; allowed: exact, fast"):
        penult.extract(photos, model=toy, resize="quick")


def test_rows_of_a_fast_resize_are_verified_updated_and_predicted_with_it(tmp_path, photos, toy):
    pytest.importorskip("cykooz_resizer")
    path = tmp_path / "rows.h5"
    penult.extract(photos, path, model=toy, resize="fast")
    (agreement,) = penult.verify(path).agreements
    assert agreement.worst_error == 0
    with pytest.raises(RecipeMismatchError, match=r"\(resize: 'fast' then, 'exact'"):
        penult.extract(photos, path, model=toy, update=True)
    penult.extract(photos, path, model=toy, resize="fast", update=True)
    classifier = penult.train(path)
    (prediction,) = penult.predict(classifier, photos / "rose" / "rose_01.jpg")
    assert prediction.label == "rose"


def test_without_the_extra_fast_a_file_made_with_it_says_what_to_install(
    tmp_path, photos, toy, monkeypatch
):
    pytest.importorskip("cykooz_resizer")
    path = tmp_path / "rows.h5"
    penult.extract(photos, path, model=toy, resize="fast")
    found = extras.find_spec
    monkeypatch.setattr(extras, "find_spec", lambda n: None if n == "cykooz_resizer" else found(n))
    with pytest.raises(MissingExtraError, match=r"^resize='fast' needs the extra 'fast', which is"):
        penult.extract(photos, tmp_path / "new.h5", model=toy, resize="fast")
    assert not list(tmp_path.glob("new*"))
    with pytest.raises(
        MissingExtraError, match=r"rows.h5, made with resize='fast', needs the extra"
    ):
        penult.verify(path)


def test_scaled_decoding_leaves_small_photos_alone(tmp_path, toy):
    Image.effect_noise((31, 31), 90).convert("RGB").save(tmp_path / "small.jpg")
    exact = penult.extract(tmp_path / "small.jpg", model=toy)
    scaled = penult.extract(tmp_path / "small.jpg", model=toy, decode="scaled")
    assert np.array_equal(exact.features[:], scaled.features[:])


@pytest.fixture
def slashes():
    from toys import Slashes

    from penult.backbones.registry import register, unregister

    register(Slashes())
    yield "slashes:network"
    unregister("slashes")


@pytest.mark.torch
def test_layers_that_are_named_as_in_onnx_files_are_kept_and_found_again(
    shades, tmp_path, slashes, toy
):
    layers = ["/pixels", "/pixels/mean", "penultimate"]
    features = penult.extract(shades, tmp_path / "f.h5", model=slashes, layer=layers)
    assert features.layers == tuple(layers)
    plain = penult.extract(shades, None, model=toy).features[:]
    assert np.array_equal(penult.load(tmp_path / "f.h5", "/pixels/mean").features[:], plain)
    assert penult.load(tmp_path / "f.h5", "/pixels").features.shape == (4, 3)
    updated = penult.extract(shades, tmp_path / "f.h5", model=slashes, layer=layers, update=True)
    assert updated.layers == tuple(layers)
    in_memory = penult.extract(shades, None, model=slashes, layer=["/pixels", "/pixels/mean"])
    assert in_memory.layers == ("/pixels", "/pixels/mean")


@pytest.mark.torch
@pytest.mark.parametrize("output", ["f.h5", None])
def test_a_network_that_gives_nothing_but_nan_is_an_error(
    shades, tmp_path, toy, monkeypatch, output
):
    from penult.engines.torch import TorchEngine

    run = TorchEngine.run
    monkeypatch.setattr(TorchEngine, "run", lambda self, x: [r * np.nan for r in run(self, x)])
    target = output and tmp_path / output
    with pytest.raises(SourceError, match=r"none of 4 images gave a row.*gives NaN"):
        penult.extract(shades, target, model=toy, engine="torch")
    assert [p.name for p in tmp_path.iterdir()] == ["shades"]
