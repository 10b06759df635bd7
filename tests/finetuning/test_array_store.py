"""Arrays that are computed once, and what is decoded once thanks to them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from PIL import Image

from penult.backbones.registry import open_backbone
from penult.extractor import ReadingOptions
from penult.finetuning import pixels
from penult.finetuning.array_store import ArrayStore
from penult.finetuning.pixels import PixelReader
from penult.images.in_memory import as_records
from penult.images.listing_options import ListingOptions
from penult.images.pixels.augment import Augmentation
from penult.images.pixels.changed_view import ChangedView
from penult.images.pixels.decode import decode
from penult.images.read import digest_of, read_bytes


def test_what_memory_has_no_room_for_lies_in_a_file_and_what_that_has_none_for_nowhere(tmp_path):
    store = ArrayStore(tmp_path, memory=100, disk=90)
    arrays = [np.full((4, 10), k, np.uint8) for k in range(5)]
    assert [store.put(k, array) for k, array in enumerate(arrays)] == [True] * 4 + [False]
    assert (store.memory_left, store.disk_left) == (20, 10)
    assert store.put("small", np.arange(5, dtype=np.float32))
    assert store.memory_left == 0
    assert store.put("small", np.zeros(5))
    assert store.put(3, np.zeros(5))
    for k in range(4):
        assert np.array_equal(store.get(k), arrays[k])
    assert store.get(4) is None
    assert store.get("small").tolist() == [0, 1, 2, 3, 4]
    assert not list(tmp_path.iterdir()), "the file has no name"


def test_a_disk_that_is_full_after_all_keeps_nothing(tmp_path):
    store = ArrayStore(tmp_path / "nowhere", memory=0, disk=1000)
    assert not store.put(0, np.zeros(10))
    assert store.get(0) is None
    assert store.disk_left == 0


@pytest.mark.parametrize(
    ("room", "decodings"),
    [({}, 1), ({"memory": 0}, 1), ({"memory": 0, "disk": 0}, 3), ({"memory": 20_000}, 1)],
)
def test_photos_are_decoded_once_and_batches_are_the_same(
    normed, photos, tmp_path, monkeypatch, room, decodings
):
    records = list(ListingOptions().list(ListingOptions().sources(photos)).records)
    preprocessing = open_backbone(normed).preprocessing
    reading, read = pixels.read_image, Counter()

    def counting(record, *arguments, **options):
        read[record.id] += 1
        return reading(record, *arguments, **options)

    monkeypatch.setattr(pixels, "read_image", counting)

    def seen(store):
        read.clear()
        reader = PixelReader(
            records=records,
            preprocessing=preprocessing,
            reading=ReadingOptions(),
            augmentation=Augmentation("light", 0),
            store=store,
        )
        batches = [np.arange(0, 8), np.arange(4, 12)]
        views = [b.pixels for view in (0, 1) for b in reader.batches(batches[:1], view=view)]
        return [*views, *(b.pixels for b in reader.batches(batches[1:], view=0))]

    plain = seen(None)
    assert read[records[5].id] == 3
    kept = seen(ArrayStore(tmp_path, **room))
    assert read[records[5].id] == decodings
    first, views = read_bytes(records[0]), ChangedView(Augmentation("light", 0), preprocessing)
    assert np.array_equal(kept[0][0], views(views.reduce(decode(first)), digest_of(first), 0))
    assert all(np.array_equal(one, other) for one, other in zip(plain, kept, strict=True))


def test_views_of_what_is_in_memory_depend_on_nothing_that_was_seen_between(normed, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (2, 40, 50, 3), np.uint8)
    reader = PixelReader(
        records=as_records([Image.fromarray(one) for one in noise]),
        preprocessing=open_backbone(normed).preprocessing,
        reading=ReadingOptions(),
        augmentation=Augmentation("light", 0),
        store=ArrayStore(tmp_path),
    )

    def pixels(view=None):
        (batch,) = reader.batches([np.arange(2)], view=view)
        return batch.pixels

    first = pixels(view=0)
    pixels()
    assert np.array_equal(pixels(view=0), first)
