import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from finetuned import LABELS, finetuned, linear_head
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

import penult
from penult.backbones.checkpoint import architecture_of, read_checkpoint
from penult.backbones.registry import open_backbone, open_recipe
from penult.classify.finetuned_folder import at_home
from penult.classify.loading import describe_classifier
from penult.engines.agreement import relative_error
from penult.errors import (
    BackboneError,
    ClassifierFileError,
    FileFormatError,
    OutputExistsError,
    PathNotFoundError,
    RecipeMismatchError,
    UsageError,
    WeightsError,
)
from penult.finetuning import checkpoint_folder
from penult.finetuning.checkpoint_folder import check_folder, write_checkpoint
from penult.finetuning.head import Head
from penult.recipe import JoinedRecipe, Recipe
from penult.reporting.commands import extract_command

FILES = {
    "weights.safetensors",
    "recipe.json",
    "classifier.skops",
    "scores.json",
    "photos.json",
    "parts.csv",
    "model_card.md",
    "curves.png",
    "log.csv",
}


def rows_of(model: str, photos: Path, engine: str = "torch") -> np.ndarray:
    return penult.extract(photos, model=model, engine=engine, progress=False).features[:]


def rewrite(folder: Path, change) -> None:
    """Write the same note over other tensors."""
    from safetensors import safe_open

    path = folder / "weights.safetensors"
    with safe_open(path, "pt") as file:
        note = file.metadata()
    save_file(change(load_file(path)), path, metadata=note)


# What is in the folder.


def test_a_folder_holds_all_that_is_said_of_a_checkpoint_and_nothing_else(folder):
    assert {path.name for path in folder.iterdir()} == FILES
    checkpoint = read_checkpoint(folder)
    assert checkpoint.architecture == "tiny:network"
    assert checkpoint.label_names == LABELS
    assert checkpoint.training == {"epochs": 2, "unfreeze": "last"}


def test_scores_have_the_shape_that_scripts_rely_on(folder):
    scores = json.loads((folder / "scores.json").read_text())
    assert list(scores) == ["test", "validation", "probe", "difference", "seconds", "epochs"]
    assert scores["difference"] == {"low": -0.1, "high": 0.5, "separable": False}
    assert scores["epochs"][1]["validation_accuracy"] == 0.8


def test_the_log_has_a_row_an_epoch_and_the_curves_are_no_photo(folder):
    assert (folder / "log.csv").read_text().splitlines() == [
        "epoch,train_loss,validation_loss,validation_accuracy",
        "1,1.0,1.25,0.5",
        "2,0.5,0.75,0.8",
    ]
    with Image.open(folder / "curves.png") as curves:
        assert curves.width > 500
    (alone := folder.parent / "curves").mkdir()
    shutil.copy(folder / "curves.png", alone)
    with pytest.raises(penult.errors.SourceError, match="no images"):
        penult.extract(alone, model="tiny:network", progress=False)


def test_the_recipe_is_that_of_the_rows_that_the_network_in_the_folder_gives(folder, photos):
    recipe = Recipe.from_json((folder / "recipe.json").read_text())
    features = penult.extract(photos, model=str(folder), progress=False)
    assert recipe == features.recipe
    assert recipe.backbone == f"checkpoint:{folder}"
    assert recipe.weights == f"file:{folder}"


# A backbone.


def test_rows_are_bit_for_bit_those_of_the_network_that_was_saved(folder, tuned, photos):
    backbone, _ = tuned
    again = open_backbone(str(folder))
    assert (again.name, again.architecture) == (f"checkpoint:{folder}", "tiny/network")
    images = torch.rand(4, 3, 32, 32)
    (ours,), (theirs,) = again.cut(["penultimate"])(images), backbone.cut(["penultimate"])(images)
    assert torch.equal(ours, theirs)
    in_torch = rows_of(str(folder), photos)
    assert not np.array_equal(in_torch, rows_of("tiny:network", photos))
    assert relative_error(rows_of(str(folder), photos, "openvino"), in_torch) <= 1e-4


def test_a_folder_of_any_name_is_known_by_what_is_in_it(folder, photos, tmp_path, monkeypatch):
    rows = rows_of(str(folder), photos)
    shutil.copytree(folder, tmp_path / "flowers")
    monkeypatch.chdir(tmp_path)
    assert np.array_equal(rows_of("flowers", photos), rows)
    assert open_backbone("flowers").described == "checkpoint flowers (tiny/network)"


def test_a_checkpoint_can_be_fine_tuned_on_as_what_it_was_made_from(folder, tiny):
    assert architecture_of(open_backbone(str(folder))) == "tiny:network"
    assert architecture_of(open_backbone(tiny)) == "tiny:network"


def test_rows_from_before_the_folder_moved_are_made_again_where_it_is_now(folder, photos, tmp_path):
    features = penult.extract(photos, model=str(folder), progress=False)
    folder.rename(tmp_path / "moved.ckpt")
    with pytest.raises(WeightsError, match=r"flowers.ckpt, which is not there; give weights="):
        penult.Extractor(features.recipe)
    extract = extract_command([features.recipe], ["penultimate"], {})
    assert extract.endswith(f" --model checkpoint:{folder}"), "and its place no second time"
    again = penult.Extractor(features.recipe, weights=tmp_path / "moved.ckpt")
    assert np.array_equal(again([photos / "rose/rose_01.jpg"])[0], features.features[12])


# A classifier.


def test_the_folder_predicts_as_its_head_does(folder, photos):
    head = linear_head(temperature=2.0)
    expected = head.probabilities(rows_of(str(folder), photos))
    found = penult.predict(folder, photos, top=3, engine="torch", progress=False)
    for prediction, row in zip(found, expected, strict=True):
        assert prediction.label == LABELS[row.argmax()]
        assert prediction.probability == pytest.approx(row.max(), abs=1e-5)


def test_a_head_with_a_hidden_layer_predicts_and_is_exported(tmp_path, tuned, photos):
    import onnxruntime

    backbone, network = tuned
    torch.manual_seed(4)
    head = Head.of(nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3)), LABELS)
    folder = write_checkpoint(tmp_path / "mlp.ckpt", network, finetuned(backbone, head))
    rows = rows_of(str(folder), photos)
    classifier = penult.load_classifier(folder)
    assert classifier.settings.params == {"head": "mlp:8"}
    np.testing.assert_allclose(
        classifier.predict_features(rows), head.probabilities(rows), atol=1e-5
    )
    penult.export(folder, tmp_path / "mlp.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "mlp.onnx")
    image = np.asarray(Image.open(photos / "rose/rose_01.jpg").resize((32, 32), 2))[None]
    (probabilities,) = session.run(["probabilities"], {"images": image})
    np.testing.assert_allclose(probabilities, head.probabilities(rows[12:13]), atol=1e-3)


def test_of_several_labels_thresholds_travel_with_the_head(tmp_path, tuned, photos):
    backbone, network = tuned
    head = linear_head(thresholds=(0.2, 0.5, 0.7))
    folder = write_checkpoint(tmp_path / "tags.ckpt", network, finetuned(backbone, head))
    classifier = penult.load_classifier(folder)
    assert classifier.thresholds == (0.2, 0.5, 0.7)
    rows = rows_of(str(folder), photos)
    np.testing.assert_allclose(
        classifier.predict_features(rows), head.probabilities(rows), atol=1e-5
    )


def test_a_folder_is_scored_on_photos_and_on_its_own_rows(folder, photos, tmp_path):
    features = penult.extract(photos, tmp_path / "rows.h5", model=str(folder), progress=False)
    on_rows = penult.evaluate(folder, tmp_path / "rows.h5")
    on_photos = penult.evaluate(folder, photos, progress=False)
    said = penult.load_classifier(folder).predict_features(features).argmax(axis=1)
    assert (
        on_rows.scores.accuracy
        == on_photos.scores.accuracy
        == (said == np.repeat([0, 1, 2], 12)).mean()
    )


def test_rows_of_the_network_as_it_was_are_refused_with_the_command_that_makes_new_ones(
    folder, photos, tmp_path
):
    penult.extract(photos, tmp_path / "old.h5", model="tiny:network", progress=False)
    with pytest.raises(RecipeMismatchError, match="weights_sha256") as refused:
        penult.evaluate(folder, tmp_path / "old.h5")
    made = f"rows of flowers.ckpt are made by: penult.extract(IMAGES, model={str(folder)!r}, "
    assert f"{made}output='NEW.h5')" in str(refused.value)


def test_a_copied_folder_predicts_with_the_network_that_lies_in_it(folder, photos, tmp_path):
    before = penult.predict(folder, photos, progress=False)
    shutil.copytree(folder, tmp_path / "elsewhere/copy.ckpt")
    shutil.rmtree(folder)
    for place in ("elsewhere/copy.ckpt", "elsewhere/copy.ckpt/classifier.skops"):
        classifier = penult.load_classifier(tmp_path / place)
        assert classifier.recipe.backbone == f"checkpoint:{tmp_path / 'elsewhere/copy.ckpt'}"
        assert classifier.predict(photos, progress=False) == before


def test_a_folder_says_what_it_is(folder):
    found = penult.info(folder)
    assert (found.kind, found.classes) == ("classifier", {"daisy": 7, "rose": 8, "tulip": 5})
    described = describe_classifier(folder)
    assert described.scores.accuracy == 2 / 3
    assert described.settings.train_images == 20


def test_a_folder_in_the_place_of_the_photos_is_told(folder, photos):
    with pytest.raises(UsageError, match="the classifier comes first"):
        penult.predict(photos, folder)


def test_a_head_is_not_trained_on_rows(photos, tmp_path, toy):
    features = penult.extract(photos, model=toy, progress=False)
    with pytest.raises(UsageError, match="finetuned cannot be trained on rows"):
        penult.train(features, classifier="finetuned", progress=False)


# What is refused.


def test_another_networks_weights_are_not_taken_for_the_heads(folder):
    rewrite(folder, lambda state: {name: x + 0.5 for name, x in state.items()})
    with pytest.raises(ClassifierFileError, match=r"safetensors is not the network that the class"):
        penult.load_classifier(folder)


def test_rows_of_the_network_that_was_there_before_are_refused_and_how_to_make_new_ones_is_said(
    folder,
):
    before = open_backbone(str(folder)).recipe("penultimate")
    rewrite(folder, lambda state: {name: x + 0.5 for name, x in state.items()})
    made = r"rows of flowers\.ckpt are made by: penult\.extract\(IMAGES, model='.*flowers\.ckpt'"
    with pytest.raises(RecipeMismatchError, match=made):
        open_recipe(before, recipe_is="rows.h5")


def test_weights_of_another_architecture_are_refused(folder):
    rewrite(folder, lambda state: {name: x for name, x in state.items() if "maps" not in name})
    with pytest.raises(BackboneError, match=r"does not fit Network: it lacks maps\.0\.weight"):
        open_backbone(str(folder)).cut(["penultimate"])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            lambda text: text.replace('"penultimate"', '"logits"'),
            "is not the recipe that the class",
        ),
        (lambda text: text[:50], "cannot be read as a recipe"),
    ],
)
def test_an_edited_recipe_is_refused(folder, change, why):
    path = folder / "recipe.json"
    path.write_text(change(path.read_text()))
    with pytest.raises(ClassifierFileError, match=why):
        penult.load_classifier(folder)


def test_a_classifier_of_other_rows_than_one_networks_is_refused(folder):
    recipe = penult.load_classifier(folder).recipe
    joined = JoinedRecipe((recipe, replace(recipe, layer="logits")))
    (folder / "recipe.json").write_text(joined.to_json())
    with pytest.raises(ClassifierFileError, match="is not the head of the network beside it"):
        at_home(joined, folder)


@pytest.mark.parametrize("name", ["recipe.json", "classifier.skops"])
def test_a_folder_that_lacks_a_file_is_no_checkpoint(folder, name):
    (folder / name).unlink()
    for opened in (open_backbone, penult.load_classifier):
        with pytest.raises(FileFormatError, match=rf"no whole checkpoint: {name} is not there"):
            opened(str(folder))


def test_a_folder_without_weights_is_no_checkpoint(folder):
    (folder / "weights.safetensors").unlink()
    for opened in (open_backbone, penult.load_classifier):
        with pytest.raises(FileFormatError, match=r"is a folder without weights.safetensors"):
            opened(str(folder))
    (folder / "state").mkdir()
    with pytest.raises(
        FileFormatError,
        match=r"its fine-tuning has not ended; type its .*finetune.* options and resume=True",
    ):
        open_backbone(str(folder))


# How it is written.


def test_a_checkpoint_is_not_replaced_unasked(folder, tuned):
    backbone, network = tuned
    with pytest.raises(OutputExistsError, match=r"is a checkpoint; give overwrite=True"):
        write_checkpoint(folder, network, finetuned(backbone))
    (folder / "notes.txt").write_text("mine")
    write_checkpoint(folder, network, finetuned(backbone, seed=7), overwrite=True)
    assert penult.load_classifier(folder).settings.seed == 7
    assert (folder / "notes.txt").read_text() == "mine"


def test_what_fails_leaves_nothing_behind(tmp_path, tuned, monkeypatch):
    backbone, network = tuned
    (tmp_path / "run.ckpt/state").mkdir(parents=True)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint_folder, "draw_curves", fail)
    for name, left in (("new.ckpt", None), ("run.ckpt", ["state"])):
        with pytest.raises(penult.errors.OutputError, match="the disk is full"):
            write_checkpoint(tmp_path / name, network, finetuned(backbone))
        there = tmp_path / name
        assert ([path.name for path in there.iterdir()] if there.exists() else None) == left


def test_a_folder_whose_files_were_not_all_put_into_place_is_refused_until_it_is_written_again(
    tmp_path, tuned, monkeypatch
):
    backbone, network = tuned
    put = checkpoint_folder.replace_file

    def killed(source, target):
        if target.name == "weights.safetensors":
            raise KeyboardInterrupt
        put(source, target)

    monkeypatch.setattr(checkpoint_folder, "replace_file", killed)
    with pytest.raises(KeyboardInterrupt):
        write_checkpoint(tmp_path / "flowers.ckpt", network, finetuned(backbone))
    for opened in (open_backbone, penult.load_classifier):
        with pytest.raises(FileFormatError, match=r"checkpoint.parts in it was not put into place"):
            opened(str(tmp_path / "flowers.ckpt"))
    monkeypatch.undo()
    write_checkpoint(tmp_path / "flowers.ckpt", network, finetuned(backbone))
    assert {path.name for path in (tmp_path / "flowers.ckpt").iterdir()} == FILES


def test_a_name_that_says_something_else_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"be a folder; name it flowers.ckpt"):
        check_folder(tmp_path / "flowers.h5")
    with pytest.raises(PathNotFoundError, match="there is no folder"):
        check_folder(tmp_path / "gone/flowers.ckpt")
    (tmp_path / "a.ckpt").write_text("")
    with pytest.raises(OutputExistsError, match="is a file"):
        check_folder(tmp_path / "a.ckpt")
    (tmp_path / "b.ckpt").mkdir()
    (tmp_path / "b.ckpt/scores.json").write_text("{}")
    with pytest.raises(OutputExistsError, match=r"has a file scores.json"):
        check_folder(tmp_path / "b.ckpt")


def test_a_recipe_finds_its_backbone_in_the_folder(folder):
    recipe = Recipe.from_json((folder / "recipe.json").read_text())
    assert open_recipe(recipe, recipe_is="rows.h5").recipe("penultimate") == recipe
