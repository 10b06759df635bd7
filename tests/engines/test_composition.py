"""A composition feeds its engines from one photo, each as if it were alone."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image
from recipe_trees import leaf

import penult.images.read
from penult.engines.composition import Composition
from penult.engines.photo_decoder import PhotoDecoder
from penult.images.pixels.augment import Augmentation
from penult.images.pixels.decode import decode, decoded_alike
from penult.images.read import digest_of
from penult.recipe import AugmentedRecipe, AveragedRecipe
from penult.records import AugmentedRecord, ImageRecord

pytestmark = pytest.mark.light

# 400 × 300 noise, so that each way of decoding it gives other pixels.
NOISE = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)


class Seeing:
    """An engine whose network sees images in a given way; it is not run."""

    batch_size = concurrency = 1

    def __init__(self, edge: int, decode: str) -> None:
        recipe = leaf(f"{decode} {edge}")
        seen = dataclasses.replace(recipe.preprocessing, resize=edge, crop=(edge, edge))
        seen = dataclasses.replace(seen, decode=decode)
        self.recipes = (dataclasses.replace(recipe, preprocessing=seen),)


def together(*engines):
    return Composition([engine.recipes[0] for engine in engines], engines)


def encoded(kind="JPEG"):
    file = io.BytesIO()
    Image.fromarray(NOISE).save(file, kind)
    return file.getvalue()


def seen(composition, data, *, views=(), augmented=None):
    photo = ImageRecord("a.jpg", lambda: io.BytesIO(data))
    records = [photo, *(AugmentedRecord(photo, view) for view in views)]
    made = PhotoDecoder(composition.preprocessor, augmented=augmented)(records)
    assert not any(outcome.failure for outcome, _ in made)
    return [pixels for _, pixels in made]


@pytest.fixture
def decodings(monkeypatch):
    """The sizes at least at which images are decoded."""
    asked, decoded = [], penult.images.read.decoded

    def noted(data, *, at_least, **options):
        asked.append(at_least)
        return decoded(data, at_least=at_least, **options)

    monkeypatch.setattr(penult.images.read, "decoded", noted)
    return asked


# 300 pixels are decoded as 150, 75 or 38: no less than twice the edge.
SMALL, SMALLER, LARGE = Seeing(16, "scaled"), Seeing(17, "scaled"), Seeing(64, "scaled")
EXACT = Seeing(16, "exact")


@pytest.mark.parametrize("engines", [(SMALL, LARGE), (SMALL, EXACT), (LARGE, SMALL, EXACT)])
def test_each_network_sees_a_photo_decoded_as_for_it_alone(engines, decodings):
    """Rows of a recipe must not depend on which other networks run beside it."""
    data = encoded()
    (pixels,) = seen(together(*engines), data)
    assert len(decodings) == len(engines)
    for engine in engines:
        way = engine.recipes[0].preprocessing
        (alone,) = seen(together(engine), data)
        np.testing.assert_array_equal(pixels[way], alone[way])
    assert len({image.tobytes() for image in pixels.values()}) == len(engines)


def test_augmented_views_are_decoded_as_for_each_network_alone(decodings):
    data, engines = encoded(), (SMALL, LARGE)
    recipe = AugmentedRecipe(SMALL.recipes[0], "light", 3)
    of_both = seen(together(*engines), data, views=(1, 2), augmented=recipe)
    assert decodings == [(32, 32), (128, 128)]  # once for all views
    for engine in engines:
        way = engine.recipes[0].preprocessing
        image = decode(data, at_least=(2 * way.resize,) * 2)
        for view in (1, 2):
            changes = Augmentation("light", 3).draw(digest_of(data), view)
            alone = together(engine).preprocessor(image, changes)
            np.testing.assert_array_equal(of_both[view][way], alone[way])


def test_what_is_decoded_alike_is_decoded_once(decodings):
    seen(together(SMALL, SMALLER), encoded())  # both at an eighth
    seen(together(SMALL, LARGE, EXACT), encoded("PNG"))  # which knows no other size
    assert decodings == [(32, 32), (32, 32)]


def test_sizes_are_told_apart_by_what_the_decoder_makes_of_them():
    sizes = [(32, 32), None, (34, 34), (128, 128), (200, 200)]
    assert decoded_alike(encoded(), sizes) == [
        [(32, 32), (34, 34)],
        [None, (200, 200)],
        [(128, 128)],
    ]
    assert decoded_alike(encoded("PNG"), sizes) == [sizes]
    assert decoded_alike(b"damaged", sizes) == [[size] for size in sizes]


class Counting(Seeing):
    """One whose rows are the first pixel's red; it counts the images that it is run on."""

    def __init__(self, layer: str, edge: int) -> None:
        super().__init__(edge, "exact")
        self.recipes = (dataclasses.replace(self.recipes[0], layer=layer),)
        self.images = 0

    def run(self, images):
        self.images += len(images)
        return [images[:, 0, 0, :1].astype(np.float32)]


def test_a_network_is_run_on_the_views_that_it_needs_and_not_on_those_of_another():
    plain, mirrored = Counting("plain", 32), Counting("mirrored", 32)
    recipes = [plain.recipes[0], AveragedRecipe(mirrored.recipes[0], "flip")]
    composition = Composition(recipes, [plain, mirrored])
    halves = np.zeros((32, 32, 3), np.uint8)
    halves[:, 16:] = 200
    pixels = composition.preprocessor(Image.fromarray(halves))
    rows, averaged = composition.run([pixels] * 3)
    assert rows.tolist() == [[0]] * 3
    assert averaged.tolist() == [[100]] * 3
    assert (plain.images, mirrored.images) == (3, 6)
