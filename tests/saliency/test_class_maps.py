"""Where the evidence of a classifier lies, exactly."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

import penult
from penult.classify.linear_rule import LinearRule
from penult.errors import UnknownNameError, UsageError
from penult.recipe import JoinedRecipe
from penult.saliency.class_maps import ClassMaps

pytestmark = pytest.mark.light


def logit_by_scikit_learn(classifier, row, label):
    """What the pipeline itself decides; of two classes, with the other's sign for the first."""
    decision = classifier.pipeline.decision_function(row[None])[0]
    k = classifier.label_names.index(label)
    return decision[k] if np.ndim(decision) else (decision if k else -decision)


@pytest.mark.parametrize(
    "options",
    [
        {"scale": "l2"},
        {"scale": "standard"},
        {"scale": "none", "reduce": 2},
        {"classifier": "ridge"},
        {"classifier": "svm"},
        {"classifier": "centroid"},
    ],
    ids=lambda options: " ".join(map(str, options.values())),
)
def test_all_places_and_the_intercept_sum_to_the_logit(options, toy_rows, train, flower):
    classifier = train(toy_rows, **options)
    row = penult.Extractor(classifier.recipe)([flower])[0]
    for one in ClassMaps(classifier)(flower, ["flower", "temple"]):
        expected = logit_by_scikit_learn(classifier, row, one.label)
        assert one.logit == pytest.approx(expected, rel=1e-5, abs=1e-5)
        assert one.map.total + one.intercept == pytest.approx(one.logit, rel=1e-5, abs=1e-5)


def test_of_a_real_network_they_do_too(real_rows, train, flower, temple):
    classifier = train(real_rows)
    maps = ClassMaps(classifier, offline=True)
    row = penult.Extractor(classifier.recipe, offline=True)([flower])[0]
    for one in maps(flower, ["flower", "temple"]):
        assert one.logit == pytest.approx(
            logit_by_scikit_learn(classifier, row, one.label), abs=1e-4
        )
        assert one.map.total + one.intercept == pytest.approx(one.logit, abs=1e-4)
        assert (one.map.layer, one.map.values.shape) == ("bn2", (7, 7))
        assert one.map.seen.shape == (224, 224, 3)
    # Without a class, it is the predicted one; a photo in memory is seen as its file is.
    assert [maps(photo)[0].label for photo in (flower, temple)] == ["flower", "temple"]
    ((of_file,), (of_bytes,)) = maps(flower), maps(flower.read_bytes())
    assert np.array_equal(of_file.map.values, of_bytes.map.values)


def test_by_hand_the_red_half_of_a_picture_speaks_for_red(toy, folder_of_colours, train):
    rows = penult.extract(folder_of_colours, model=toy, progress=False)
    classifier = train(rows, scale="none")
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:, :4, 0], pixels[:, 4:, 2] = 255, 255
    (one,) = ClassMaps(classifier)(Image.fromarray(pixels), ["red"])
    # Of two classes, blue is the first: its weights are those of red with the other sign.
    weights = classifier.pipeline[-1].coef_[0]
    assert one.map.layer == "pixels"
    assert one.map.values[:, :4] == pytest.approx(weights[0] / 64)
    assert one.map.values[:, 4:] == pytest.approx(weights[2] / 64)
    assert one.map.values[0, 0] > 0 > one.map.values[0, 7]
    assert one.intercept == pytest.approx(classifier.pipeline[-1].intercept_[0])


def test_several_labels_a_photo_have_a_logit_each(toy_rows, train, flower):
    is_flower = np.array([str(one).startswith("flower") for one in toy_rows.ids])
    dark = np.arange(len(is_flower)) % 3 == 0
    targets = np.stack([dark, is_flower, ~is_flower], axis=1)
    labels = np.where(targets.sum(axis=1) == 1, targets.argmax(axis=1), -1)
    names = ("dark", "flower", "temple")
    rows = dataclasses.replace(toy_rows, labels=labels, label_names=names, targets=targets)
    classifier = train(rows)
    assert LinearRule.of(classifier.applied).several
    (one,) = ClassMaps(classifier)(flower, ["temple"])
    assert one.probability == pytest.approx(1 / (1 + np.exp(-one.logit)), abs=1e-5)
    assert one.map.total + one.intercept == pytest.approx(one.logit, rel=1e-5, abs=1e-5)


def test_joined_rows_have_a_map_of_each_layer_and_all_sum_to_the_logit(
    toy, folder_of_pieces, train, flower
):
    rows = penult.extract(
        folder_of_pieces, model=toy, layer=["pixels", "penultimate"], join=True, progress=False
    )
    assert isinstance(rows.recipe, JoinedRecipe)
    (one,) = ClassMaps(train(rows))(flower)
    assert [heat.values.shape for heat in one.maps] == [(8, 8), (8, 8)]
    total = sum(heat.total for heat in one.maps) + one.intercept
    assert total == pytest.approx(one.logit, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("whiten", [False, True])
def test_projected_rows_are_divided_as_those_before(whiten, toy_rows, train, flower):
    rows = penult.reduce(toy_rows, pca=2, whiten=whiten, progress=False)
    classifier = train(rows, scale="none")
    (one,) = ClassMaps(classifier)(flower)
    assert one.map.total + one.intercept == pytest.approx(one.logit, rel=1e-4, abs=1e-4)


def test_an_unknown_class_is_told_with_what_is_near(toy_rows, train, flower):
    with pytest.raises(UnknownNameError, match="unknown class 'flour'; did you mean flower"):
        ClassMaps(train(toy_rows))(flower, ["flour"])


def test_scores_that_are_no_sum_are_refused(toy_rows, train):
    with pytest.raises(UsageError, match=r"of the kind knn are no sum .* classifier='logistic'"):
        ClassMaps(train(toy_rows, classifier="knn"))


def test_averages_over_views_are_refused(toy, folder_of_pieces, train):
    rows = penult.extract(folder_of_pieces, model=toy, views="flip", progress=False)
    with pytest.raises(UsageError, match=r"flip views of .* give rows made without views"):
        ClassMaps(train(rows))


@pytest.fixture
def folder_of_colours(tmp_path):
    for name, colour in {"blue": (20, 40, 200), "red": (200, 40, 20)}.items():
        (tmp_path / "colours" / name).mkdir(parents=True)
        for k in range(6):
            pixels = np.full((8, 8, 3), colour, np.uint8) + np.uint8(k)
            Image.fromarray(pixels).save(tmp_path / "colours" / name / f"{k}.png")
    return tmp_path / "colours"


@pytest.mark.torch
def test_another_network_under_the_same_weights_of_the_classifier_gives_another_map(
    real_rows, train, flower
):
    """The sanity check of Adebayo et al. (2018): a map that stays would show the photo alone."""
    from scipy.stats import spearmanr

    classifier = train(real_rows)
    random = penult.Extractor(weights="random", offline=True).recipes[0]
    untrained = dataclasses.replace(classifier, recipe=random)
    (ours,), (theirs,) = (
        ClassMaps(one, engine="torch", offline=True)(flower, ["flower"])
        for one in (classifier, untrained)
    )
    correlation = spearmanr(ours.map.values.ravel(), theirs.map.values.ravel()).statistic
    assert abs(correlation) < 0.5
