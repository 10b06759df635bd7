"""Rows of augmented views: made with those of photos, and never among them."""

from __future__ import annotations

import re
import tarfile

import h5py
import numpy as np
import pytest
from PIL import Image
from toys import GraphOfMeans

import penult
from penult.errors import RecipeMismatchError, UsageError
from penult.features.resume import store
from penult.images.pixels.augment import Augmentation, edge_for
from penult.recipe import AugmentedRecipe, Preprocessing

pytestmark = pytest.mark.light


@pytest.fixture
def halved(monkeypatch):
    """View k is the photo with each pixel divided by k + 1, so that rows can be worked out."""

    def draw(_self, _key, view):
        return lambda image, edge: image.point([v // (view + 1) for v in range(256)] * 3)

    monkeypatch.setattr(Augmentation, "draw", draw)


@pytest.fixture
def shades(tmp_path):
    """`dark/a.png` 60, `light/b.png` 240, `light/c.png` 120, and `light/no.png`, no image."""
    for name, shade in {"dark/a": 60, "light/b": 240, "light/c": 120}.items():
        path = tmp_path / "shades" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (10, 10), (shade,) * 3).save(path)
    (tmp_path / "shades/light/no.png").write_text("no image")
    return tmp_path / "shades"


def augmented(features):
    """(photo, view, row in 255ths) of each augmented row."""
    rows = features.augmented
    shades = (rows.features[:][:, 0] * 255).round().astype(int).tolist()
    return [
        (features.ids[of], view, shade)
        for of, view, shade in zip(rows.of, rows.view, shades, strict=True)
    ]


def test_rows_of_views_stand_beside_those_of_photos(shades, tmp_path, toy, halved):
    features = penult.extract(shades, tmp_path / "f.h5", model=toy, augment=2)
    assert features.ids == ["dark/a.png", "light/b.png", "light/c.png"]
    assert [failure.id for failure in features.failures] == ["light/no.png"]
    assert augmented(features) == [
        ("dark/a.png", 1, 30),
        ("dark/a.png", 2, 20),
        ("light/b.png", 1, 120),
        ("light/b.png", 2, 80),
        ("light/c.png", 1, 60),
        ("light/c.png", 2, 40),
    ]
    assert features.augmented.recipe == AugmentedRecipe(features.recipe, "light", 0)
    plain = penult.extract(shades, model=toy)
    np.testing.assert_array_equal(features.features[:], plain.features[:])
    assert features.failures == plain.failures
    in_memory = penult.extract(shades, model=toy, augment=2)
    assert augmented(in_memory) == augmented(features)
    assert (tmp_path / "f.h5.parts").exists() is False


def test_small_classes_are_filled_up(shades, toy, halved):
    features = penult.extract(shades, model=toy, augment_to=4)
    # dark has one file, light three, of which one cannot be read.
    assert augmented(features) == [
        ("dark/a.png", 1, 30),
        ("dark/a.png", 2, 20),
        ("dark/a.png", 3, 15),
        ("light/b.png", 1, 120),
    ]
    for seed in range(4):
        shuffled = penult.extract(shades, model=toy, augment_to=4, shuffle=seed)
        assert sorted(augmented(shuffled)) == augmented(features)


def test_what_needs_no_view_is_the_file_of_before(shades, tmp_path, toy):
    penult.extract(shades, tmp_path / "f.h5", model=toy, augment_to=1)
    with h5py.File(tmp_path / "f.h5") as file:
        assert file.attrs["format"] == 1
        assert "augmented" not in file


def test_only_photos_to_train_with_are_augmented(photos, toy, tmp_path):
    table = tmp_path / "list.csv"
    splits = {1: "train", 2: "test", 3: ""}
    lines = [f"photos/rose/rose_0{k}.jpg,rose,{split}" for k, split in splits.items()]
    table.write_text("\n".join(["path,label,split", *lines]))
    features = penult.extract(table, model=toy, augment=1)
    assert [features.splits[k] for k in features.augmented.of] == ["train", ""]


def by_photo(features):
    rows = zip(features.augmented.of, features.augmented.view, strict=True)
    keys = [(features.content[of], int(view)) for of, view in rows]
    return dict(zip(keys, features.augmented.features[:].tolist(), strict=True))


def test_views_depend_on_neither_threads_nor_batches_nor_order_nor_source(photos, toy, tmp_path):
    images = photos / "rose"
    with tarfile.open(tmp_path / "rose.tar", "w") as archive:
        for path in sorted(images.iterdir(), reverse=True):
            archive.add(path, path.name)
    expected = by_photo(penult.extract(images, model=toy, augment=3, batch_size=1, workers=1))
    assert len(expected) == 36
    assert len({*map(tuple, expected.values())}) == 36
    for source, options in (
        (images, {"batch_size": 7, "workers": 4}),
        (images, {"shuffle": 1}),
        (tmp_path / "rose.tar", {"shuffle": 2}),
    ):
        found = by_photo(penult.extract(source, model=toy, augment=3, **options))
        assert found.keys() == expected.keys()
        for key, row in found.items():
            np.testing.assert_allclose(row, expected[key], atol=1e-6)
    other = by_photo(penult.extract(images, model=toy, augment=3, seed=1))
    assert other.keys() == expected.keys()
    assert not any(np.allclose(other[key], expected[key], atol=1e-6) for key in expected)


def test_all_networks_and_averaged_views_see_the_same_change(photos, toy):
    from penult.backbones.registry import register, unregister

    register(GraphOfMeans())
    try:
        features = penult.extract(
            photos / "rose", model=[toy, "graph:means"], views="flip", augment=1
        )
    finally:
        unregister("graph")
    rows = features.augmented.features[:]
    assert rows.shape == (12, 6)
    np.testing.assert_allclose(rows[:, :3], rows[:, 3:], atol=1e-4)
    alone = penult.extract(photos / "rose", model=toy, augment=1).augmented.features[:]
    lengths = np.linalg.norm(alone, axis=1, keepdims=True)
    np.testing.assert_allclose(rows[:, :3], alone / lengths, atol=1e-3)


@pytest.mark.parametrize(
    ("resize", "crop", "edge"),
    [
        (256, (224, 224), 384),
        (448, (448, 448), 448),
        ((300, 512), None, 512),
        (None, (8, 600), 600),
    ],
)
def test_views_are_as_large_as_a_network_wants_them(resize, crop, edge):
    seen = Preprocessing(
        resize=resize, crop=crop, interpolation="bicubic", mean=(0.5,) * 3, std=(0.5,) * 3
    )
    assert edge_for(seen) == edge


class Stopped(Exception):  # noqa: N818
    pass


def contents(path):
    with h5py.File(path) as file:
        told = {}
        file.visititems(
            lambda name, item: (
                told.update({name: item[()].tolist()}) if isinstance(item, h5py.Dataset) else None
            )
        )
        return told


def test_a_stopped_run_goes_on_and_counts_photos_and_views(shades, tmp_path, toy, monkeypatch):
    monkeypatch.setattr(store, "LIMITS", store.Limits(images=2))
    options = {"model": toy, "augment": 2, "augment_policy": "strong", "batch_size": 2}
    penult.extract(shades, tmp_path / "whole.h5", **options)
    for stop_at in (2, 5, 8, 11):

        def stop(now, at=stop_at):
            if now.stage == "extract" and now.done >= at:
                raise Stopped

        output = tmp_path / f"{stop_at}.h5"
        with pytest.raises(Stopped):
            penult.extract(shades, output, progress=stop, **options)
        heard = []
        penult.extract(shades, output, progress=heard.append, **options)
        seen = [now for now in heard if now.counted]
        assert seen[0].kept >= stop_at
        assert (seen[-1].done, seen[-1].total, seen[-1].failed) == (12, 12, 1)
        assert contents(output) == contents(tmp_path / "whole.h5")


ASKED = {"augment": 2, "augment_policy": "light", "seed": 0}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"augment": 3}, "augment: 2 then, 3 now"),
        ({"augment": 0}, "augment: 2 then, None now"),
        (
            {"augment": 0, "augment_to": 5},
            "augment: 2 then, None now; augment_to: None then, 5 now",
        ),
        ({"augment_policy": "strong"}, "augment_policy: 'light' then, 'strong' now"),
        ({"seed": 1}, "seed: 0 then, 1 now"),
    ],
)
def test_an_update_that_augments_otherwise_is_refused_and_so_is_going_on(
    shades, tmp_path, toy, monkeypatch, options, message
):
    monkeypatch.setattr(store, "LIMITS", store.Limits(images=2))
    penult.extract(shades, tmp_path / "f.h5", model=toy, **ASKED)
    wanted = {**ASKED, **options}
    for function in (penult.extract, penult.plan):
        with pytest.raises(RecipeMismatchError, match=re.escape(message)):
            function(shades, tmp_path / "f.h5", model=toy, update=True, **wanted)

    def stop(now):
        if now.stage == "extract" and now.done >= 5:
            raise Stopped

    with pytest.raises(Stopped):
        penult.extract(shades, tmp_path / "g.h5", model=toy, batch_size=1, progress=stop, **ASKED)
    with pytest.raises(RecipeMismatchError, match=re.escape(message)):
        penult.extract(shades, tmp_path / "g.h5", model=toy, **wanted)
    again = penult.extract(shades, tmp_path / "g.h5", model=toy, restart=True, **wanted)
    assert len(again) == 3


def test_a_file_without_augmentation_is_not_updated_to_one_with_it(shades, tmp_path, toy):
    penult.extract(shades, tmp_path / "f.h5", model=toy)
    with pytest.raises(RecipeMismatchError, match="augment: None then, 1 now"):
        penult.extract(shades, tmp_path / "f.h5", model=toy, update=True, augment=1)


def test_an_update_makes_views_of_new_photos_alone(shades, tmp_path, toy, halved):
    penult.extract(shades, tmp_path / "f.h5", model=toy, augment=2)
    Image.new("RGB", (10, 10), (90,) * 3).save(shades / "dark" / "new.png")
    (shades / "light" / "b.png").unlink()
    seen = []
    features = penult.extract(
        shades, tmp_path / "f.h5", model=toy, augment=2, update=True, progress=seen.append
    )
    assert seen[-1].kept == 6
    assert features.changes.added == ("dark/new.png",)
    new = penult.extract(shades, tmp_path / "new.h5", model=toy, augment=2)
    assert augmented(features) == augmented(new)
    assert ("dark/new.png", 2, 30) in augmented(new)
    assert contents(tmp_path / "f.h5") == contents(tmp_path / "new.h5")


def test_a_plan_counts_the_views_that_there_will_be(photos, tmp_path, toy):
    options = {"model": toy, "layer": "pixels", "pooling": "flatten", "augment_to": 20}
    planned = penult.plan(photos, **options)
    features = penult.extract(photos, tmp_path / "f.h5", **options)
    assert planned.images == 36
    assert planned.augmented == len(features.augmented) == 24
    assert planned.bytes == pytest.approx((tmp_path / "f.h5").stat().st_size, rel=0.1)
    assert "24 augmented views" in repr(planned)


def test_both_ways_at_once_are_refused_before_anything_is_read(tmp_path):
    with pytest.raises(UsageError, match="augment=4 and augment_to=80 exclude each other"):
        penult.extract(tmp_path / "nowhere", augment=4, augment_to=80)


@pytest.fixture
def file(photos, tmp_path, toy):
    penult.extract(photos / "rose", tmp_path / "f.h5", model=toy, augment=2)
    return tmp_path / "f.h5"


def test_verify_makes_some_views_again_as_well(file):
    found = penult.verify(file)
    assert (found.passed, found.compared, found.rows) == (True, 12, 12)
    assert (found.augmented_compared, found.augmented_rows) == (24, 24)
    assert found.agreements[0].worst_error < 1e-6
    some = penult.verify(file, 5)
    assert (some.compared, some.augmented_compared) == (5, 5)
    assert "5 of 12 rows and 5 of 24 augmented rows compared" in repr(some)


def test_verify_names_an_augmented_row_that_is_not_its_views(file):
    with h5py.File(file, "r+") as opened:
        opened["augmented/rows/penultimate"][3] *= 2
    found = penult.verify(file)
    assert not found.passed
    assert found.agreements[0].worst_error_id == "rose_02.jpg (augmented view 2)"


def test_verify_counts_a_photo_that_is_gone_or_changed_once(file, photos):
    (photos / "rose/rose_03.jpg").unlink()
    (photos / "rose/rose_04.jpg").write_text("no image")
    Image.new("RGB", (9, 9)).save(photos / "rose/rose_05.jpg")
    found = penult.verify(file)
    assert [failure.id for failure in found.missing] == ["rose_03.jpg", "rose_04.jpg"]
    assert found.changed == ("rose_05.jpg",)
    assert (found.compared, found.augmented_compared) == (9, 18)
