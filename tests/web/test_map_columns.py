"""What colours a map, and the order in which its pictures lie on sheets."""

import base64

import numpy as np
import pytest

from penult.errors import UsageError
from penult.web.map.columns import packed_column
from penult.web.map.order import morton_order
from penult.web.map.palette import CATEGORICAL, CATEGORICAL_ON_DARK

pytestmark = [pytest.mark.light, pytest.mark.once]


def linear(color):
    rgb = np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def oklab(color):
    """Ottosson's (2020): lightness, and how red and how yellow."""
    cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    opponents = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return opponents @ np.cbrt(cones @ linear(color))


def test_colours_on_the_dark_page_can_be_seen_and_told_apart_as_on_white():
    luminance = [
        linear(one) @ [0.2126, 0.7152, 0.0722] for one in ("#141418", *CATEGORICAL_ON_DARK)
    ]
    paper, *others = np.array(luminance) + 0.05
    assert min(one / paper for one in others) > 3.9
    apart = []
    for colors in (CATEGORICAL, CATEGORICAL_ON_DARK):
        places = np.array([oklab(one) for one in colors])
        away = np.linalg.norm(places[:, None] - places, axis=2)[np.triu_indices(len(places), 1)]
        apart.append(away.min())
    assert apart[1] > 0.8 * apart[0]
    for white, dark in zip(CATEGORICAL, CATEGORICAL_ON_DARK, strict=True):
        (light, *_), (lighter, *_) = oklab(white), oklab(dark)
        assert lighter == pytest.approx(0.58 + (light - 0.43) * 0.30 / 0.37, abs=0.02)


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
