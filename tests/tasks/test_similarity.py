"""`penult.cka` and `penult.rsa`: what they take, and what they refuse in one line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from feature_files import record, write

import penult
from penult.similarity import rsa as module

pytestmark = [pytest.mark.light, pytest.mark.once]

RNG = np.random.default_rng(0)
A = RNG.normal(size=(12, 6)).astype(np.float32)
B = np.hstack([A[:, :2], RNG.normal(size=(12, 8))]).astype(np.float32)
BOTH = pytest.mark.parametrize("measure", [penult.cka, penult.rsa])


@pytest.fixture
def features(make_features):
    return make_features({"rose": 6, "tulip": 6})


@BOTH
def test_it_is_one_float_of_arrays_in_any_form(measure):
    value = measure(A, B)
    assert type(value) is float
    assert 0 < value < 1
    assert measure(A.reshape(12, 2, 3), B.tolist()) == value
    assert measure(B, A) == pytest.approx(value, abs=1e-14)
    assert measure(A, A) == pytest.approx(1, abs=1e-14)
    assert measure((9 * A).astype(np.int64), B) == measure((9 * A).astype(np.int64).tolist(), B) < 1
    assert measure(A.astype(np.float16), A) > 0.99


@BOTH
def test_rows_of_features_belong_together_by_their_ids(measure, features, tmp_path):
    a, b = replace(features, features=A), replace(features, features=B)
    value = measure(A, B)
    order = RNG.permutation(12)
    assert measure(a, b.take(order)) == pytest.approx(value, abs=1e-13)
    assert measure(a, b.take(order).features) != pytest.approx(value, abs=1e-3)  # by their places
    assert measure(a.features, b) == value
    records = [record(one) for one in features.ids]
    write(tmp_path / "a.h5", records, [A])
    write(
        tmp_path / "b.h5",
        [records[k] for k in order],
        [B[order]],
        digests=[f"{k:032x}" for k in order],
    )
    of_files = measure(tmp_path / "a.h5", str(tmp_path / "b.h5"))
    assert of_files == pytest.approx(value, abs=1e-13)
    on_disk = penult.load(tmp_path / "a.h5").features
    assert measure(on_disk, B) == value


@BOTH
def test_other_images_are_refused_by_name(measure, features):
    a = replace(features, features=A)
    fewer = a.take([k for k in range(12) if k not in (3, 7)])
    with pytest.raises(penult.UsageError) as raised:
        measure(fewer, a)
    assert str(raised.value) == (
        "2 images of b are not the other's: rose/003.jpg, tulip/007.jpg; give rows of the same "
        "images, as with b.take(ids)"
    )
    digests = [f"{k:032x}" for k in range(12)]
    changed = [*digests[:11], "f" * 32]
    with pytest.raises(penult.UsageError, match=r"1 image of a is not the other's: tulip/011"):
        measure(replace(a, content=digests), replace(a, content=changed))


@BOTH
@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (A, B[:11], "a has 12 rows, and b 11; give rows of the same images, in the same order"),
        (A[:3], B[:3], "3 rows cannot be compared; give 4 or more"),
        (A, B[:, :0], "b has rows of no numbers"),
        (
            np.where(np.arange(12)[:, None] == 5, np.nan, A),
            B,
            "a has NaN or infinite numbers in row 5, counted from 0; leave these images out of "
            "both, or make their rows again",
        ),
        (
            A,
            np.where(np.arange(12)[:, None] > 5, np.inf, B),
            "b has NaN or infinite numbers in rows 6, 7, 8 and 3 more, counted from 0; leave "
            "these images out of both, or make their rows again",
        ),
        (
            A[:, 0],
            B,
            "a is an array of float32, shape (12,); give an array of numbers, a row an image "
            "(N, D), or Features, or the path of a feature file",
        ),
        (
            A,
            [["x", "y"]] * 12,
            "b is a list of 12 elements; give an array of numbers, a row an image (N, D), or "
            "Features, or the path of a feature file",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused_in_one_line(measure, a, b, said):
    with pytest.raises(penult.UsageError) as raised:
        measure(a, b)
    assert str(raised.value) == said


@BOTH
def test_a_row_that_is_not_finite_is_named_by_its_id(measure, features):
    bad = A.copy()
    bad[7, 1] = np.nan
    with pytest.raises(penult.UsageError, match=r"^b has NaN or .* in the rows of tulip/007.jpg; "):
        measure(features, replace(features, features=bad))


def test_numbers_that_cannot_be_subtracted_are_refused():
    with pytest.raises(penult.UsageError, match=r"^a has numbers too large to be subtracted"):
        penult.cka(np.sign(A.astype(float)) * 1.7e308, B)


def test_of_many_images_some_are_drawn(monkeypatch):
    whole = penult.rsa(A, B)
    drawn = [penult.rsa(A, B, sample=6, seed=seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert whole not in drawn
    assert penult.rsa(A, B, sample=None) == penult.rsa(A, B, sample=12, seed=9) == whole
    assert module.SAMPLE == 3_000
    for given in ({"sample": 3}, {"seed": -1}):
        with pytest.raises(
            penult.UsageError, match=r"is -?\d; give (4 or more|a whole number from 0)"
        ):
            penult.rsa(A, B, **given)


def test_how_unlike_two_images_are_may_be_chosen():
    values = {penult.rsa(A, B, dissimilarity=one) for one in ("correlation", "cosine", "euclidean")}
    assert len(values) == 3
    assert penult.rsa(A, B) in values
    with pytest.raises(penult.UnknownNameError, match="did you mean cosine"):
        penult.rsa(A, B, dissimilarity="cosin")
