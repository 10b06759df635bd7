"""Training says where held-out images have near-duplicates among those that train."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from feature_files import record, write

import penult
from penult.retrieve.duplicates.leaks import find_leaks

pytestmark = pytest.mark.light

WIDTH = 64


def dataset(
    path,
    *,
    copies=(),
    noise=1.0,
    common=0.0,
    classes=2,
    free=WIDTH,
    each=40,
    width=WIDTH,
    split=True,
):
    """Rows by chance; every fourth is held out, and `copies` of these are near the row before.

    Those of one class differ in `free` directions alone.
    """
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(classes, width))
    labels = np.repeat(np.arange(classes), each)
    rows = common * centres[0] + centres[labels]
    rows += (
        noise * rng.normal(size=(len(labels), free)) @ rng.normal(size=(free, width)) / free**0.5
    )
    held_out = np.arange(len(labels)) % 4 == 3
    for k in np.flatnonzero(held_out)[: len(copies)]:
        rows[k] = rows[k - 1] * 2
    rows[held_out] += 1e-3 * rng.normal(size=(int(held_out.sum()), width))
    records = [
        record(f"{k:03}.jpg", f"c{label}", split=("test" if held_out[k] else "train") if split else None)
        for k, label in enumerate(labels)
    ]  # fmt: skip
    return write(path, records, [rows.astype(np.float32)], blocks=len(records))


def leaks(path, **options):
    features = penult.load(path)
    held_out = np.array([one == "test" for one in features.splits])
    return find_leaks(
        features, np.flatnonzero(~held_out), features, np.flatnonzero(held_out), **options
    )


def test_copies_of_training_images_are_counted(tmp_path):
    found = leaks(dataset(tmp_path / "f.h5", copies=range(5)))
    assert (found.near, found.looked_at, found.held_out, found.cosine) == (5, 20, 20, 0.95)
    assert leaks(dataset(tmp_path / "none.h5")).near == 0


def test_images_that_are_alike_are_no_copies(tmp_path):
    """Of one class, or of all."""
    alike = leaks(dataset(tmp_path / "a.h5", noise=0.6, free=6))
    assert (alike.near, alike.cosine) == (0, 0.999)
    of_all = leaks(dataset(tmp_path / "b.h5", noise=0.05, common=100))
    assert of_all is None or of_all.near == 0


def test_copies_among_images_that_are_alike_are_found(tmp_path):
    found = leaks(dataset(tmp_path / "a.h5", noise=0.6, free=6, copies=range(5)))
    assert found.cosine > 0.95
    assert 5 <= found.near <= 7  # and two that are as near by chance


def test_the_cosine_is_the_lowest_that_finds_the_same_images(tmp_path):
    """One copy alone is too few to tell at 0.95, but nothing else is as near as that."""
    found = leaks(dataset(tmp_path / "a.h5", copies=range(1)))
    assert (found.near, found.cosine) == (1, 0.95)


def test_short_rows_say_nothing(tmp_path):
    assert leaks(dataset(tmp_path / "f.h5", copies=range(5), width=16)) is None


def test_of_too_many_images_some_are_looked_at(tmp_path):
    found = leaks(dataset(tmp_path / "f.h5", copies=range(20)), work=60 * WIDTH * 8)
    assert (found.near, found.looked_at, found.held_out) == (8, 8, 20)


@pytest.fixture
def warned(caplog):
    def train(*arguments, **options):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "penult"):
            penult.train(*arguments, grid={"C": [1]}, **options)
        return [one for one in caplog.messages if "near-duplicate" in one]

    return train


def test_training_warns_of_them_and_says_what_to_do(tmp_path, warned):
    path = dataset(tmp_path / "f.h5", copies=range(5))
    (said,) = warned(path)
    assert said == (
        "penult: 5 of 20 held-out images (25.0%) have a near-duplicate among those that train, a "
        "cosine of 0.95 or more, which may flatter the scores; "
        f"penult.duplicates({str(path)!r}, across_splits=True, repair='repaired.h5') shows them, and "
        "writes the rows with splits that keep them together"
    )
    assert warned(path, near_duplicates=0.95) == []
    assert warned(dataset(tmp_path / "clean.h5")) == []


def test_training_warns_of_its_own_draw(tmp_path, warned):
    path = dataset(tmp_path / "f.h5", copies=range(20), split=False)
    (said,) = warned(path)
    found = penult.duplicates(path, across_splits=True)
    assert said.startswith(f"penult: {found.leaks.near} of 20 held-out images")
    assert said.endswith(
        "near_duplicates=0.95 keeps them in one part, "
        f"penult.duplicates({str(path)!r}, across_splits=True) shows them"
    )
    penult.duplicates(path, repair=tmp_path / "mended.h5")
    assert warned(tmp_path / "mended.h5") == []


def test_training_warns_of_another_file_to_score_on(tmp_path, warned):
    path = dataset(tmp_path / "f.h5", copies=range(5))
    features = penult.load(path)
    test = np.array([one == "test" for one in features.splits])
    (said,) = warned(features.take(~test), test_features=features.take(test))
    assert said.startswith("penult: 5 of 20 held-out images")
    assert "keeps them in one part" not in said
