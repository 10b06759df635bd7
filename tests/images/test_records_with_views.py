"""Photos and views of them as one list, of which nothing is kept but numbers."""

from __future__ import annotations

import tarfile

import numpy as np
import pytest

from penult.images.listing import list_images
from penult.images.records_with_views import RecordsWithViews

pytestmark = pytest.mark.light


def numbers(records):
    return [(getattr(one, "photo", one).id, getattr(one, "view", 0)) for one in records]


def test_views_stand_behind_their_photo(tree):
    photos = list_images([tree("p/a.jpg", "p/b.jpg", "p/c.jpg") / "p"]).records
    records = RecordsWithViews(photos, np.array([2, 0, 1]))
    expected = [("a.jpg", 0), ("a.jpg", 1), ("a.jpg", 2), ("b.jpg", 0), ("c.jpg", 0), ("c.jpg", 1)]
    assert numbers(records) == expected
    assert numbers(records[k] for k in range(-6, 0)) == expected
    assert numbers(records[1:4]) == expected[1:4]
    for beyond in (6, -7):
        with pytest.raises(IndexError):
            records[beyond]


def test_they_are_read_in_the_order_of_their_archive_photo_by_photo(tree, tmp_path):
    folder = tree("p/a.jpg", "p/b.jpg", "p/c.jpg") / "p"
    with tarfile.open(tmp_path / "p.tar", "w") as archive:
        for name in ("c.jpg", "a.jpg", "b.jpg"):
            archive.add(folder / name, name)
    photos = list_images([tmp_path / "p.tar"]).records
    records = RecordsWithViews(photos, np.array([1, 1, 0]))
    order = records.in_reading_order(np.array([0, 1, 2, 4]))  # not b's view
    assert numbers(records[k] for k in order) == [
        ("c.jpg", 0),
        ("a.jpg", 0),
        ("a.jpg", 1),
        ("b.jpg", 0),
    ]
    folder_records = RecordsWithViews(list_images([folder]).records, np.array([1, 1, 0]))
    positions = np.array([4, 0])
    assert folder_records.in_reading_order(positions) is positions
