"""What a bot keeps of its users is bounded, and what it says of a picture fits what is known of it."""

from __future__ import annotations

import pytest

from penult.chat import rate_limit
from penult.chat.rate_limit import RateLimit
from penult.chat.recent_photos import RecentPhotos
from penult.chat.wording import hit_line, in_short
from penult.client.answers import Classified, FoundHit, ServedModel

pytestmark = pytest.mark.light


def test_of_very_many_users_those_with_a_full_bucket_are_forgotten(monkeypatch):
    monkeypatch.setattr(rate_limit, "_SWEPT_AT", 2)
    now = 0.0
    limit = RateLimit(60, lambda: now)  # a second fills one token
    assert limit.take("ann", 60) is None
    assert limit.take("ben", 2) is None
    now = 2.0
    assert limit.take("cem") is None
    assert limit._buckets.keys() == {"ann", "cem"}
    refused = limit.take("ann", 5)  # is still known, with 2 of 60 tokens
    assert refused is not None
    assert refused.seconds == pytest.approx(3)


def test_of_too_many_photos_the_oldest_is_forgotten():
    photos = RecentPhotos(kept=2)
    first, second, third = (photos.add("ann", as_file=True) for _ in range(3))
    assert [photos.get(one.key) for one in (first, second, third)] == [None, second, third]


@pytest.mark.parametrize(
    ("hit", "line"),
    [
        (FoundHit("a.jpg", similarity=0.5, label="rose"), "1. rose, similarity 0.500"),
        (
            FoundHit("a.jpg", distance=12.3456, labels=("iris", "rose")),
            "1. iris, rose, distance 12.3",
        ),
        (FoundHit("a.jpg", distance=0.0), "1. a.jpg"),
    ],
)
def test_a_picture_is_named_with_how_near_it_is(hit, line):
    assert hit_line(1, hit) == line


def test_a_photo_of_several_classes_is_of_all_of_them_and_one_of_none_has_no_class():
    model = ServedModel("flowers.skops", "classifier", recipe_sha256="00", version="1")
    one = Classified("iris", 0.75, (), model, labels=("iris",))
    assert in_short(one) == "iris, 75.0%"
    assert in_short(Classified("iris", 0.75, (), model, labels=("iris", "rose"))) == "iris, rose"
    assert in_short(None) == "no class"
