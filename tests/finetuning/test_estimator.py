"""The scikit-learn classifier: scikit-learn's own checks, and what it shares with `penult finetune`."""

from __future__ import annotations

import gc
import inspect
import json
import pickle
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from finetuned import draw_curves_once
from normed import NormedNetwork
from PIL import Image
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.preprocessing import MultiLabelBinarizer
from sklearn.utils import InputTags
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import validate_data

import penult
from penult import FineTuner
from penult.backbones.backbone import Backbone
from penult.backbones.torch_network import TorchNetwork
from penult.errors import (
    ImageError,
    MissingExtraError,
    OutputExistsError,
    TrainingError,
    UnknownNameError,
    UsageError,
)
from penult.extractor import ReadingOptions
from penult.finetuning.pixels import PixelReader
from penult.images.in_memory import as_records
from penult.images.pixels.augment import Augmentation
from penult.recipe import Preprocessing

TUNER = {"unfreeze": "none", "epochs": 1, "near_duplicates": 1.0}


class Flat(NormedNetwork):
    """`flat:network`: an image squashed to 8 × 8, whose 192 numbers, grey being 0, are its row."""

    prefix = "flat"

    def open(self, name, choice):
        metadata = super().open(name, choice).metadata
        metadata = replace(
            metadata,
            name="flat:network",
            architecture="flat/network",
            preprocessing=replace(metadata.preprocessing, resize=(8, 8)),
        )
        return Backbone(metadata, lambda: TorchNetwork(build_flat(), head="logits"))


def build_flat():
    from torch import nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.flat = nn.Flatten(1)
            self.logits = nn.Linear(192, 2)

        def forward(self, images):
            return self.logits(self.flat(images))

    return Network()


@pytest.fixture(scope="module")
def flat():
    from penult.backbones.registry import register, unregister

    register(Flat())
    yield "flat:network"
    unregister("flat")


class OfPaintedTables(FineTuner):
    """scikit-learn's checks feed tables of numbers: each row is painted, a pixel a column, so that
    `FineTuner.fit` and all that predicts are put through them. Only the table is not their business.
    """

    def fit(self, X, y, groups=None):  # noqa: N803
        table = validate_data(self, X)
        self.middle_, self.spread_ = table.mean(axis=0), table.std(axis=0) + 1e-9
        return super().fit(self._painted(table), y, groups)

    def _rows(self, X):  # noqa: N803
        return super()._rows(self._painted(validate_data(self, X, reset=False)))

    def _painted(self, table):
        pixels = np.full((len(table), 64), 128, np.uint8)
        pixels[:, 0] = 255  # or all rows of one column would be copies of two
        columns = (table - self.middle_) / self.spread_
        pixels[:, 1 : 1 + columns.shape[1]] = (128 + 40 * columns[:, :63]).clip(0, 255)
        return list(pixels.reshape(-1, 8, 8))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = InputTags(two_d_array=True)
        return tags


def expected_to_fail(_estimator):
    return {
        "check_class_weight_classifiers": "class_weight is 'balanced' or None, as of penult.finetune",
    }


@parametrize_with_checks(
    [OfPaintedTables(model="flat:network", **TUNER)], expected_failed_checks=expected_to_fail
)
def test_scikit_learn_finds_nothing_wrong(estimator, check, flat):
    check(estimator)


@pytest.fixture
def paths(photos):
    return sorted(photos.rglob("*.jpg"))


@pytest.fixture
def labels(paths):
    return [path.parent.name for path in paths]


@pytest.fixture
def tuner(normed):
    """One epoch of the last block; the photos of a class are alike but for noise."""
    return FineTuner(normed, epochs=1, near_duplicates=1.0, lr=0.02, train_batch_size=6)


@pytest.fixture
def probing(normed):
    """The head alone, which costs least."""
    return FineTuner(normed, **TUNER)


# What is learnt.


def test_it_is_the_command_that_holds_nothing_out(
    tuner, paths, labels, photos, tmp_path, monkeypatch
):
    draw_curves_once(monkeypatch)
    tuner.set_params(patience=1, epochs=2, wise_ft=True).fit(paths, labels)
    mine = tuner.save(tmp_path / "mine.ckpt")
    options = {name: value for name, value in tuner.get_params().items() if name != "engine"}
    assert options.keys() <= inspect.signature(penult.finetune).parameters.keys()
    found = penult.finetune(photos, tmp_path / "its.ckpt", test_size=0, **options)
    ours, its = (folder / "weights.safetensors" for folder in (mine, tmp_path / "its.ckpt"))
    assert ours.read_bytes() == its.read_bytes()
    assert found.validation == tuner.finetuned_.validation
    assert found.scores is None
    predicted = penult.predict(tmp_path / "its.ckpt", photos, top=3, engine="torch", progress=False)
    its = [[dict(one.top)[name] for name in tuner.classes_] for one in predicted]
    np.testing.assert_allclose(tuner.predict_proba(paths), its, atol=1e-6)


def test_its_options_are_those_of_the_function():
    own, functions = (
        inspect.signature(one).parameters for one in (FineTuner.__init__, penult.finetune)
    )
    shared = (own.keys() & functions.keys()) - {"progress"}
    assert own.keys() - shared == {"self", "engine", "progress"}
    for name in shared:
        assert own[name].default == functions[name].default, name
        assert own[name].annotation == functions[name].annotation, name


def test_the_seed_alone_decides(tuner, paths, labels):
    one = tuner.fit(paths, labels).predict_proba(paths)
    np.random.default_rng().random()
    torch.rand(3)
    assert np.array_equal(clone(tuner).fit(paths, labels).predict_proba(paths), one)
    other = clone(tuner).set_params(seed=1).fit(paths, labels)
    assert not np.array_equal(other.validation_indices_, tuner.validation_indices_)


def test_all_that_is_given_trains_or_validates(probing, paths, labels):
    found = probing.fit(paths, labels).finetuned_
    assert (found.train_images, found.validation_images) == (28, 8)
    assert len(probing.validation_indices_) == 8
    assert found.validation.images == 8
    assert (found.scores, found.held_out, found.probe, found.difference) == (None,) * 4
    assert "no test, validation 100%" in repr(found)
    assert found.verdict.startswith("No photo was held out")


def test_groups_and_copies_are_never_divided(probing, paths, labels, tmp_path):
    copies = []
    for path in paths:
        copies.append(tmp_path / f"copy of {path.name}")
        shutil.copy(path, copies[-1])
    groups = [f"{label}{place % 4}" for place, label in enumerate(labels)]
    probing.fit([*paths, *copies], labels * 2, groups=groups * 2)
    validating = set(probing.validation_indices_.tolist())
    assert {(k + 36) % 72 for k in validating} == validating
    assert len({groups[k % 36] for k in validating}) == len(validating) / 6


def test_decisions_are_the_logarithms_of_odds(probing, paths, labels):
    probing.fit(paths, labels)
    likely = probing.predict_proba(paths)
    centred = np.log(likely) - np.log(likely).mean(axis=1, keepdims=True)
    logits = probing.decision_function(paths)
    np.testing.assert_allclose(logits - logits.mean(axis=1, keepdims=True), centred, atol=1e-6)
    two = [k for k, label in enumerate(labels) if label != "tulip"]
    of_two = [paths[k] for k in two]
    probing.fit(of_two, [labels[k] for k in two])
    odds = probing.predict_proba(of_two)
    np.testing.assert_allclose(
        probing.decision_function(of_two), np.log(odds[:, 1] / odds[:, 0]), atol=1e-6
    )


# What y and X may be.


def test_classes_are_what_they_were_given_as(probing, paths, labels):
    numbers = np.array([{"daisy": 10, "rose": 9, "tulip": 2}[label] for label in labels], np.int32)
    probing.fit(paths, numbers)
    assert probing.classes_.tolist() == [2, 9, 10]
    assert probing.predict(paths).dtype == np.int32
    assert probing.score(paths, numbers) == 1
    assert probing.finetuned_.label_names == ("2", "9", "10")
    probing.fit(paths, np.array(labels, object))
    assert probing.predict(paths[:1]).tolist() == ["daisy"]


class Frame:
    """As much of a DataFrame as is looked at: `iloc`, named columns, and an array."""

    iloc = None

    def __init__(self, values, columns):
        self.values, self.columns = values, columns

    def __array__(self, dtype=None, copy=None):
        return self.values


def test_images_may_have_several_labels(tuner, paths, labels):
    several = [[label, "red"] if label == "rose" else [label] for label in labels]
    tuner.set_params(unfreeze="none", epochs=2).fit(paths, several)
    assert tuner.classes_.tolist() == ["daisy", "red", "rose", "tulip"]
    assert tuner.predict(paths[12:13]).tolist() == [[0, 1, 1, 0]]
    assert tuner.score(paths, several) == 1
    likely = tuner.predict_proba(paths)
    assert np.array_equal(tuner.predict(paths), (tuner.decision_function(paths) >= 0).astype(int))
    matrix = MultiLabelBinarizer().fit_transform(several)
    again = clone(tuner).fit(paths, matrix)
    assert np.array_equal(again.predict_proba(paths), likely)
    assert again.classes_.tolist() == [0, 1, 2, 3]
    assert again.score(paths, matrix) == 1
    assert again.score(paths, matrix.tolist()) == 1
    named = clone(tuner).fit(paths, Frame(matrix, tuner.classes_))
    assert named.classes_.tolist() == tuner.classes_.tolist()
    assert roc_auc_score(matrix, likely) == 1
    assert cross_val_score(clone(tuner), paths, matrix, cv=2, error_score="raise").shape == (2,)


def test_images_in_memory_are_photos_as_well(tuner, paths, labels):
    loaded = [np.asarray(Image.open(path)) for path in paths]
    mixed = [*loaded[:30], *paths[30:]]
    tuner.set_params(augment="none")
    likely = clone(tuner).fit(paths, labels).predict_proba(paths)
    assert np.array_equal(tuner.fit(mixed, labels).predict_proba(np.stack(loaded)), likely)
    assert np.array_equal(tuner.predict_proba(iter(paths)), likely)


def test_images_in_memory_are_each_changed_at_random(monkeypatch):
    image = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    draw, drawn = Augmentation.draw, []

    def drawing(self, content, view):
        drawn.append(content)
        return draw(self, content, view)

    monkeypatch.setattr(Augmentation, "draw", drawing)
    squash = Preprocessing(
        resize=(8, 8), crop=None, interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3
    )
    reader = PixelReader(
        records=as_records([image, 255 - image, image]),
        preprocessing=squash,
        reading=ReadingOptions(workers=1),
        augmentation=Augmentation("light", 0),
    )
    ((one, _, again),) = (batch.pixels for batch in reader.batches([np.arange(3)], view=0))
    assert np.array_equal(one, again)
    assert drawn[0] == drawn[2] != drawn[1]


# Inside scikit-learn.


def test_scikit_learn_searches_and_cross_validates(probing, paths, labels):
    assert cross_val_score(probing, paths, labels, cv=2, error_score="raise").tolist() == [1, 1]
    grid = {"head": ["linear", "mlp:4"], "epochs": np.arange(1, 2)}
    search = GridSearchCV(probing, grid, cv=2, error_score="raise").fit(paths, labels)
    assert search.best_params_["head"] in grid["head"]
    assert search.predict(paths[:1]).tolist() == ["daisy"]
    groups = [place % 3 for place in range(36)]
    scores = cross_val_score(
        probing, paths, labels, groups=groups, cv=GroupKFold(3), error_score="raise"
    )
    assert scores.tolist() == [1, 1, 1]


def folders():
    return set(Path(tempfile.gettempdir()).glob("penult-*"))


def test_a_copy_needs_nothing_of_what_it_was_copied_from(
    tuner, paths, labels, tmp_path, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    likely = tuner.fit(paths, labels).predict_proba(paths)
    joblib.dump(tuner, tmp_path / "tuner.joblib")
    pickled = pickle.dumps(tuner)
    (its_folder,) = folders()
    assert str(its_folder).encode() not in pickled
    shutil.rmtree(its_folder)  # as systems do after some days
    tuner.set_params(device="cpu")
    assert np.array_equal(tuner.predict_proba(paths), likely)
    del tuner
    for copy in (pickle.loads(pickled), joblib.load(tmp_path / "tuner.joblib")):
        assert np.array_equal(copy.predict_proba(paths), likely)
        assert copy.get_params()["epochs"] == 1
    del copy


def test_what_it_wrote_aside_goes_with_it(probing, paths, labels, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    fitted = clone(probing).fit(paths, labels)
    assert folders() == set()
    gc.freeze()  # or all that there is by now is gone through
    try:
        fitted.predict(paths)
        assert len(folders()) == 1
        del fitted
        gc.collect()
    finally:
        gc.unfreeze()
    assert folders() == set()


# What it is saved as.


def test_it_is_saved_as_what_the_command_writes(probing, paths, labels, tmp_path, monkeypatch):
    draw_curves_once(monkeypatch)
    probing.set_params(head="mlp:4").fit(paths, labels)
    folder = probing.save(tmp_path / "flowers.ckpt")
    scores = json.loads((folder / "scores.json").read_text())
    assert [scores[name] for name in ("test", "probe", "difference")] == [None] * 3
    assert scores["validation"]["accuracy"] == probing.finetuned_.validation.accuracy
    card = (folder / "model_card.md").read_text()
    assert "no test image" in card
    assert "There is no test score: no image was held out." in card
    assert "$ penult predict flowers.ckpt PHOTOS" in card
    assert str(folder) in (folder / "recipe.json").read_text()
    classifier = penult.load_classifier(folder)
    assert classifier.scores.split == "the validation part, by which the training was stopped"
    found = penult.predict(folder, paths, engine="torch", progress=False)
    assert [one.label for one in found] == probing.predict(paths).tolist()
    with pytest.raises(OutputExistsError, match="give overwrite=True"):
        probing.save(folder)
    with pytest.raises(UsageError, match=r"\.ckpt"):
        probing.save(tmp_path / "flowers")


# What is refused.


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"epochs": 0}, UsageError, "epochs=0 was given; give 1 or more"),
        ({"epochs": "many"}, UsageError, "epochs is 'many'"),
        ({"unfreeze": "some"}, UsageError, "unfreeze='some' was given; give none, last, all"),
        ({"head": "deep"}, UsageError, "head='deep'"),
        ({"augment": "much"}, UnknownNameError, "allowed: light, strong, none"),
        ({"validation_size": 1.0}, UsageError, "validation_size=1.0"),
        ({"near_duplicates": 0.0}, UsageError, "near_duplicates is 0"),
        ({"model": "normed:network", "unfreeze": 9}, UsageError, "has 4 blocks"),
        ({"model": "normd:network"}, UnknownNameError, "normed"),
    ],
)  # fmt: skip
def test_an_option_that_cannot_be_is_refused_by_fit(probing, paths, labels, options, error, said):
    tuner = clone(probing).set_params(**options)
    with pytest.raises(error, match=said) as caught:
        tuner.fit(paths, labels)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("y", "error", "said"),
    [
        pytest.param(["a"] * 35, UsageError, "36 images and 35 labels were given", id="too few"),
        pytest.param(["a"] * 36, TrainingError, r"y has 1 class \(a\)", id="one class"),
        pytest.param(["a", None] * 18, UsageError, r"y\[1\] is None; give", id="None"),
        pytest.param(["a", ""] * 18, UsageError, "an empty label", id="empty"),
        pytest.param([["a"], ["b", None]] * 18, UsageError, r"y\[1\] is None", id="None in a list"),
        pytest.param([["a"], "b"] * 18, UsageError, "element 1 is 'b'", id="a text among lists"),
        pytest.param(np.array([["a", "b"]] * 36), UsageError, "several columns", id="columns"),
        pytest.param(np.arange(36) / 7, ValueError, "Unknown label type", id="numbers"),
        pytest.param(None, UsageError, "requires y to be passed", id="nothing"),
    ],
)  # fmt: skip
def test_labels_that_cannot_be_are_refused(probing, paths, y, error, said):
    with pytest.raises(error, match=said):
        probing.fit(paths, y)


def test_images_that_cannot_be_read_are_named(probing, paths, labels, tmp_path):
    (tmp_path / "text.jpg").write_text("hello")
    with pytest.raises(ImageError, match=r"text\.jpg: is not an image"):
        probing.fit([*paths, tmp_path / "text.jpg"], [*labels, "rose"])
    with pytest.raises(NotFittedError):
        probing.predict(paths)
    probing.fit(paths, labels)
    with pytest.raises(ImageError, match=r"nowhere\.jpg: is not there"):
        probing.predict([tmp_path / "nowhere.jpg"])
    with pytest.raises(UsageError, match="no images were given"):
        probing.predict([])
    with pytest.raises(UsageError, match=r"one str .* put it in a list"):
        probing.fit("rose.jpg", ["rose"])
    with pytest.raises(UsageError, match="36 images and 2 groups were given"):
        probing.fit(paths, labels, groups=["a", "b"])


def test_the_extra_that_it_needs_is_named(probing, paths, labels, monkeypatch):
    monkeypatch.setattr("penult.extras.is_installed", lambda *names: "accelerate" not in names)
    with pytest.raises(MissingExtraError, match=r"penult\[torch\]"):
        probing.fit(paths, labels)
