from itertools import combinations

import numpy as np
import pytest

from penult.reporting.figures.label_placement import Box, in_margin, place_labels

FRAME, RADIUS = Box(0, 0, 300, 200), 3


def overlap(one, other):
    return (
        one.left < other.right
        and other.left < one.right
        and one.bottom < other.top
        and other.bottom < one.top
    )


def marker(point):
    return Box(*point, *point).grown(RADIUS)


def place(points, width=60.0, most=100, **how):
    return place_labels(points, [(width, 10)] * len(points), FRAME, radius=RADIUS, most=most, **how)


def test_a_name_is_at_the_right_of_a_point_that_is_alone():
    (label,) = place([(100, 100)])
    assert label.align == "left"
    assert not label.leader
    assert label.box == Box(pytest.approx(105.5), 95, pytest.approx(165.5), 105)


def test_at_the_right_edge_it_is_at_the_left_of_its_point():
    (label,) = place([(290, 100)])
    assert label.align == "right"
    assert label.box.right == pytest.approx(284.5)


def test_a_name_gives_way_to_a_line():
    line = ((100.0, 100.0), (300.0, 100.0))
    (label,) = place([(100, 100)], lines=[line])
    assert label.align == "right"
    above = place([(100, 100)], lines=[((0.0, 100.0), (300.0, 100.0))])[0]
    assert above.box.bottom >= 100 or above.box.top <= 100


def test_those_that_come_first_have_the_nearest_places():
    points = [(100, 100), (100, 104)]
    one, other = place(points, first=[1])
    assert not other.leader
    assert other.align == "left"
    assert one.align != "left" or one.leader


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("spread", [0, 5, 100])
def test_no_name_covers_another_a_point_or_a_line_to_a_name(seed, spread):
    chance = np.random.default_rng(seed)
    points = [
        (150 + x, 100 + y) for x, y in chance.uniform(-1, 1, (25, 2)) * (spread, 0.8 * spread)
    ]
    placed = place(points)
    found = [label for label in placed if label]
    assert len(found) >= (12 if spread == 100 else 4)
    assert not any(overlap(a.box, b.box) for a, b in combinations(found, 2))
    assert not any(overlap(label.box, marker(point)) for label in found for point in points)
    assert all(label.box.within(FRAME) for label in found)
    for point, label in zip(points, placed, strict=True):
        if label and label.leader:
            steps = np.linspace(0, 1, 200)[:, None]
            line = (1 - steps) * point + steps * np.array(label.anchor)
            others = [one.box for one in found if one is not label]
            assert not any(overlap(box, Box(*at, *at)) for box in others for at in line)


def test_a_name_without_a_free_place_has_none():
    assert place([(150, 100)], width=301) == [None]
    assert place([(150, 100)] * 9, most=1).count(None) > 3


def test_names_in_the_margin_are_one_below_another_in_the_order_of_their_points():
    points = [(10, 20), (10, 190), (20, 190), (10, 100)]
    placed = in_margin(points, [(60, 10)] * 4, FRAME)
    tops = [label.box.top for label in placed]
    assert sorted(range(4), key=lambda k: -tops[k]) == [1, 2, 3, 0]
    assert tops[3] == pytest.approx(100, abs=6)  # where there is room, as high as its point
    assert all(label.box.left > FRAME.right for label in placed)
    assert not any(overlap(a.box, b.box) for a, b in combinations(placed, 2))


def test_the_column_in_the_margin_stays_within_the_height_of_the_frame():
    placed = in_margin([(10, 2)] * 10, [(60, 10)] * 10, FRAME)
    assert min(label.box.bottom for label in placed) >= -2
    assert max(label.box.top for label in placed) <= FRAME.top
