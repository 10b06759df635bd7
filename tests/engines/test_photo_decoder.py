"""One photo and views of it: decoded once, and each with an outcome of its own."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from penult.backbones.registry import open_backbone
from penult.engines.pipeline import run
from penult.engines.registry import open_engine
from penult.errors import ImageError
from penult.images.pixels.augment import Augmentation
from penult.images.read import digest_of
from penult.recipe import AugmentedRecipe
from penult.records import AugmentedRecord, ImageRecord, augmented_content

pytestmark = pytest.mark.light


def png(shade: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (9, 7), (shade,) * 3).save(buffer, "PNG")
    return buffer.getvalue()


class Photos:
    """Photos of one shade each, of which it counts how often they are read."""

    def __init__(self, *shades: int) -> None:
        self.data, self.read = [png(shade) for shade in shades], [0] * len(shades)

    def records(self, views: int):
        for k in range(len(self.data)):
            photo = ImageRecord(f"{k}.png", lambda k=k: self.open(k))
            yield from (photo, *(AugmentedRecord(photo, view + 1) for view in range(views)))

    def open(self, k: int) -> io.BytesIO:
        self.read[k] += 1
        return io.BytesIO(self.data[k])


@pytest.fixture
def engine(toy):
    backbone = open_backbone(toy)
    return open_engine(backbone, [backbone.recipe()], engine="auto", device="cpu")


@pytest.fixture
def augmented(engine, monkeypatch):
    """View k is the photo with each pixel divided by k + 1; of black photos there are none."""

    def draw(_self, _key, view):
        def divided(image, edge):
            if image.getpixel((0, 0)) == (0, 0, 0):
                raise ImageError("is too dark")
            return image.point([value // (view + 1) for value in range(256)] * 3)

        return divided

    monkeypatch.setattr(Augmentation, "draw", draw)
    return AugmentedRecipe(engine.recipes[0], "light", 0)


def told(blocks):
    """(photo, view, what its row is in 255ths, or the reason)."""
    for block in blocks:
        rows = iter(block.rows[0] if block.rows else ())
        for outcome in block.outcomes:
            record = outcome.record
            view = record.view if isinstance(record, AugmentedRecord) else 0
            yield (
                getattr(record, "photo", record).id,
                view,
                outcome.failure.reason
                if outcome.failure
                else "known"
                if outcome.known
                else round(float(next(rows)[0]) * 255),
            )


@pytest.mark.parametrize(("batch_size", "workers"), [(1, 1), (3, 2), (50, 4)])
def test_views_are_made_from_one_decoding_in_the_order_of_the_records(
    engine, augmented, batch_size, workers
):
    photos = Photos(240, 120, 60)
    blocks = run(
        photos.records(3), engine, batch_size=batch_size, workers=workers, augmented=augmented
    )
    assert list(told(blocks)) == [
        (f"{k}.png", view, shade // (view + 1))
        for k, shade in enumerate((240, 120, 60))
        for view in range(4)
    ]
    assert photos.read == [1, 1, 1]


def test_many_views_are_made_some_at_a_time(engine, augmented):
    photos = Photos(240)
    assert len(list(told(run(photos.records(20), engine, augmented=augmented)))) == 21
    assert photos.read == [3]  # 8, 8, and 5


def test_no_more_wait_in_memory_than_the_threads_need(engine, augmented):
    pulled = done = most = 0

    def counted():
        nonlocal pulled
        for record in Photos(*range(1, 41)).records(30):
            pulled += 1
            yield record

    for block in run(counted(), engine, batch_size=4, workers=2, augmented=augmented):
        done += len(block.outcomes)
        most = max(most, pulled - done)
    assert done == 40 * 31
    # 3 photos of 8 views in the threads, one more pulled, one done, and 4 batches.
    assert most <= 3 * 8 + 9 + 8 + 4 * 4


def test_a_photo_that_cannot_be_read_fails_with_its_views_and_a_view_alone(engine, augmented):
    photos = Photos(240, 0)
    photos.data[0] = b"no image"
    found = list(told(run(photos.records(2), engine, augmented=augmented)))
    assert all("is not an image" in reason for _, _, reason in found[:3])
    assert found[3:] == [("1.png", 0, 0), ("1.png", 1, "is too dark"), ("1.png", 2, "is too dark")]


def test_what_is_known_is_not_made_again_nor_decoded_where_all_is(engine, augmented):
    photos = Photos(240, 120)
    first, second = map(digest_of, photos.data)
    known = {first, *(augmented_content(first, augmented, view) for view in (1, 2))}
    known.add(augmented_content(second, augmented, 1))
    found = run(photos.records(2), engine, augmented=augmented, known=known.__contains__)
    assert [what for _, _, what in told(found)] == ["known"] * 3 + [120, "known", 40]


def test_views_of_which_nobody_says_how_they_are_made_are_an_error(engine):
    with pytest.raises(ValueError, match="augmented view 1"):
        list(run(Photos(240).records(1), engine))


def test_rows_are_those_of_the_changed_photo(engine):
    """By the slow way: one view after the other, on the image itself."""
    recipe = AugmentedRecipe(engine.recipes[0], "strong", 5)
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    photos = Photos(1)
    photos.data = [buffer.getvalue()]
    (block,) = run(photos.records(2), engine, augmented=recipe, batch_size=8)
    for view in (1, 2):
        changes = Augmentation("strong", 5).draw(digest_of(buffer.getvalue()), view)
        image = changes(Image.fromarray(pixels), 384)
        seen = np.asarray(image.resize((8, 8), Image.Resampling.BILINEAR))
        np.testing.assert_allclose(block.rows[0][view], seen.mean((0, 1)) / 255, atol=1e-5)
        assert not np.allclose(block.rows[0][view], block.rows[0][0], atol=1e-3)
