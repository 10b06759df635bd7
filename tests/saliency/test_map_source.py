"""A weighted sum of a row's numbers, divided among the places that were pooled."""

import dataclasses

import numpy as np
import pytest
from feature_files import recipe

from penult.backbones.layer import Layer
from penult.errors import UsageError
from penult.saliency.map_source import MapSource, on_grid

pytestmark = pytest.mark.light

LEAF = recipe()
MAPS = np.array([[[1, 2], [3, 6]], [[0, 0], [4, 0]]], np.float32)  # two channels of 2 × 2 places
WEIGHTS = np.array([2.0, -1.0])


def source(pooling, layout="NCHW", shape=(2, 2, 2), normalize="none", **fields):
    layer = Layer("maps", "Conv2d", shape, layout, **fields)
    leaf = dataclasses.replace(LEAF, layer="maps", pooling=pooling, normalize=normalize)
    return MapSource(leaf=leaf, maps=leaf, layer=layer, pooling=pooling)


def divide(one, activation, row, weights=WEIGHTS):
    return one.contributions(np.float32(activation), np.float32(row), np.float64(weights))


def test_of_an_average_each_place_adds_a_quarter_of_its_own_weighted_sum():
    values, rest = divide(source("avg"), MAPS, [3, 1])
    assert values.tolist() == [[0.5, 1.0], [0.5, 3.0]]
    assert (values.sum(), rest) == (2 * 3 - 1, 0)


def test_of_a_maximum_the_place_that_has_it_adds_all():
    values, _ = divide(source("max"), MAPS, [6, 4])
    assert values.tolist() == [[0, 0], [-4, 12]]


def test_of_a_generalised_mean_places_add_in_proportion_to_their_cubes():
    maps = np.maximum(MAPS, 1e-6)
    row = (maps.reshape(2, 4) ** 3).mean(1) ** (1 / 3)
    values, _ = divide(source("gem"), maps, row, [1, 0])
    assert values.sum() == pytest.approx(row[0])
    assert values[1, 1] / values[0, 1] == pytest.approx(27)


@pytest.mark.parametrize("pooling", ["none", "flatten"])
def test_of_whole_maps_each_place_adds_what_its_own_numbers_do(pooling):
    weights = np.arange(8.0)
    values, _ = divide(source(pooling), MAPS, MAPS.ravel(), weights)
    assert values.tolist() == (weights.reshape(2, 2, 2) * MAPS).sum(0).tolist()


def test_of_maps_flattened_channels_last_the_weights_lie_as_the_row_does():
    row = MAPS.transpose(1, 2, 0).ravel()
    weights = np.arange(8.0)
    values, _ = divide(source("flatten", "NHWC"), MAPS, row, weights)
    assert values.tolist() == (weights.reshape(2, 2, 2) * MAPS.transpose(1, 2, 0)).sum(2).tolist()


def test_a_row_of_length_one_has_its_parts_divided_by_its_own_length():
    row = np.array([3, 1]) / np.sqrt(10)
    values, _ = divide(source("avg", normalize="l2"), MAPS, row)
    assert values.sum() == pytest.approx(WEIGHTS @ row)
    assert values[1, 1] == pytest.approx(3 / np.sqrt(10))


def test_of_flattened_tokens_the_class_token_is_at_no_place():
    tokens = np.array([[100.0], [1], [2], [3], [4]])
    one = source("flatten", "NTD", (5, 1), prefix_tokens=1, has_class_token=True)
    values, rest = divide(one, tokens, tokens.ravel(), np.ones(5))
    assert values.tolist() == [[1, 2], [3, 4]]
    assert rest == 100


def test_a_row_that_is_not_pooled_of_these_maps_is_refused():
    with pytest.raises(UsageError, match="cannot be divided among places: it is not the average"):
        divide(source("avg"), MAPS, [3, 1.01])


def test_what_a_network_in_integers_rounds_away_is_at_no_place():
    one = dataclasses.replace(source("avg"), tolerance=0.02)
    values, rest = divide(one, MAPS, [3, 1.01])
    assert values.sum() == pytest.approx(2 * 3 - 1)
    assert rest == pytest.approx(-0.01)
    with pytest.raises(UsageError, match="not the average of maps"):
        divide(one, MAPS, [3, 1.1])


def test_a_relu_that_is_no_layer_is_found_between_maps_and_the_vector_after_them():
    maps = np.array([[[-4, 2], [3, 3]], [[0, 0], [4, 0]]], np.float32)
    one = dataclasses.replace(source("avg"), leaf=LEAF)
    values, _ = divide(one, maps, [2, 1])
    assert values.tolist() == [[0, 1], [0.5, 1.5]]
    with pytest.raises(UsageError, match="not the average of maps"):
        divide(source("avg"), maps, [2, 1])


def test_patches_lie_row_by_row_after_the_class_token():
    layer = Layer("tokens", "Block", (5, 2), "NTD", prefix_tokens=1, has_class_token=True)
    tokens = np.arange(10).reshape(5, 2)
    assert on_grid(tokens, layer, LEAF).tolist() == [[[2, 4], [6, 8]], [[3, 5], [7, 9]]]


def test_tokens_that_are_no_grid_are_refused():
    layer = Layer("tokens", "Block", (6, 2), "NTD", prefix_tokens=1)
    with pytest.raises(UsageError, match=r"the 5 tokens .* are no grid over 4 × 4 pixels"):
        on_grid(np.zeros((6, 2)), layer, LEAF)


def test_a_vector_has_no_places():
    layer = Layer("vector", "Linear", (7,), "vector")
    with pytest.raises(UsageError, match="vector of toy:net has no places that are known"):
        on_grid(np.zeros(7), layer, LEAF)
