from dataclasses import replace

import h5py
import numpy as np
import pytest

from penult.classify.edges import edge_lines, find_edges, rising_edges
from penult.classify.kinds.base import Trial
from penult.classify.settings import GridResult, TrainingSettings
from penult.classify.training.search import choose
from penult.classify.training.train import train
from penult.errors import TrainingError, UnknownNameError, UsageError
from penult.interface import serving_command_line

COUNTS = {"daisy": 24, "rose": 24, "tulip": 24}


def test_classes_that_are_apart_are_learned(make_features):
    classifier = train(make_features(COUNTS))
    assert classifier.scores.accuracy == 1
    assert classifier.label_names == ("daisy", "rose", "tulip")
    assert classifier.scores.images == classifier.settings.held_out_images == 18
    assert classifier.settings.train_images == 54
    assert classifier.held_out.truth == classifier.held_out.predicted
    assert all(name.split("/")[0] == t for name, t in zip(classifier.held_out.ids, classifier.held_out.truth, strict=True))  # fmt: skip


def test_labels_that_say_nothing_are_not_learned(make_features):
    features = make_features(COUNTS, noise=0.5)
    shuffled = np.random.default_rng(1).permutation(features.labels)
    classifier = train(make_features(COUNTS, noise=0.5, labels=shuffled))
    assert classifier.scores.accuracy < 0.7


def test_of_the_default_grid_the_surest_of_equals_is_chosen(make_features):
    settings = train(make_features(COUNTS)).settings
    assert [result.params["C"] for result in settings.grid] == [0.1, 1, 10, 100, 1000, 10000]
    assert {result.mean for result in settings.grid} == {1}
    losses = [result.log_loss for result in settings.grid]
    assert losses == sorted(losses, reverse=True)  # no C is right less often, but it is less sure
    assert settings.params == {"C": 10000}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": "3"}, "folds is '3'; give a whole number"),
        ({"seed": 1.5}, "seed is 1.5; give a whole number"),
        ({"max_memory": "1GB"}, "max_memory is '1GB'; give a whole number"),
        ({"grid": {"C": 1}}, "the grid has 1 for C; give a list of values"),
        ({"grid": {"C": "10"}}, "the grid has '10' for C; give a list of values"),
        ({"grid": 5}, "the grid is 5; give a dict"),
    ],
)
def test_options_of_another_type_are_refused(make_features, options, message):
    with pytest.raises(UsageError, match=message):
        train(make_features(COUNTS), **options)


@pytest.mark.parametrize(
    ("means", "losses", "chosen"),
    [
        # Of 100 images a standard error at 90% is three.
        pytest.param([0.90, 0.88, 0.80], [0.5, 0.4, 0.1], 1, id="two images less, and surer"),
        pytest.param([0.90, 0.86, 0.90], [0.5, 0.1, 0.4], 2, id="four images less"),
        pytest.param([0.99, 1.00, 0.97], [0.1, 0.2, 0.0], 0, id="one less, and all are right"),
        pytest.param([0.90, 0.90], [0.3, 0.3], 0, id="no difference"),
        pytest.param([0.88, 0.90, 0.90], [None] * 3, 1, id="without a log-loss, the first best"),
    ],
)
def test_of_those_as_accurate_as_the_best_the_least_log_loss_decides(means, losses, chosen):
    trials = [Trial("x", {}, (m,), loss) for m, loss in zip(means, losses, strict=True)]
    assert choose(trials, 100) is trials[chosen]


def test_probabilities_of_another_kind_of_classifier_have_no_part_in_the_choice():
    trials = [Trial("svm", {}, (0.9,)), Trial("logistic", {}, (0.89,), 0.1)]
    assert choose(trials, 100) is trials[0]


@pytest.mark.parametrize("_small_forests", [30], indirect=True)  # fewer are less sure
@pytest.mark.parametrize("kind", ["logistic", "svm", "ridge", "forest", "centroid"])
def test_classes_of_a_few_images_that_are_apart_are_told_apart_with_confidence(make_features, kind):
    counts = {"daisy": 12, "rose": 12, "tulip": 12}
    grid = {"max_features": ["sqrt"]} if kind == "forest" else None
    classifier = train(make_features(counts, width=40), classifier=kind, grid=grid)
    assert classifier.scores.accuracy == 1
    assert np.median(classifier.held_out.probability) > 0.9
    assert classifier.scores.calibration_error < 0.15
    # And yet no image of 27 is proof of more than 27 in 28.
    assert np.median(classifier.held_out.probability) < 0.9999


def test_a_grid_can_be_given(make_features):
    settings = train(make_features(COUNTS), grid={"C": [3]}).settings
    assert [result.params for result in settings.grid] == [{"C": 3}]


@pytest.mark.parametrize(
    ("tried", "chosen", "edges"),
    [
        pytest.param([0.1, 1, 10], 10, {"C": "largest"}, id="the last"),
        pytest.param([0.1, 1, 10], 0.1, {"C": "smallest"}, id="the first"),
        pytest.param([0.1, 1, 10], 1, {}, id="in the middle"),
        pytest.param([10], 10, {}, id="no choice"),
    ],
)
def test_a_choice_at_the_edge_of_the_grid_is_told(tried, chosen, edges):
    assert find_edges({"svm": [{"C": value} for value in tried]}, "svm", {"C": chosen}) == edges


@pytest.mark.parametrize(
    ("means", "losses", "told"),
    [
        pytest.param([0.90, 0.96], [0.3, 0.3], True, id="it rises by more than chance"),
        pytest.param([0.955, 0.96], [0.3, 0.3], False, id="it hardly rises"),
        pytest.param([0.96, 0.96], [0.3, 0.25], False, id="nothing rises much"),
        pytest.param([0.96, 0.96], [0.3, 0.19], True, id="the log-loss falls clearly"),
        pytest.param([0.96, 0.96], [None, None], False, id="there is no log-loss"),
        pytest.param([0.96], [0.3], True, id="nothing to compare with"),
    ],
)
@pytest.mark.parametrize("largest", [10_000, 1000])
def test_an_edge_is_worth_a_line_where_a_wider_grid_may_gain(means, losses, told, largest):
    """Of 1,000 images, the standard error of 96% is 0.6%; the default grid ends at 10,000."""
    grid = tuple(
        GridResult("logistic", {"C": largest / 10**k}, mean, 0, log_loss)
        for k, (mean, log_loss) in enumerate(zip(means[::-1], losses[::-1], strict=True))
    )[::-1]
    settings = TrainingSettings(
        classifier="logistic",
        params=grid[-1].params,
        scale="l2",
        seed=0,
        folds=3,
        grid=grid,
        edges={"C": "largest"},
        train_images=1000,
        left_out={},
        classes={},
    )
    assert rising_edges(settings) == ({"C": "largest"} if told or largest == 1000 else {})


def test_an_edge_says_what_to_type(make_features):
    found = train(make_features(COUNTS), grid={"C": [0.01, 1]}).settings
    assert found.params == {"C": 1}
    told = "C is the largest of those tried; {} goes further"
    wider = "grid={'C': [1, 10, 100, 1000, 10000]}"
    assert edge_lines(found) == [told.format(wider)]
    with serving_command_line():
        assert edge_lines(found) == [told.format("--grid C=1,10,100,1000,10000")]
    smallest = train(make_features(COUNTS), classifier="svm", grid={"C": [0.1, 1]}).settings
    smallest = replace(smallest, params={"C": 0.1}, edges={"C": "smallest"})
    assert edge_lines(smallest) == [
        "C is the smallest of those tried; grid={'C': [0.01, 0.1]} goes further"
    ]


def test_the_classifier_says_whether_its_choice_is_at_the_edge(make_features):
    settings = train(make_features(COUNTS), grid={"C": [100, 1000]}).settings
    assert settings.edges == {"C": "largest"}  # both are right throughout, and this one is surer
    assert train(make_features(COUNTS), classifier="knn").settings.edges == {}


def test_training_twice_gives_the_same(make_features):
    rows = make_features(COUNTS, noise=1.5)
    first, second = train(rows), train(rows)
    assert first.held_out == second.held_out
    assert first.scores == second.scores


@pytest.mark.parametrize("scale", ["none", "l2", "standard"])
def test_every_scaling_learns(make_features, scale):
    assert train(make_features(COUNTS), scale=scale).scores.accuracy == 1


def test_the_scaler_never_sees_the_held_out_rows(make_features):
    # The held-out rows are moved far away: a scaler that saw them would have a mean of thousands.
    splits = (["train"] * 16 + ["test"] * 8) * 3
    features = make_features(COUNTS, splits=splits)
    features.features[np.array(splits) == "test"] += 1e4
    scaler = train(features, scale="standard").pipeline[0]
    trained = features.features[np.array(splits) == "train"]
    np.testing.assert_allclose(scaler.mean_, trained.mean(axis=0), rtol=1e-5)


def test_refit_uses_every_row_and_keeps_the_scores(make_features):
    features = make_features(COUNTS, noise=1.5)
    plain, again = train(features, scale="standard"), train(features, scale="standard", refit=True)
    assert again.scores == plain.scores
    assert again.held_out == plain.held_out
    np.testing.assert_allclose(again.pipeline[0].mean_, features.features.mean(axis=0), rtol=1e-5)
    assert not np.allclose(plain.pipeline[0].mean_, again.pipeline[0].mean_)


def test_small_classes_leave_no_trace_but_a_count(make_features):
    classifier = train(make_features({"ash": 2, **COUNTS}), min_per_class=5)
    assert classifier.label_names == ("daisy", "rose", "tulip")
    assert classifier.settings.left_out == {"class ash has fewer than 5 images": 2}
    assert classifier.scores.accuracy == 1


def test_a_class_in_the_test_split_only_counts_as_wrong(make_features):
    splits = (["train"] * 16 + ["test"] * 8) * 3 + ["test"] * 4
    classifier = train(make_features({**COUNTS, "weed": 4}, splits=splits))
    assert classifier.scores.accuracy == 24 / 28
    assert classifier.scores.classes[3].recall == 0
    assert classifier.predict_features(np.ones((2, 6)))[:, 3].tolist() == [0, 0]


def test_a_file_on_disk_trains_as_the_array_does(make_features, tmp_path):
    features = make_features(COUNTS, noise=1)
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        stored = file.create_dataset("features", data=features.features.reshape(72, 6, 1, 1))
        on_disk = train(make_features(COUNTS, features=stored))
    assert on_disk.held_out == train(features).held_out


def test_progress_counts_every_fit(make_features):
    seen = []
    train(make_features(COUNTS), grid={"C": [1, 2]}, folds=4, progress=seen.append)
    assert [p.done for p in seen] == list(range(10))
    assert {p.total for p in seen} == {9}


def test_candidates_that_cannot_be_tried_do_not_leave_the_progress_short(make_features):
    seen = []
    train(make_features({"a": 9, "b": 9}), classifier="knn", progress=seen.append)
    assert seen[-1].done == seen[-1].total


def test_rows_that_fit_into_memory_are_read_once(make_features):
    features = make_features(COUNTS)
    rows, taken = features.features, []

    class OnDisk:
        shape, dtype, ndim = rows.shape, rows.dtype, rows.ndim

        def __len__(self):
            return len(rows)

        def __getitem__(self, part):
            taken.append(len(rows[part]))
            return rows[part]

    found = train(replace(features, features=OnDisk()), refit=True).likeness
    assert sum(taken) == len(rows)
    assert found == train(features, refit=True).likeness


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_row_that_is_no_number_is_named(make_features, value):
    features = make_features(COUNTS)
    features.features[3, 2] = value
    with pytest.raises(TrainingError, match=r"1 row with NaN .*: daisy/003\.jpg;"):
        train(features)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"classifier": "logistics"}, UnknownNameError),
        ({"scale": "robust"}, UnknownNameError),
        ({"grid": {"gamma": [1]}}, UnknownNameError),
        ({"grid": {"C": []}}, UsageError),
        ({"grid": {"C": [-1]}}, UsageError),
        ({"grid": {"C": ["many"]}}, UsageError),
        ({"classifier": "knn", "grid": {"n_neighbors": [2.5]}}, UsageError),
        ({"classifier": []}, UsageError),
        ({"runs": 0}, UsageError),
        ({"max_memory": 0}, UsageError),
    ],
)
def test_names_that_do_not_exist_are_refused(make_features, options, error):
    with pytest.raises(error):
        train(make_features(COUNTS), **options)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"min_per_class": -1}, "min_per_class is -1; give 0 or more"),
        ({"class_weight": "equal"}, "class_weight is 'equal'; give class_weight='balanced', or"),
    ],
)
def test_options_that_cannot_be_are_named_in_one_line(make_features, options, told):
    with pytest.raises(UsageError, match=told):
        train(make_features(COUNTS), **options)


def test_that_many_rows_are_fitted_is_announced(make_features, monkeypatch):
    from penult.classify.training import train as training

    monkeypatch.setattr(training, "_MANY_ROWS", 20)
    told = []
    train(make_features(COUNTS), classifier="centroid", progress=told.append)
    assert "fitting 54 rows" in {now.stage for now in told}


@pytest.mark.parametrize(
    ("trained", "held_out", "accuracy", "told"),
    [
        (0, 20, None, None),
        (20, 20, None, "all of 20 held-out images trained the network itself"),
        (5, 20, 0.8, "; accuracy on the other 15: 80.0%"),
    ],
)
def test_held_out_images_that_trained_the_network_are_told_with_the_score_of_the_others(
    make_features, trained, held_out, accuracy, told
):
    settings = train(make_features(COUNTS), classifier="centroid").settings
    line = replace(
        settings, trained_network=trained, held_out_images=held_out, untrained_accuracy=accuracy
    ).network_line
    assert line is None if told is None else told in line


def test_rows_that_were_reduced_say_what_that_keeps_where_it_is_known(make_features):
    settings = train(make_features(COUNTS), classifier="centroid", reduce=1).settings
    assert settings.reduction_in_words.startswith("1 principal component, which has ")
    unknown = replace(settings, explained_variance_ratio=None)
    assert unknown.reduction_in_words == "1 principal component"
