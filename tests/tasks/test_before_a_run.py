"""What can be known before a run: models, layers, weights, what a network sees; a sample."""

import dataclasses
import json

import pytest
from PIL import Image

import penult
from penult.errors import OutputExistsError, PathNotFoundError, UnknownNameError, UsageError

pytestmark = pytest.mark.light


def test_models_and_layers_are_lists_of_records(toy):
    (model,) = penult.models("toy:")
    assert (model.name, model.features, model.on_this_machine) == (toy, 3, True)
    found = {layer.name: (layer.shape, layer.row) for layer in penult.layers(toy)}
    assert found["pixels"] == ((3, 8, 8), (3,))
    assert found["penultimate"] == ((3,), (3,))
    assert [layer.length for layer in penult.layers(toy, "p*")] == [192, 3]


def test_names_that_there_are_not_are_answered_with_what_is_typed_in_python(toy):
    with pytest.raises(UnknownNameError, match=r"penult\.models\(\) lists "):
        penult.models("toy:colour-mean")
    with pytest.raises(UnknownNameError, match=r"penult\.layers\('toy:mean-colour'\)"):
        penult.layers(toy, "means")


def test_weights_are_fetched_for_one_model_or_several(toy):
    (one,) = penult.fetch(toy)
    assert dataclasses.asdict(one) == {
        "model": toy, "weights": "mean-colour 1", "path": None, "bytes": None, "sha256": "70" * 32,
    }  # fmt: skip
    assert penult.fetch([toy, toy]) == [one, one]


def test_what_a_network_sees_is_a_picture_and_its_steps_in_words(toy, photos, tmp_path):
    image, picture = photos / "rose" / "rose_01.jpg", tmp_path / "seen.png"
    shown = penult.show_input(toy, image, picture)
    assert (shown.output, shown.width, shown.height) == (picture, 8, 8)
    assert shown.steps[0] == "squashed to 8 × 8 pixels (bilinear)"
    with Image.open(picture) as seen:
        assert seen.size == (8, 8)
    with pytest.raises(OutputExistsError, match="give overwrite=True"):
        penult.show_input(toy, image, picture)
    with pytest.raises(UsageError, match=r"name it seen\.png"):
        penult.show_input(toy, image, tmp_path / "seen.jpg")


def test_a_sample_is_written_once(tmp_path, monkeypatch):
    from penult import samples

    def write(folder):
        folder.mkdir()
        return 4

    monkeypatch.setitem(samples.SAMPLES, "four", samples.Sample("four", write))
    written = penult.sample("four", tmp_path / "four")
    assert (written.directory, written.images) == (tmp_path / "four", 4)
    with pytest.raises(UnknownNameError, match="digits"):
        penult.sample("digit", tmp_path / "digits")


def test_what_is_in_a_file_is_a_record_of_its_kind(toy, photos, tmp_path, make_features):
    (photos / "rose" / "bad.jpg").write_bytes(b"nonsense")
    penult.extract(photos, tmp_path / "f.h5", model=toy, layer=["mean", "logits"])
    trained = penult.train(tmp_path / "f.h5", tmp_path / "c.skops", classifier="centroid")
    rows = penult.info(tmp_path / "f.h5")
    assert (rows.kind, rows.shape, rows.dtype) == ("features", (36, 2), "float32")
    assert (rows.layers, dict(rows.classes)) == (
        ("mean", "logits"),
        {"daisy": 12, "rose": 12, "tulip": 12},
    )
    assert (rows.unlabelled, rows.several, rows.splits) == (0, False, None)
    assert [failure.id for failure in rows.failures] == ["rose/bad.jpg"]
    told = penult.info(tmp_path / "c.skops")
    assert (told.kind, told.classes) == ("classifier", {"daisy": 9, "rose": 9, "tulip": 9})
    assert (told.scores, told.settings, told.recipe) == (
        trained.scores,
        trained.settings,
        trained.recipe,
    )


def test_what_is_no_file_of_penults_is_refused(tmp_path):
    with pytest.raises(PathNotFoundError, match="no such file"):
        penult.info(tmp_path / "f.h5")
    with pytest.raises(UsageError, match="is a folder"):
        penult.info(tmp_path)


def test_the_old_name_of_export_goes_on_working():
    with pytest.warns(
        FutureWarning, match=r"penult\.export_classifier is now called penult\.export"
    ):
        assert penult.export_classifier is penult.export


@pytest.mark.parametrize("command", [("models", "toy:"), ("layers", "toy:mean-colour")])
def test_a_command_prints_what_its_function_returns(toy, command, capsys, monkeypatch):
    from penult.cli import main

    monkeypatch.setattr("sys.argv", ["penult", *command, "--json"])
    with pytest.raises(SystemExit):
        main()
    function = getattr(penult, command[0])
    records = [dataclasses.asdict(record) for record in function(command[1])]
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(records))
