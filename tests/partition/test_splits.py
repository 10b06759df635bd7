from dataclasses import replace

import numpy as np
import pytest

from penult.errors import TrainingError, UsageError
from penult.partition.row_groups import find_groups
from penult.partition.splits import cross_validation, hold_out


def test_a_quarter_of_each_class_is_held_out(make_features):
    features = make_features({"daisy": 40, "rose": 20, "tulip": 12})
    split = hold_out(features)
    assert np.bincount(features.labels[split.held_out]).tolist() == [10, 5, 3]
    assert sorted([*split.train, *split.held_out]) == list(range(72))
    assert split.description == "25% held out, stratified, seed 0"


def test_the_seed_decides_and_nothing_else_does(make_features):
    features = make_features({"daisy": 40, "rose": 40})
    first, again, other = (hold_out(features, seed=s).held_out for s in (0, 0, 1))
    assert first.tolist() == again.tolist() != other.tolist()


def test_unlabelled_rows_are_left_out_and_counted(make_features):
    features = make_features({"daisy": 12, "rose": 12})
    features.labels[[0, 5, 20]] = -1
    split = hold_out(features)
    assert not {0, 5, 20} & {*split.train, *split.held_out}
    assert split.left_out == {"unlabelled": 3}


@pytest.mark.parametrize(
    ("splits", "held_out", "train", "left_out"),
    [
        pytest.param("ttTTv", [2, 3], [0, 1, 4], {}, id="validation joins the training part"),
        pytest.param("ttvv.", [2, 3], [0, 1], {"in no split": 1}, id="validation without a test"),
        pytest.param("TT...", [0, 1], [2, 3, 4], {}, id="what is not test trains"),
    ],
)
def test_splits_of_the_file_are_used(make_features, splits, held_out, train, left_out):
    # Six rows a class in the pattern's order, so that every class is in every part.
    words = {"t": "train", "T": "test", "v": "validation", ".": ""}
    named = [words[c] for c in splits for _ in range(6)]
    features = make_features({"daisy": 30, "rose": 30}, splits=named * 2)
    split = hold_out(features)

    def pattern(rows):
        return sorted({int(r) % 30 // 6 for r in rows})

    assert pattern(split.held_out) == held_out
    assert pattern(split.train) == train
    assert {k: n // 12 for k, n in split.left_out.items()} == left_out


def test_splits_of_the_file_can_be_ignored(make_features):
    features = make_features({"daisy": 8, "rose": 8}, splits=["train"] * 15 + ["test"])
    assert len(hold_out(features).held_out) == 1
    assert len(hold_out(features, stored=False).held_out) == 4


def test_a_group_is_in_one_part_and_in_one_fold(make_features):
    counts = {"daisy": 60, "rose": 60}
    groups = [f"plant {i // 3}" for i in range(120)]
    features = make_features(counts, groups=groups)
    split = hold_out(features)
    named = np.array(groups)
    assert not {*named[split.train]} & {*named[split.held_out]}
    assert len(split.held_out) == 30
    mine = named[split.train]
    seen = []
    for train, test in cross_validation(features.labels[split.train], mine):
        assert not {*mine[train]} & {*mine[test]}
        seen += test.tolist()
    assert sorted(seen) == list(range(90))


def test_small_classes_are_dropped_on_request(make_features):
    features = make_features({"daisy": 12, "rose": 12, "weed": 2})
    split = hold_out(features, min_per_class=5)
    assert split.dropped == (2,)
    assert split.left_out == {"class weed has fewer than 5 images": 2}
    assert 2 not in features.labels[[*split.train, *split.held_out]]


@pytest.mark.parametrize(
    ("counts", "options", "said"),
    [
        pytest.param({"daisy": 9}, {}, r"one class only \(daisy\)", id="one class"),
        pytest.param(
            {"daisy": 20, "rose": 20, "weed": 3},
            {},
            r"1 class: weed \(2\); 3-fold .* min_per_class",
            id="fewer than folds",
        ),
        pytest.param({"daisy": 20, "weed": 1}, {}, "the smallest of 1", id="one image"),
        pytest.param({"a": 2, "b": 2, "c": 2}, {}, "6 images of 3 classes", id="too few to divide"),
    ],
)
def test_too_few_images_is_one_line_that_says_what_to_do(make_features, counts, options, said):
    with pytest.raises(TrainingError, match=said):
        hold_out(make_features(counts), **options)


def test_no_label_at_all_is_refused(make_features):
    features = make_features({"daisy": 3, "rose": 3})
    features.labels[:] = -1
    with pytest.raises(TrainingError, match="none of the 6 rows has a label"):
        hold_out(features)


def test_a_file_of_test_rows_only_is_refused(make_features):
    with pytest.raises(TrainingError, match="every labelled row is in the split 'test'"):
        hold_out(make_features({"daisy": 9, "rose": 9}, splits=["test"] * 18))


def test_groups_torn_by_the_files_splits_are_refused(make_features):
    splits, groups = ["train", "train", "train", "test"] * 6, ["a"] * 12 + ["b"] * 12
    with pytest.raises(TrainingError, match=r"2 groups .* \(a, b\)"):
        hold_out(make_features({"daisy": 12, "rose": 12}, splits=splits, groups=groups))


def test_identical_images_are_in_one_part_and_in_one_fold(make_features):
    content = [f"{i // 2 if i < 40 else i}" for i in range(120)]  # 20 of the images twice
    features = make_features({"daisy": 60, "rose": 60}, content=content)
    split = hold_out(features)
    assert split.copies == 20
    named = np.array(content)
    assert not {*named[split.train]} & {*named[split.held_out]}
    assert sorted([*split.train, *split.held_out]) == list(range(120))
    labels, groups = features.labels[split.train], find_groups(features)[split.train]
    for train, test in cross_validation(labels, groups):
        assert not {*groups[train]} & {*groups[test]}
        assert len(train) + len(test) == len(labels)


def test_few_copies_leave_the_parts_as_large_as_they_were(make_features):
    content = ["same", "same", *map(str, range(118))]
    split = hold_out(make_features({"daisy": 60, "rose": 60}, content=content))
    assert len(split.held_out) in (30, 31)
    assert split.copies == 1


def test_copies_of_held_out_images_leave_the_files_own_training_split(make_features):
    splits = (["train"] * 9 + ["test"] * 3) * 2
    content = [*map(str, range(24))]
    content[0] = content[11] = "the same photo"
    split = hold_out(make_features({"daisy": 12, "rose": 12}, splits=splits, content=content))
    assert 0 not in split.train
    assert 11 in split.held_out
    assert split.left_out == {"copies of held-out images, in the training split": 1}


def test_groups_and_identical_images_are_joined_by_chains(make_features):
    # Rows 0 and 1 are one plant, 1 and 2 one photo, 2 and 3 another plant; 4 and 5 stand alone.
    features = make_features(
        {"daisy": 6}, groups=["a", "a", "b", "b", "c", "d"], content=["1", "2", "2", "3", "4", "5"]
    )
    groups = find_groups(features)
    assert len({*groups[:4]}) == 1
    assert len({*groups}) == 3


def test_a_digest_that_is_missing_joins_nothing(make_features):
    assert find_groups(make_features({"daisy": 4}, content=[""] * 4)) is None


@pytest.mark.parametrize("options", [{"test_size": 1.5}, {"test_size": 0}, {"folds": 1}])
def test_impossible_options_are_refused(make_features, options):
    with pytest.raises(UsageError):
        hold_out(make_features({"daisy": 9, "rose": 9}), **options)


@pytest.mark.parametrize("test_size", [0.001, 0.02, 0.03, 0.25, 1 / 3, 0.9])
def test_groups_meet_any_test_size_to_the_row_and_class_by_class(make_features, test_size):
    # 1,000 groups of three rows, 200 a class.
    counts = dict.fromkeys("abcde", 600)
    features = make_features(counts, groups=[f"{i // 3}" for i in range(3000)])
    split = hold_out(features, test_size=test_size)
    assert abs(len(split.held_out) - 3000 * test_size) <= 1.5
    each = np.bincount(features.labels[split.held_out], minlength=5)
    assert np.abs(each - 600 * test_size).max() <= 3
    named = np.array(features.groups)
    assert not {*named[split.train]} & {*named[split.held_out]}


def test_what_groups_made_of_the_test_size_is_what_is_told(make_features):
    # Of ten groups of six one is the least that can be held out, and five a class leave three.
    features = make_features({"a": 30, "b": 30}, groups=[f"{i // 6}" for i in range(60)])
    said = hold_out(features, test_size=0.02).description
    assert said == "10% held out instead of 2%, stratified, groups kept together, seed 0"
    with pytest.raises(TrainingError, match=r"90% .* with 3 of each .* test_size=0\.4$"):
        hold_out(features, test_size=0.9)
    assert len(hold_out(features, test_size=0.4).held_out) == 24


def test_groups_of_unequal_sizes_are_put_together_to_the_test_size(make_features):
    sizes = [50, 3, 4, 7, 20, 11, 30, 9, 5, 13]
    groups = np.repeat(np.arange(10), sizes).astype(str)
    labels = np.repeat(np.arange(10) % 2, sizes)
    features = make_features({"a": 100, "b": 52}, groups=groups, labels=labels)
    assert len(hold_out(features).held_out) == 38  # a quarter of 152
    assert abs(len(hold_out(features, test_size=0.3).held_out) - 0.3 * 152) < 2


def test_a_burst_of_identical_images_leaves_the_test_size_as_it_was(make_features):
    content = ["burst"] * 90 + [str(i) for i in range(910)]
    features = make_features({"a": 500, "b": 500}, content=content)
    for seed in range(4):
        assert len(hold_out(features, seed=seed).held_out) == pytest.approx(250, abs=10)


@pytest.mark.parametrize(("asked", "closest"), [(0.01, "0.05"), (0.99, "0.85")])
def test_a_test_size_that_classes_forbid_is_refused_with_the_closest(make_features, asked, closest):
    # Twenty images a class: one of each is the least, and three of each are left to train with.
    features = make_features({"a": 20, "b": 20})
    with pytest.raises(TrainingError, match=rf"test_size={closest}"):
        hold_out(features, test_size=asked)
    hold_out(features, test_size=float(closest))


def test_rows_of_several_labels_meet_a_test_size_that_leaves_them_enough(make_features):
    targets = np.random.default_rng(0).random((300, 6)) < 0.3
    targets[~targets.any(axis=1), 0] = True
    features = make_features(dict.fromkeys("abcdef", 50), targets=targets)
    for test_size in (0.001, 0.02, 0.98):
        split = hold_out(features, test_size=test_size)
        assert abs(len(split.held_out) - 300 * test_size) <= 1
        assert targets[split.train].sum(axis=0).min() >= 3


# Images that trained the network.


def those(features, *, but):
    """All images but the last few of each class."""
    place = np.concatenate([np.arange(n)[::-1] for n in np.bincount(features.labels)])
    return place >= but


def test_images_that_trained_the_network_are_not_held_out_where_others_are_enough(make_features):
    features = make_features({"daisy": 40, "rose": 40})
    known = those(features, but=30)
    split = hold_out(replace(features, trained_network=known))
    assert not known[split.held_out].any()
    assert np.bincount(features.labels[split.held_out]).tolist() == [10, 10]
    assert (split.drawn, split.trained_network) == (True, 0)
    assert split.description == (
        "25% held out, stratified, all of them images that did not train the network, seed 0"
    )


def test_all_others_are_held_out_where_they_are_fewer_and_chance_has_no_part(make_features):
    features = make_features({"daisy": 40, "rose": 40})
    known = those(features, but=6)
    first, other = (hold_out(replace(features, trained_network=known), seed=s) for s in (0, 1))
    assert first.held_out.tolist() == other.held_out.tolist() == np.flatnonzero(~known).tolist()
    assert first.drawn is False
    assert first.description.startswith("15% held out instead of 25%, stratified, all of them")


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(lambda f: those(f, but=2), id="the others are too few"),
        pytest.param(lambda f: f.labels == 0, id="a class has no others"),
        pytest.param(lambda f: those(f, but=100), id="all are new"),
    ],
)
def test_otherwise_the_part_is_what_it_would_be_without(make_features, known):
    features = make_features({"daisy": 40, "rose": 40})
    usual, split = (
        hold_out(one) for one in (features, replace(features, trained_network=known(features)))
    )
    assert split.held_out.tolist() == usual.held_out.tolist()
    assert split.description == usual.description
    assert usual.trained_network is None
    assert split.trained_network == known(features)[split.held_out].sum()


def test_an_image_of_a_group_that_trained_the_network_is_not_new(make_features):
    # Pairs: the first of each of daisy's first ten pairs trained the network.
    features = make_features({"daisy": 40, "rose": 40})
    known = np.zeros(80, bool)
    known[0:20:2] = known[40:60:2] = True
    groups = [f"pair {k // 2}" for k in range(80)]
    split = hold_out(replace(features, trained_network=known, groups=groups))
    assert not {k // 2 for k in split.held_out} & {k // 2 for k in np.flatnonzero(known)}
    assert np.bincount(features.labels[split.held_out]).tolist() == [10, 10]


def test_each_class_keeps_rows_to_train_with_where_only_new_images_are_held_out(make_features):
    # All new daisies held out would leave two, which are too few for three folds.
    features = make_features({"daisy": 8, "rose": 40})
    known = np.array([True] * 2 + [False] * 6 + [True] * 36 + [False] * 4)
    split = hold_out(replace(features, trained_network=known))
    assert np.bincount(features.labels[split.train])[0] >= 3


def test_labels_of_which_an_image_has_several_are_all_among_the_new(make_features):
    targets = np.tile(np.eye(2, dtype=bool), (40, 1))
    targets[::4] = True
    features = make_features({"daisy": 40, "rose": 40}, targets=targets)
    known = np.arange(80) < 60
    split = hold_out(replace(features, trained_network=known))
    assert split.held_out.tolist() == list(range(60, 80))
