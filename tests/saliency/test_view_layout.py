"""Maps of views laid together where the views were cut."""

import numpy as np
import pytest

from penult.recipe import CENTER, View
from penult.saliency.view_layout import lay_together, picture_of_views

pytestmark = pytest.mark.light

LEFT, RIGHT, MIRRORED = View("top left"), View("top right"), View(flipped=True)
MAP = np.array([[1.0, 2], [3, 4]])


def test_a_mirrored_map_is_mirrored_back():
    found = lay_together({CENTER: MAP, MIRRORED: MAP}, {CENTER: (3, 0), MIRRORED: (3, 0)}, (8, 8))
    assert found.tolist() == [[3, 3], [7, 7]]


def test_maps_lie_where_their_views_were_cut_and_add_up_where_both_see():
    # Views of 8 × 8 pixels, the one 4 to the right of the other: one place of the two.
    found = lay_together({LEFT: MAP, RIGHT: 10 * MAP}, {LEFT: (0, 0), RIGHT: (4, 0)}, (8, 8))
    assert found.tolist() == [[1, 12, 20], [3, 34, 40]]


def test_a_place_across_two_is_divided_by_its_area():
    # 2 to the right is half a place: 10 pixels are 2 or 3 places; 2.5 are rounded to the even 2.
    found = lay_together({LEFT: MAP, RIGHT: MAP}, {LEFT: (0, 0), RIGHT: (2, 0)}, (8, 8))
    # Places of 5 pixels. Left: 4 + 1/4 of the second; right: 3/4 of the first, and so on.
    assert found == pytest.approx(np.array([[1 + 0.5 + 0.75, 1.5 + 0.25 + 2], [6.25, 7.75]]))
    assert found.sum() == 2 * MAP.sum()


def test_views_show_the_photo_together_and_what_none_shows_is_white():
    photo = np.arange(2 * 5 * 3, dtype=np.uint8).reshape(2, 5, 3)
    cut = {LEFT: photo[:, :2], View("top right", flipped=True): photo[:, 3:][:, ::-1]}
    found = picture_of_views(cut, {LEFT: (0, 0), View("top right", flipped=True): (3, 0)})
    assert found[:, [0, 1, 3, 4]].tolist() == photo[:, [0, 1, 3, 4]].tolist()
    assert found[:, 2].tolist() == [[255] * 3] * 2
