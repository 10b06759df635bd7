"""Where the evidence of a classifier lies, exactly."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

import penult
from penult.classify.linear_rule import LinearRule
from penult.errors import UnknownNameError, UsageError
from penult.recipe import AugmentedRecipe, JoinedRecipe
from penult.saliency.class_maps import ClassMaps
from penult.saliency.row_weights import leaf_weights

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
    assert [heat.detail for heat in one.maps] == ["", "for penultimate"]
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


def colours_of_views(margins, folder_of_colours, train, views):
    """A classifier of rows averaged over views of 8 × 8 pixels, and the weights of red in it."""
    rows = penult.extract(folder_of_colours, model=margins, views=views, progress=False)
    classifier = train(rows, scale="none")
    return classifier, classifier.pipeline[-1].coef_[0]


def test_by_hand_each_place_adds_as_often_as_crops_see_it(margins, folder_of_colours, train):
    classifier, weights = colours_of_views(margins, folder_of_colours, train, "ten-crop")
    # 20 × 10 pixels stay as they are, so that places are pixels. Red on the left, and one spot.
    pixels = np.zeros((10, 20, 3), np.uint8)
    pixels[:, :9, 0], pixels[2, 11] = 255, (0, 0, 255)
    (one,) = ClassMaps(classifier)(Image.fromarray(pixels), ["red"])
    seen = np.zeros((10, 20))
    for y, x in ((0, 0), (0, 12), (2, 0), (2, 12), (1, 6)):
        seen[y : y + 8, x : x + 8] += 2  # each crop, and its mirror image
    expected = seen / 10 * (pixels / 255 @ weights) / 64
    assert one.map.values == pytest.approx(expected, abs=1e-6)
    row = penult.Extractor(classifier.recipe)([Image.fromarray(pixels)])[0]
    logit = logit_by_scikit_learn(classifier, row, "red")
    assert one.map.total + one.intercept == pytest.approx(logit, abs=1e-5)
    # What no crop shows is white, and adds nothing.
    assert np.array_equal(one.map.seen[seen > 0], pixels[seen > 0])
    assert (one.map.seen[seen == 0] == 255).all()
    assert (seen == 0).sum() == 2 * 4


def test_a_mirrored_view_is_mirrored_back(toy, folder_of_colours, train):
    classifier, weights = colours_of_views(toy, folder_of_colours, train, "flip")
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:, 0, 0] = 255
    (one,) = ClassMaps(classifier)(Image.fromarray(pixels), ["red"])
    assert one.map.values[:, 0] == pytest.approx(weights[0] / 64)
    assert one.map.values[:, 1:] == pytest.approx(0)


@pytest.mark.parametrize("how", ["joined", "projected", "length one"])
def test_rows_of_views_are_divided_whatever_is_made_of_them(
    how, margins, toy, folder_of_pieces, train, flower
):
    options = {"views": "five-crop", "progress": False}
    if how == "joined":
        rows = penult.extract(folder_of_pieces, model=margins, layer=["pixels", "mean"], join=True,
                              **options)  # fmt: skip
    elif how == "projected":
        rows = penult.reduce(
            penult.extract(folder_of_pieces, model=margins, **options), pca=2, progress=False
        )
    else:
        rows = penult.extract(folder_of_pieces, model=margins, normalize="l2", **options)
    classifier = train(rows)
    (one,) = ClassMaps(classifier)(flower, ["temple"])
    row = penult.Extractor(classifier.recipe)([flower])[0]
    total = sum(heat.total for heat in one.maps) + one.intercept
    assert total == pytest.approx(logit_by_scikit_learn(classifier, row, "temple"), abs=1e-4)
    assert one.map.values.shape == (10, 14)  # the photo is 640 × 427 pixels
    assert len({heat.name for heat in one.maps}) == len(one.maps)


@pytest.mark.parametrize("views", [None, "ten-crop"])
def test_the_map_lies_on_a_turned_photo_as_it_is_shown(
    views, margins, folder_of_colours, train, tmp_path
):
    classifier, _ = colours_of_views(margins, folder_of_colours, train, views)
    pixels = np.full((20, 10, 3), 255, np.uint8)
    pixels[:4], pixels[4:, :5] = (255, 0, 0), (0, 0, 255)
    shown, turned = tmp_path / "shown.png", tmp_path / "turned.png"
    Image.fromarray(pixels).save(shown)
    exif = Image.Exif()
    exif[0x112] = 6  # lies on its side: to be shown turned to the right
    Image.fromarray(np.rot90(pixels)).save(turned, exif=exif)
    maps = ClassMaps(classifier)
    ((one,), (other,)) = maps(shown), maps(turned)
    assert np.array_equal(one.map.seen, other.map.seen)
    assert np.array_equal(one.map.values, other.map.values)


def test_a_photo_unlike_all_that_trained_it_is_marked_as_predict_marks_it(
    folder_of_colours, toy, train
):
    rows = penult.extract(folder_of_colours, model=toy, progress=False)
    classifier = train(rows)
    green, red = (np.full((8, 8, 3), one, np.uint8) for one in ((0, 250, 0), (202, 42, 22)))
    for pixels in (green, red):
        (one,) = ClassMaps(classifier)(pixels)
        (said,) = classifier.predict([pixels], progress=False)
        assert (one.unlike, one.similarity) == (said.unlike, pytest.approx(said.similarity))
        assert one.to_dict()["unlike"] is (pixels is green)


def test_augmented_views_are_no_photos(toy):
    recipe = AugmentedRecipe(penult.Extractor(toy).recipes[0], "light", 0)
    with pytest.raises(UsageError, match="of no photo as it is"):
        leaf_weights(recipe, np.ones(3), {})


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
