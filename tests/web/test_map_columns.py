"""What colours a map, and the order in which its pictures lie on sheets."""

import base64

import numpy as np
import pytest

from penult.errors import UsageError
from penult.web.map.columns import packed_column
from penult.web.map.order import morton_order

pytestmark = pytest.mark.light


def unpacked(packed):
    return np.frombuffer(base64.b64decode(packed["base64"]), packed["dtype"]).tolist()


def test_texts_name_and_are_in_order_none_and_nan_are_nothing():
    column = packed_column("label", ["rose", None, "iris", float("nan"), "rose"], 5)
    assert (column["kind"], column["values"]) == ("categorical", ["iris", "rose"])
    assert unpacked(column["codes"]) == [1, -1, 0, -1, 1]


def test_integers_name_groups_in_the_order_of_numbers():
    column = packed_column("group", np.array([10, 9, -1, 9]), 4)
    assert (column["kind"], column["values"]) == ("categorical", ["-1", "9", "10"])
    assert unpacked(column["codes"]) == [2, 1, 0, 1]
    assert "noise" not in column


def test_noise_comes_after_all_clusters_and_takes_no_colour_from_them():
    column = packed_column("hdbscan_cluster", np.array([1, 0, -1, 0]), 4)
    assert column["values"] == ["0", "1", "-1"]
    assert (column["names"], column["noise"]) == (["0", "1", "noise"], 2)
    assert unpacked(column["codes"]) == [1, 0, 2, 0]


def test_of_joined_names_each_has_a_row_in_the_legend_and_the_rarest_is_first():
    column = packed_column("label", ["b|a", "a", None, "a|c", "c"], 5, joined=True)
    assert column["values"] == ["a", "a|c", "b|a", "c"]
    assert column["names"] == ["a", "b", "c"]
    assert column["sets"] == [[0], [2, 0], [1, 0], [2]]  # a three times, c twice, b once
    assert unpacked(column["codes"]) == [2, 0, -1, 1, 3]


def test_true_and_false_are_yes_and_no_even_where_there_is_one_of_them():
    column = packed_column("mistake", [True, np.True_, None], 3)
    assert (column["values"], column["boolean"]) == (["no", "yes"], True)
    assert unpacked(column["codes"]) == [1, 1, -1]


def test_floats_are_measured_and_a_few_extremes_do_not_stretch_the_bar():
    values = np.linspace(0, 1, 201)
    values[-1] = 1000
    column = packed_column("score", values, 201)
    assert column["kind"] == "numeric"
    assert column["range"] == pytest.approx([0.01, 0.99])
    assert unpacked(column["values"])[-1] == 1000
    empty = packed_column("score", [1.5, None, float("inf")], 3)
    assert np.isnan(unpacked(empty["values"])).tolist() == [False, True, True]
    assert empty["range"] == [1.5, 1.5]


def test_a_column_of_another_length_is_refused_with_both_lengths():
    with pytest.raises(UsageError, match="column 'split' has 2 values for 3 rows of the map"):
        packed_column("split", ["train", "test"], 3)


def test_points_in_mortons_order_go_through_each_quarter_before_the_next():
    across, down = np.meshgrid(np.arange(8), np.arange(8))
    xy = np.stack([across.ravel(), down.ravel()], axis=1).astype(np.float32)
    quarters = (xy[morton_order(xy)] >= 4) @ [1, 2]
    assert quarters.tolist() == np.repeat([0, 1, 2, 3], 16).tolist()
    assert morton_order(np.zeros((3, 2))).tolist() == [0, 1, 2]
    assert len(morton_order(np.empty((0, 2)))) == 0
