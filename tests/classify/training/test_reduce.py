"""Rows reduced to principal components, which are those of the rows that each fit learns from."""

import io
import json
import subprocess
import sys
import textwrap
import zipfile

import numpy as np
import pytest
from archives import unsealed
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

import penult
from penult.classify.diagnosis.label_errors import find_label_issues
from penult.classify.diagnosis.learning_curve import learning_curve
from penult.classify.export.graph import probe_graph
from penult.classify.kinds.base import TrainingData
from penult.classify.kinds.registry import all_kinds, find_kind, kind_names
from penult.classify.linear.passes import StoredRows
from penult.classify.linear.streamed import StreamedProblem
from penult.classify.linear_rule import LinearRule
from penult.classify.loading import load_classifier
from penult.classify.preparation import most_axes
from penult.classify.training.out_of_core import search_streamed
from penult.classify.training.search import search
from penult.classify.training.train import train
from penult.classify.unbuilt import Unbuilt
from penult.engines.onnx_export import run_graph
from penult.errors import ClassifierFileError, TrainingError, UsageError
from penult.partition.splits import cross_validation

COUNTS = {"daisy": 40, "rose": 40, "tulip": 40}
TWO = {"daisy": 42, "rose": 42}  # as many in each of three folds
QUICK = {"C": [1.0], "alpha": [1.0], "n_neighbors": [3], "max_features": ["sqrt"]}
FEW_TREES = {"n_estimators": [30]}  # a tenth of what a forest has
SCALES = {"l2": [Normalizer()], "none": [], "standard": [StandardScaler()]}


def quick(kind):
    few = FEW_TREES if kind == "forest" else {}
    return {k: v for k, v in QUICK.items() if k in find_kind(kind).grid} | few or None


def decaying(make_features, counts=COUNTS, *, width=12, seed=0, **fields):
    """Overlapping rows that are neither centred nor alike in all directions."""
    features = make_features(counts, width=width, noise=1.5, seed=seed, **fields)
    features.features[:] = features.features / np.arange(1, width + 1) + 2
    return features


def some_rows(make_features, **options):
    rows = decaying(make_features, seed=5, **options).features
    return np.concatenate([rows, 3 * rows[:5], np.zeros((1, rows.shape[1]), np.float32)])


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(
    ("counts", "width"), [(COUNTS, 12), (COUNTS, 300), (TWO, 300)], ids=["tall", "wide", "two"]
)
def test_grid_search_finds_what_scikit_learns_does(make_features, scale, counts, width):
    features = decaying(make_features, counts, width=width)
    rows, labels = features.features, features.labels
    strengths, folds = [0.1, 1.0, 10.0], cross_validation(labels, None)
    data = TrainingData(rows=rows, labels=labels, folds=folds, scale=scale, reduce=4)
    found = search(data, {"logistic": [{"C": c} for c in strengths]})
    theirs = GridSearchCV(
        make_pipeline(*SCALES[scale], PCA(4), LogisticRegression(tol=1e-8, max_iter=100_000)),
        {"logisticregression__C": strengths},
        cv=StratifiedKFold(3, shuffle=True, random_state=0),
        scoring=["accuracy", "neg_log_loss"],
        refit="accuracy",
    ).fit(rows.astype(np.float64), labels)
    mine = [trial.mean for trial in found.trials]
    np.testing.assert_allclose(mine, theirs.cv_results_["mean_test_accuracy"], atol=1e-12)
    losses = [trial.log_loss for trial in found.trials]
    np.testing.assert_allclose(losses, -theirs.cv_results_["mean_test_neg_log_loss"], rtol=1e-3)
    again = theirs.best_estimator_.set_params(logisticregression__C=found.best.params["C"])
    again.fit(rows.astype(np.float64), labels)
    np.testing.assert_allclose(
        found.pipeline.predict_proba(rows), again.predict_proba(rows), atol=2e-3
    )
    np.testing.assert_allclose(
        found.pipeline["reduce"].explained_variance_ratio_,
        again[-2].explained_variance_ratio_,
        rtol=1e-3,
    )


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("kind", [kind.name for kind in all_kinds() if kind.streams])
@pytest.mark.parametrize("counts", [COUNTS, TWO], ids=["three", "two"])
def test_rows_on_disk_give_the_classifier_that_rows_in_memory_give(
    make_features, kind, scale, counts
):
    features = decaying(make_features, counts)
    options = {"classifier": kind, "scale": scale, "grid": quick(kind), "reduce": 4}
    held, streamed = (train(features, **options, max_memory=m) for m in (None, 12_000))
    rows = some_rows(make_features)
    np.testing.assert_allclose(
        streamed.predict_features(rows), held.predict_features(rows), atol=0.01
    )
    assert streamed.settings.explained_variance_ratio == pytest.approx(
        held.settings.explained_variance_ratio, abs=1e-4
    )
    for mine, theirs in zip(streamed.settings.grid, held.settings.grid, strict=True):
        assert mine.mean == pytest.approx(theirs.mean, abs=0.01)


@pytest.mark.parametrize("counts", [COUNTS, TWO], ids=["three", "two"])
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("kind", kind_names())
def test_every_kind_comes_back_from_its_file_and_is_exported(
    make_features, tmp_path, kind, scale, counts
):
    features = decaying(make_features, counts)
    found = train(features, classifier=kind, scale=scale, grid=quick(kind), reduce=4)
    assert found.pipeline["reduce"].components_.shape == (4, 12)
    rows = some_rows(make_features)
    said = found.predict_features(rows)
    np.testing.assert_allclose(said, found.pipeline.predict_proba(rows), atol=1e-5)
    found.save(tmp_path / "a.skops")
    loaded = load_classifier(tmp_path / "a.skops")
    np.testing.assert_array_equal(loaded.predict_features(rows), said)
    assert isinstance(vars(loaded)["pipeline"], Unbuilt) == (kind not in {"knn", "forest"})
    np.testing.assert_array_equal(loaded.similarity(rows), found.similarity(rows))
    assert loaded.likeness.rows.shape[1] == 12
    graph = probe_graph(found).model.SerializeToString()
    np.testing.assert_allclose(run_graph(graph, rows)[0], said, atol=1e-4)


@pytest.mark.parametrize("kind", [kind.name for kind in all_kinds() if kind.multilabel])
def test_so_do_classifiers_of_several_labels(make_features, tmp_path, kind):
    targets = np.random.default_rng(0).random((120, 3)) < 0.5
    features = decaying(make_features, targets=targets)
    found = train(features, classifier=kind, grid=quick(kind), reduce=4)
    rows = some_rows(make_features)
    said = found.predict_features(rows)
    found.save(tmp_path / "a.skops")
    np.testing.assert_array_equal(
        load_classifier(tmp_path / "a.skops").predict_features(rows), said
    )
    graph = probe_graph(found).model.SerializeToString()
    np.testing.assert_allclose(run_graph(graph, rows)[0], said, atol=1e-4)


def test_what_is_reduced_predicts_without_scikit_learn(make_features, tmp_path):
    train(decaying(make_features), reduce=4).save(tmp_path / "a.skops")
    program = """
        import sys, numpy as np
        from penult.classify.loading import load_classifier
        load_classifier(sys.argv[1]).predict_features(np.ones((2, 12)))
        sys.exit("sklearn" in sys.modules)
    """
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(program), tmp_path / "a.skops"], check=False).returncode == 0  # fmt: skip


def test_a_linear_rule_of_whitened_rows_is_left_to_scikit_learn(make_features):
    features = decaying(make_features)
    pipeline = make_pipeline(PCA(3, whiten=True), LogisticRegression())
    assert LinearRule.of(pipeline.fit(features.features, features.labels)) is None


@pytest.mark.parametrize(
    ("kind", "stored"),
    [(kind.name, stored) for kind in all_kinds() for stored in (False, True)[: 1 + kind.streams]],
)
def test_what_a_fold_leaves_out_has_no_part_in_its_components(make_features, kind, stored):
    # Columns 0 and 1 tell the classes apart. Rows of the second half are far apart in column 5,
    # whose direction a PCA that has seen them finds first.
    features = make_features({"daisy": 60, "rose": 60}, noise=0.3)
    half = np.r_[30:60, 90:120]
    features.features[:, 5] = 0
    features.features[half, 5] = 1e3 * np.random.default_rng(0).normal(size=60)
    first = np.setdiff1d(np.arange(120), half)
    folds = [(first, half), (half, first)]
    params = {k: v[0] for k, v in (quick(kind) or {}).items()}
    if stored:
        rows = StoredRows(features, np.arange(120), False, 1 << 20)
        problem = StreamedProblem.prepare(
            rows, features.labels, folds, scale="none", seed=0, reduce=1
        )
        found = search_streamed(problem, {kind: [params]})
    else:
        data = TrainingData(
            rows=features.features, labels=features.labels, folds=folds, scale="none", reduce=1
        )
        found = search(data, {kind: [params]})
    clean, spoiled = found.trials[0].accuracies
    assert clean == 1
    assert spoiled < 0.8


@pytest.mark.parametrize(("rows", "width", "most"), [(5, 9, 4), (9, 5, 5), (2, 9, 1), (1, 9, 1)])
def test_rows_have_no_more_components_than_differences_or_numbers(rows, width, most):
    assert most_axes(rows, width) == most


def test_more_components_than_the_smallest_part_allows_are_refused(make_features):
    # Of 90 training rows, two thirds are in the training part of each of three folds.
    features = decaying(make_features, width=100)
    with pytest.raises(UsageError) as told:
        penult.train(features, reduce=60)
    assert str(told.value) == (
        "rows cannot be reduced to 60 numbers: the smallest training part of the 3 folds has 60 "
        "rows of 100 numbers, which allow 59; give reduce=59 or less"
    )
    assert train(features, reduce=59).settings.reduce == 59
    with pytest.raises(UsageError, match="60 rows of 12 numbers, which allow 12"):
        train(decaying(make_features), reduce=13)


@pytest.mark.parametrize(
    ("reduce", "message"),
    [
        (0, "rows cannot be reduced to 0 numbers; give 1 or more"),
        (True, "reduce is True; give a w"),
    ],
)
def test_what_is_no_number_of_components_is_refused(make_features, reduce, message):
    with pytest.raises(UsageError, match=message):
        train(decaying(make_features), reduce=reduce)


def test_products_that_do_not_fit_are_refused(make_features):
    with pytest.raises(
        TrainingError, match=r"to reduce rows of 12 numbers takes .*; leave out redu"
    ):
        train(decaying(make_features), reduce=4, max_memory=5000)


def test_rows_that_are_all_the_same_are_learned_from_too(make_features):
    features = make_features(COUNTS, features=np.ones((120, 6), np.float32))
    found = train(features, reduce=2, scale="none", grid={"C": [1]})
    assert found.settings.explained_variance_ratio == 0
    json.dumps(found.settings.to_dict(), allow_nan=False)


def test_the_settings_say_what_is_kept(make_features, tmp_path):
    features = decaying(make_features)
    penult.train(features, tmp_path / "a.skops", scale="none", reduce=4, refit=True)
    settings = load_classifier(tmp_path / "a.skops").settings
    expected = PCA(4).fit(features.features).explained_variance_ratio_.sum()
    assert settings.explained_variance_ratio == pytest.approx(expected, abs=1e-5)
    assert settings.reduction_in_words == (
        f"4 principal components, which have {100 * expected:.1f}% of the variance"
    )
    assert "reduced to 4" in repr(settings)
    assert "reduced to 4" in repr(load_classifier(tmp_path / "a.skops"))


def test_parts_that_are_too_small_for_it_keep_what_they_allow(make_features):
    features = decaying(make_features, width=100)
    found = train(features, reduce=59, grid={"C": [1]})
    points = learning_curve(found, features, sizes=[1, 5], draws=1)
    assert [point.images for point in points] == [3, 15]
    find_label_issues(train(features, reduce=59, classifier="ridge", grid={"alpha": [1]}), features)


def test_a_forest_behind_forged_components_is_refused(make_features, tmp_path):
    # Fewer components than the trees look at would have them read beyond the row.
    path = tmp_path / "forest.skops"
    train(decaying(make_features), classifier="forest", grid=quick("forest"), reduce=4).save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["penult.json"] = unsealed(members["penult.json"])
    for name, data in members.items():
        if name.endswith(".npy") and (array := np.load(io.BytesIO(data))).shape == (4, 12):
            changed = io.BytesIO()
            np.save(changed, array[:2])
            members[name] = changed.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(ClassifierFileError, match="no forest could grow"):
        load_classifier(path)
