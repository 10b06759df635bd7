"""Which regions make two photos alike."""

import numpy as np
import pytest
from PIL import Image

import penult

pytestmark = pytest.mark.light


def alike(*photos, **options):
    return penult.look([*photos], similar=True, offline=True, **options).similarity


def test_the_places_of_each_photo_sum_to_the_cosine(flower, temple):
    found = alike(flower, temple)
    one, other = penult.Extractor(offline=True)([flower, temple]).astype(float)
    cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    assert found.cosine == pytest.approx(cosine, abs=1e-5)
    for heat in found.maps[0]:
        assert heat.total == pytest.approx(cosine, abs=1e-4)
    assert found.constants == (0, 0)
    assert found.ids == (str(flower), str(temple))


def test_by_hand_each_place_adds_its_products_with_all_places_of_the_other(toy):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (2, 8, 8, 3), np.uint8)
    found = alike(*map(Image.fromarray, pixels), model=toy)
    values = pixels.reshape(2, 64, 3) / 255
    pairs = np.array([[a @ b for b in values[1]] for a in values[0]]) / 64**2
    pairs /= np.linalg.norm(values[0].mean(0)) * np.linalg.norm(values[1].mean(0))
    ((ours, theirs),) = found.maps
    assert ours.values == pytest.approx(pairs.sum(1).reshape(8, 8), rel=1e-4)
    assert theirs.values == pytest.approx(pairs.sum(0).reshape(8, 8), rel=1e-4)


def test_of_a_layer_with_maps_the_average_is_compared(toy, flower, temple):
    found, same = (alike(flower, temple, model=toy, layer=one) for one in ("pixels", "mean"))
    assert found.maps[0][1].total == pytest.approx(found.cosine, abs=1e-5)
    assert found.cosine == pytest.approx(same.cosine, abs=1e-6)


def test_rows_of_a_classifier_that_are_projected_have_a_constant(toy_rows, train, flower, temple):
    classifier = train(penult.reduce(toy_rows, pca=2, progress=False))
    found = alike(flower, temple, classifier=classifier)
    for k in (0, 1):
        assert found.maps[0][k].total + found.constants[k] == pytest.approx(found.cosine, abs=1e-4)
    assert found.constants[0] != 0


def test_a_photo_is_wholly_alike_to_itself(toy, flower):
    assert alike(flower, flower, model=toy).cosine == pytest.approx(1)
