"""Small pieces of a fine-tuning that need no network: parts, probe, temperature, rates, options."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from feature_files import recipe

from penult.errors import TrainingError, UsageError
from penult.finetuning.assessment import _apart
from penult.finetuning.calibration import fit_temperature, mean_loss, probabilities
from penult.finetuning.options import FinetuneOptions
from penult.finetuning.probe import solve_probe
from penult.finetuning.schedule import rate_factor
from penult.finetuning.split import divide
from penult.finetuning.verdict import UNTRAINED, verdict
from penult.records import Features, ModelDifference

pytestmark = [pytest.mark.light, pytest.mark.once]


def features(per_class, rng_seed=0, **columns) -> Features:
    """Random rows, that many of each class."""
    labels = np.repeat(np.arange(len(per_class)), per_class)
    rows = np.random.default_rng(rng_seed).normal(size=(len(labels), 40)).astype(np.float32)
    return Features(
        features=columns.pop("rows", rows),
        ids=[f"{k:03}.png" for k in range(len(labels))],
        labels=columns.pop("labels", labels),
        label_names=tuple("abcdefgh"[: len(per_class)]),
        recipe=recipe(),
        content=[f"{k:032x}" for k in range(len(labels))],
        **columns,
    )


def together(parts) -> list[int]:
    return sorted([*parts.train, *parts.validation, *parts.test])


# Parts.


def test_photos_are_divided_into_three_parts_with_some_of_every_class():
    photos = features([20, 20, 20])
    parts = divide(photos, FinetuneOptions())
    assert together(parts) == list(range(60))
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (36, 9, 15)
    for part in (parts.train, parts.validation, parts.test):
        assert set(photos.labels[part]) == {0, 1, 2}


def test_nothing_is_held_out_where_that_is_asked_for():
    photos = features([20, 20, 3, 2])
    parts = divide(photos, FinetuneOptions(test_size=0))
    assert together(parts) == list(range(45))
    assert (len(parts.test), parts.description, parts.only_train) == (0, "", ("d",))
    assert set(photos.labels[parts.validation]) == {0, 1, 2}
    assert {*photos.labels[parts.train]} == {0, 1, 2, 3}


def test_why_photos_are_left_out_is_told_with_counts():
    labels = np.repeat([0, 1], 16)
    labels[[0, 1]] = -1
    splits = (["train"] * 10 + ["validation"] * 2 + ["test"] * 4) * 2
    splits[2] = ""
    groups = [str(k) for k in range(32)]
    groups[3] = "11"  # which validates
    photos = features([16, 16], labels=labels, splits=splits, groups=groups)
    photos.content[4], photos.content[5] = photos.content[10], photos.content[11]
    parts = divide(photos, FinetuneOptions())
    assert parts.left_out(photos) == {
        "without a label": 2,
        "in no split": 1,
        "of one group with photos in another part": 1,
        "copies of photos in another part": 2,
    }
    whole = features([16, 16])
    assert divide(whole, FinetuneOptions()).left_out(whole) == {}


def test_parts_that_the_images_have_stand_whatever_the_size():
    splits = ["train"] * 12 + ["validation"] * 4 + ["train"] * 12 + ["validation"] * 4
    parts = divide(features([16, 16], splits=splits), FinetuneOptions(test_size=0))
    assert parts.validation.tolist() == [12, 13, 14, 15, 28, 29, 30, 31]
    assert len(parts.test) == 0
    tested = ["test" if one == "validation" else one for one in splits]
    parts = divide(features([16, 16], splits=tested), FinetuneOptions(test_size=0))
    assert parts.test.tolist() == [12, 13, 14, 15, 28, 29, 30, 31]
    assert len(parts.validation) > 0


def test_photos_too_few_for_two_parts_are_refused():
    with pytest.raises(TrainingError, match=r"fewer than 3 photos each, .* into two parts"):
        divide(features([5, 2]), FinetuneOptions(test_size=0))


def test_photos_of_which_none_validates_are_refused_by_the_name_of_that_part():
    splits = (["train"] * 2 + ["test"] * 8) * 2
    with pytest.raises(
        TrainingError, match=r"^no part to validate on can be drawn: .*; add images$"
    ):
        divide(features([10, 10], splits=splits), FinetuneOptions())
    splits = (["train"] * 2 + ["test"] * 7 + ["train"]) * 2
    labels = np.array(([0] * 9 + [-1]) + ([1] * 9 + [-1]))
    with pytest.raises(
        TrainingError, match=r"; add images; 2 other images have no label, for they"
    ):
        divide(features([10, 10], splits=splits, labels=labels), FinetuneOptions())


def test_a_class_that_is_scored_and_never_trains_is_named():
    splits = ["train"] * 10 + ["validation"] * 4 + ["test"] * 6 + ["validation"] * 4 + ["test"] * 16
    with pytest.raises(TrainingError, match=r"1 class \(b\) would be scored.*ignore_splits=True"):
        divide(features([20, 20], splits=splits), FinetuneOptions())


def test_where_splits_leave_nothing_with_a_label_to_train_it_is_said():
    splits = ["train"] * 8 + ["validation"] * 8 + ["test"] * 4
    rows = np.random.default_rng(0).normal(size=(20, 40)).astype(np.float32)
    rows[:8] = rows[8:16]  # each is a copy of one that validates
    targets = np.arange(20)[:, None] % 2 == [0, 1]
    photos = features([10, 10], rows=rows, targets=targets, labels=np.full(20, -1), splits=splits)
    with pytest.raises(TrainingError, match="no photo is left to train with"):
        divide(photos, FinetuneOptions())


def test_another_seed_draws_other_parts():
    photos = features([20, 20])
    one, other = (divide(photos, FinetuneOptions(seed=seed)) for seed in (0, 1))
    assert one.test.tolist() != other.test.tolist()


def test_groups_and_near_duplicates_are_never_divided():
    rows = np.random.default_rng(0).normal(size=(60, 40)).astype(np.float32)
    rows[1::2] = rows[::2] * 1.5  # the same direction: a cosine of 1
    photos = features([30, 30], rows=rows, groups=[f"g{k // 6}" for k in range(60)])
    parts = divide(photos, FinetuneOptions())
    for part in (parts.train, parts.validation, parts.test):
        groups = {k // 6 for k in part}
        assert len(part) == 6 * len(groups)
        assert len(set(parts.units[part])) == len(groups)


def test_near_duplicates_may_be_told_to_count_for_themselves():
    rows = np.random.default_rng(0).normal(size=(40, 40)).astype(np.float32)
    rows[1::2] = rows[::2] + 0.01 * rows[1::2]
    photos = features([20, 20], rows=rows)
    assert len(set(divide(photos, FinetuneOptions()).units)) == 20
    assert len(set(divide(photos, FinetuneOptions(near_duplicates=1.0)).units)) == 40


def test_the_files_own_splits_are_used():
    splits = (["train"] * 10 + ["validation"] * 4 + ["test"] * 6) * 2
    parts = divide(features([20, 20], splits=splits), FinetuneOptions())
    assert [splits[k] for k in parts.train] == ["train"] * 20
    assert [splits[k] for k in parts.validation] == ["validation"] * 8
    assert [splits[k] for k in parts.test] == ["test"] * 12


def test_training_goes_without_photos_that_the_files_splits_show_elsewhere():
    splits = (["train"] * 10 + ["validation"] * 4 + ["test"] * 6) * 2
    rows = np.random.default_rng(0).normal(size=(40, 40)).astype(np.float32)
    rows[0], rows[1] = rows[10], rows[14]  # of a validation photo, and of a test photo
    parts = divide(features([20, 20], splits=splits, rows=rows), FinetuneOptions())
    assert parts.train.tolist() == [*range(2, 10), *range(20, 30)]
    assert (len(parts.validation), len(parts.test)) == (8, 12)


def test_without_a_validation_split_one_is_drawn_of_the_training_split():
    splits = (["train"] * 14 + ["test"] * 6) * 2
    parts = divide(features([20, 20], splits=splits), FinetuneOptions())
    assert [splits[k] for k in parts.test] == ["test"] * 12
    assert {splits[k] for k in parts.validation} == {"train"}
    assert (len(parts.train), len(parts.validation)) == (22, 6)


def test_classes_of_too_few_photos_train_and_are_not_scored():
    photos = features([20, 20, 1, 3])
    parts = divide(photos, FinetuneOptions())
    assert parts.only_train == ("c", "d")
    assert set(photos.labels[parts.test]) == {0, 1}
    assert {40, 41, 42, 43} <= set(parts.train)


def test_photos_of_several_labels_are_divided_too():
    targets = np.zeros((40, 2), bool)
    targets[:25, 0], targets[15:, 1] = True, True
    photos = features([20, 20], targets=targets, labels=np.full(40, -1))
    parts = divide(photos, FinetuneOptions())
    assert together(parts) == list(range(40))
    assert targets[parts.test].any(axis=0).all()


def test_rare_labels_are_learned_where_the_others_of_their_photos_train():
    targets = np.zeros((40, 4), bool)
    targets[:25, 0], targets[15:, 1] = True, True
    targets[3, 2] = True
    targets[39] = [False, False, False, True]  # a photo of nothing but a rare one
    photos = features([20, 20, 0, 0], targets=targets, labels=np.full(40, -1))
    parts = divide(photos, FinetuneOptions())
    assert together(parts) == list(range(40))
    assert 39 in parts.train
    assert parts.only_train == ()
    several = np.eye(8, dtype=bool) | np.eye(8, k=1, dtype=bool)
    photos = features([1] * 8, targets=several, labels=np.full(8, -1))
    with pytest.raises(TrainingError, match=r"8 classes of 8 .* cannot be divided into three"):
        divide(photos, FinetuneOptions())


def test_what_is_said_of_too_few_photos_names_no_option_that_there_is_not():
    splits = ["train"] * 21 + ["test"] * 23
    with pytest.raises(TrainingError, match="too few images to train with") as raised:
        divide(features([20, 4, 20], splits=splits), FinetuneOptions())
    assert str(raised.value).endswith("add images, or leave small classes out")
    with pytest.raises(TrainingError, match=r"1 class of 2 \(b\) has fewer") as raised:
        divide(features([20, 2]), FinetuneOptions(near_duplicates=1))
    assert str(raised.value).endswith("three parts; add photos")


def test_one_class_is_refused_in_one_line():
    with pytest.raises(TrainingError, match="one class only"):
        divide(features([20]), FinetuneOptions())


def test_photos_that_are_all_alike_are_told_apart_from_too_few():
    rows = np.random.default_rng(0).normal(size=(2, 40)).astype(np.float32)[np.arange(40) // 20]
    with pytest.raises(TrainingError, match=r"2 classes of 2 \(a, b\) have fewer than 4 photos"):
        divide(features([20, 20], rows=rows), FinetuneOptions())


# The probe.


def test_the_probe_is_scikit_learns_logistic_regression():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    rows = (rng.normal(size=(60, 5)) + np.eye(5)[labels]).astype(np.float32)
    probe = solve_probe(rows, labels, classes=3, strengths=(100.0,))
    square = float((rows**2).sum(axis=1).mean())
    theirs = LogisticRegression(C=100.0 / square, tol=1e-8, max_iter=5000).fit(rows, labels)
    ours = probabilities(probe.logits(rows), several=False)
    assert ours == pytest.approx(theirs.predict_proba(rows), abs=1e-4)


def test_a_probe_of_two_classes_has_a_logit_for_each():
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    rows = (rng.normal(size=(40, 3)) + labels[:, None]).astype(np.float32)
    logits = solve_probe(rows, labels, classes=2, strengths=(10.0,)).logits(rows)
    assert logits.shape == (40, 2)
    assert logits.sum(axis=1) == pytest.approx(np.zeros(40), abs=1e-9)


def test_a_class_without_a_photo_is_never_called():
    rng = np.random.default_rng(0)
    labels = 2 * (np.arange(40) % 2)
    rows = (rng.normal(size=(40, 3)) + labels[:, None]).astype(np.float32)
    logits = solve_probe(rows, labels, classes=4, strengths=(10.0,)).logits(rows)
    assert set(logits.argmax(axis=1)) == {0, 2}


def test_the_strength_is_what_does_best_on_the_validation_part():
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    noise = rng.normal(size=(60, 80)).astype(np.float32)  # nothing to learn: little is best
    held = (noise[:30], labels[:30])
    assert solve_probe(noise[30:], labels[30:], classes=2, validation=held).strength == 1.0


def test_the_probe_does_not_depend_on_the_scale_of_the_rows():
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    rows = (rng.normal(size=(60, 5)) + np.eye(5)[labels]).astype(np.float32)
    one, other = (solve_probe(rows * s, labels, classes=3, strengths=(10.0,)) for s in (1, 100))
    assert one.logits(rows) == pytest.approx(other.logits(100 * rows), abs=1e-3)


# Calibration.


def test_a_temperature_is_found_that_logits_were_multiplied_by():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, size=(4000, 3))
    likely = probabilities(logits, several=False)
    truth = np.array([rng.choice(3, p=p) for p in likely])
    assert fit_temperature(3 * logits, truth) == pytest.approx(3, rel=0.1)


def test_a_temperature_is_found_for_several_labels():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, size=(3000, 3))
    truth = rng.random((3000, 3)) < probabilities(logits, several=True)
    assert fit_temperature(logits / 2, truth) == pytest.approx(0.5, rel=0.1)


def test_where_all_photos_are_right_nothing_becomes_certain():
    truth = np.arange(20) % 2
    logits = np.eye(2)[truth]
    b = 1 / fit_temperature(logits, truth)
    # The minimum of 20 log(1 + exp(-b)) + log(b)² / 2: its derivative by b is 0.
    assert 20 / (1 + np.exp(b)) == pytest.approx(np.log(b) / b, rel=1e-3)
    assert 1 < b < 10


def test_the_loss_is_the_cross_entropy_in_nats():
    assert mean_loss(np.zeros((3, 4)), np.array([0, 1, 2])) == pytest.approx(np.log(4))
    assert mean_loss(np.zeros((3, 4)), np.ones((3, 4), bool)) == pytest.approx(np.log(2))


def test_photos_that_the_network_it_began_with_did_not_know_are_scored_apart():
    known = np.array([True, False, False, True])
    photos = SimpleNamespace(features=SimpleNamespace(trained_network=known))
    right, probe = (SimpleNamespace(right=np.array(one, float)) for one in ([1, 0], [0, 1]))
    rows = np.array([0, 2])
    assert _apart(photos, rows, right, probe) == {
        "trained": 1, "untrained": {"images": 1, "accuracy": 0.0, "probe": 1.0}
    }  # fmt: skip
    assert _apart(photos, rows[:1], right, probe) == {"trained": 1}


# Rates and sentences.


def test_rates_rise_then_fall_to_nothing():
    factors = [rate_factor(step, 100) for step in range(100)]
    assert factors[:10] == pytest.approx(np.arange(1, 11) / 10)
    assert all(a > b for a, b in pairwise(factors[10:]))
    assert 0 < factors[-1] < 0.001


@pytest.mark.parametrize(
    ("difference", "low", "high", "separable", "said"),
    [
        (0.1, 0.05, 0.15, True, "10.0 points better than"),
        (-0.1, -0.15, -0.05, True, "is the better choice: fine-tuning is 10.0 points worse on the"),
        (0.01, -0.05, 0.06, False, "is the better choice: fine-tuning costs more, and does not"),
    ],
)
def test_the_verdict_says_which_is_the_better_choice_and_what_it_costs(
    difference, low, high, separable, said
):
    found = ModelDifference(
        a="fine-tuned", b="probe", score="accuracy", difference=difference, low=low, high=high,
        p=0.01, separable=separable, images=340,
    )  # fmt: skip
    sentence = verdict(found, seconds=600.0, probe_seconds=12.0)
    assert said in sentence
    assert sentence.endswith(
        ". Fine-tuning took 10 min, 12 s of it for the probe, without starting, opening the network "
        "and writing the result."
    )
    assert "p = 0.01)" in sentence
    assert "340 test images" in sentence
    assert verdict(found, seconds=600.0, probe_seconds=12.0, images=340) == sentence
    sentence = verdict(found, seconds=600.0, probe_seconds=12.0, images=344)
    assert "on the same 344 test images, counted as 340 since those that belong" in sentence


@pytest.mark.parametrize(
    ("images", "would"),
    [(3, "no difference could be"), (30, "only a difference of about 20 points, on which all")],
)
def test_few_photos_have_no_interval_that_looks_certain(images, would):
    found = ModelDifference(
        a="fine-tuned", b="probe", score="accuracy", difference=0.0, low=0.0, high=0.0,
        p=1.0, separable=False, images=images,
    )  # fmt: skip
    sentence = verdict(found, seconds=9.0, probe_seconds=3.0, trained=False)
    assert sentence.startswith(UNTRAINED)
    assert f"0.0 points (p = 1); on so few, {would}" in sentence
    assert "interval" not in sentence


# Options.


def test_options_that_were_left_to_penult_are_resolved():
    usual = FinetuneOptions().resolved
    assert (usual["lr"], usual["head_lr"], usual["augment"]) == (3e-4, None, "light")
    alone = FinetuneOptions(unfreeze="none").resolved
    assert (alone["lr"], alone["head_lr"], alone["augment"]) == (1e-3, None, "none")
    hidden = FinetuneOptions(head="mlp:8").resolved
    assert (hidden["lr"], hidden["head_lr"]) == (3e-4, 1e-3)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"unfreeze": "some"}, "give none, last, all"),
        ({"unfreeze": -1}, "give none, last, all"),
        ({"head": "mlp"}, "mlp:K"),
        ({"head": "mlp:0"}, "mlp:K"),
        ({"epochs": 0}, "give 1 or more"),
        ({"lr": 0.0}, "above 0"),
        ({"lr": float("nan")}, "above 0"),
        ({"layer_decay": 1.5}, "up to 1"),
        ({"weight_decay": -1.0}, "0 or more"),
        ({"label_smoothing": 1.0}, "without, 1"),
        ({"augment": "some"}, "light, strong, none"),
        ({"test_size": 1.0}, "between 0 and 1"),
        ({"validation_size": 0.0}, "between 0 and 1"),
        ({"near_duplicates": 0.0}, "cosine"),
        ({"seed": -1}, "seed"),
    ],
)
def test_options_that_cannot_be_are_one_line(given, said):
    with pytest.raises(UsageError, match=said) as error:
        FinetuneOptions(**given)
    assert "\n" not in str(error.value)


def test_photos_are_changed_unless_the_whole_network_is_frozen():
    assert FinetuneOptions().policy == "light"
    assert FinetuneOptions(unfreeze="none").policy is None
    assert FinetuneOptions(unfreeze="none", augment="strong").policy == "strong"
    assert FinetuneOptions(augment="none").policy is None
