"""What tells maps of one layer apart."""

import dataclasses

import pytest
from feature_files import recipe

from penult.saliency.map_names import details

pytestmark = pytest.mark.light

MAPS = dataclasses.replace(recipe(), layer="maps", pooling="avg")


def test_a_layer_that_is_there_once_needs_no_more():
    other = dataclasses.replace(MAPS, layer="deep")
    assert details([(MAPS, "maps"), (other, "deep")]) == ["", ""]


def test_two_poolings_a_vector_and_two_ways_to_see_are_told_by_what_differs():
    largest = dataclasses.replace(MAPS, pooling="max")
    vector = dataclasses.replace(MAPS, layer="penultimate", pooling="none")
    scaled = dataclasses.replace(
        MAPS, preprocessing=dataclasses.replace(MAPS.preprocessing, decode="scaled")
    )
    found = details([(MAPS, "maps"), (largest, "maps"), (vector, "maps"), (scaled, "maps")])
    assert found == ["pooling avg, decode exact", "pooling max", "for penultimate",
                     "pooling avg, decode scaled"]  # fmt: skip


def test_weights_of_one_name_are_told_by_their_digest():
    other = dataclasses.replace(MAPS, weights_sha256="ab" * 32)
    assert details([(MAPS, "maps"), (other, "maps")])[1] == "weights abababababab"
