"""Which photos get augmented views, and how many: counted by hand."""

from __future__ import annotations

import pytest

from penult.errors import UnknownNameError, UsageError
from penult.images.augmentation_options import AugmentationOptions
from penult.records import ImageRecord

pytestmark = pytest.mark.light


def photo(number: int, *labels: str, split: str | None = None) -> ImageRecord:
    return ImageRecord(f"{number:02}.jpg", open, labels, split)


def views(photos, **options):
    return AugmentationOptions(**options).views(photos).tolist()


def test_each_photo_to_train_with_gets_as_many():
    splits = [None, "train", "test", "validation", "train"]
    photos = [photo(k, "daisy", split=split) for k, split in enumerate(splits)]
    assert views(photos, augment=3) == [3, 3, 0, 0, 3]
    assert views([photo(0)], augment=2) == [2]  # a label may come later


def test_a_small_class_is_filled_up_and_its_first_photos_get_one_more():
    photos = [photo(k, "daisy") for k in range(3)] + [photo(k, "rose") for k in range(3, 8)]
    assert views(photos, augment_to=5) == [1, 1, 0, 0, 0, 0, 0, 0]
    assert views(photos, augment_to=10) == [3, 2, 2, 1, 1, 1, 1, 1]
    assert views(photos, augment_to=3) == [0] * 8


def test_a_class_is_as_large_as_its_training_part():
    photos = [photo(0, "daisy", split="train"), photo(1, "daisy", split="test")]
    assert views(photos, augment_to=3) == [2, 0]


def test_of_several_labels_the_one_that_needs_most_decides():
    photos = [photo(0, "a", "b"), photo(1, "a"), photo(2, "a"), photo(3)]
    # a has 3 photos and needs 1 of them once more; b has 1, which it needs 3 times more.
    assert views(photos, augment_to=4) == [3, 0, 0, 0]


def test_a_file_without_augmentation_says_nothing_of_it():
    assert AugmentationOptions().to_origin() == {}
    assert AugmentationOptions(augment=2).to_origin() == {
        "augment": 2,
        "augment_policy": "light",
        "augment_seed": 0,
    }
    assert "augment" not in AugmentationOptions(augment_to=2).to_origin()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"augment": 4, "augment_to": 80}, r"augment=4 and augment_to=80 exclude each other"),
        ({"augment": -1}, r"augment=-1 was given; give a number of views from 0 to 10,000"),
        ({"augment": 10_001}, "from 0 to 10,000"),
        ({"augment_to": 0}, r"augment_to=0 was given; give how many rows .* 1 or more"),
        ({"augment": 1, "augment_seed": -1}, "augment_seed is -1; give a whole number from 0 to"),
        ({"augment_policy": "strong"}, r"no photo is augmented; give augment=4 or augment_to=80"),
        ({"augment_seed": 1}, "no photo is augmented"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(options, message):
    with pytest.raises(UsageError, match=message):
        AugmentationOptions(**options)


def test_another_policy_is_refused():
    with pytest.raises(
        UnknownNameError, match="unknown augmentation policy 'strnog'; did you mean strong"
    ):
        AugmentationOptions(augment=1, augment_policy="strnog")


def test_classes_that_cannot_be_filled_up_are_refused():
    with pytest.raises(UsageError, match=r"none of 1 image to train with has a label.*augment=4"):
        views([photo(0)], augment_to=5)
    with pytest.raises(UsageError, match=r"asks for 19,999 views of each photo of daisy"):
        views([photo(0, "daisy")], augment_to=20_000)
