"""A run over photos and augmented views of them: killed anywhere, it ends in the same file."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from feature_files import recipe

import penult
from penult.engines.pipeline import Block, Outcome
from penult.errors import OutputError, RecipeMismatchError, ResumeError, SourceError
from penult.features.h5_file import read
from penult.features.read import load
from penult.features.resume import store
from penult.features.write import FeatureWriter
from penult.recipe import AugmentedRecipe
from penult.records import AugmentedRecord, Failure, ImageRecord, augmented_content
from penult.runs import Job, to_file, to_memory

ONE = (recipe(),)
LIGHT = AugmentedRecipe(recipe(), "light", 7)


def photo(name: str, content: str | None = None) -> ImageRecord:
    data = (name if content is None else content).encode()
    return ImageRecord(f"{name}.jpg", lambda: io.BytesIO(data), (name[0],), stamp=content or name)


class Listed(list):
    def in_reading_order(self, positions):
        return positions


class Toy:
    """The row of a photo is the sum of its bytes and 0; of its k-th view, the same and k.

    A photo that holds "bad" cannot be read, nor can its views; of one that holds "dark", view 2 is
    refused.
    """

    def __init__(self, recipes, names, kill_after: int | None = None) -> None:
        self.recipes, self.kill_after = recipes, kill_after
        self.names = names or tuple(one.layer for one in recipes)
        self.spec = SimpleNamespace(reading=SimpleNamespace(on_error="skip"))
        self.computed: list[str] = []

    def blocks(self, records, *, readers, total, dtype, known, augmented) -> Iterator[Block]:
        done, records = 0, iter(records)
        while batch := [self._outcome(one, known) for one in islice(records, 2)]:
            rows = [row for outcome, row in batch if row is not None]
            good = (np.array(rows, np.float32),) * len(self.recipes) if rows else ()
            yield Block(tuple(outcome for outcome, _ in batch), good)
            done += len(batch)
            if self.kill_after is not None and done >= self.kill_after:
                raise KeyboardInterrupt

    def _outcome(self, record, known):
        with record.open() as file:
            data = file.read()
        number = record.view if isinstance(record, AugmentedRecord) else 0
        reason = "is bad" * (b"bad" in data) or "is too dark" * (b"dark" in data and number == 2)
        if reason:
            return Outcome(record, failure=Failure(record.id, reason)), None
        digest = hashlib.blake2b(data, digest_size=16).hexdigest()
        if number:
            digest = augmented_content(digest, LIGHT, number)
        if known is not None and known(digest):
            return Outcome(record, digest, known=True), None
        self.computed.append(record.id)
        return Outcome(record, digest), [sum(data), number]


PHOTOS = [photo("a"), photo("b", "bad"), photo("c"), photo("d", "dark"), photo("e")]


def with_views(photos, *, views: int = 2, order=None) -> Listed:
    records = [*photos, *(AugmentedRecord(one, k + 1) for one in photos for k in range(views))]
    return Listed(records if order is None else [records[k] for k in order])


def job(records, *, names=None, kill_after=None, recipes=ONE, told=None, **options) -> Job:
    return Job(
        listing=SimpleNamespace(records=records, failures=(), readers=None),
        extractor=Toy(recipes, names, kill_after),
        dtype="float32",
        origin=options,
        options={"dtype": "float32", **options},
        tell=(lambda _: None) if told is None else told.append,
        augmented=tuple(AugmentedRecipe(one, "light", 7) for one in recipes),
    )


def run(output: Path, *arguments, restart=False, update=False, **options) -> Toy:
    job_ = job(*arguments, **options)
    to_file(job_, output, overwrite=False, restart=restart, update=update)
    return job_.extractor


def contents(path: Path) -> dict[str, object]:
    with h5py.File(path) as file:
        told: dict[str, object] = {k: v for k, v in file.attrs.items() if k != "created"}
        file.visititems(
            lambda name, item: (
                told.update({name: (item.shape, item[()].tolist(), dict(item.attrs))})
                if isinstance(item, h5py.Dataset)
                else None
            )
        )
        return told


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    monkeypatch.setattr(store, "LIMITS", store.Limits(images=3))


def test_a_photo_that_fails_takes_its_views_with_it_and_is_one_failure(tmp_path):
    told = []
    run(tmp_path / "f.h5", with_views(PHOTOS), told=told)
    features = load(tmp_path / "f.h5")
    assert features.ids == ["a.jpg", "c.jpg", "d.jpg", "e.jpg"]
    assert features.failures == (
        Failure("b.jpg", "is bad"),
        Failure("d.jpg (augmented view 2)", "is too dark"),
    )
    assert features.augmented.of.tolist() == [0, 0, 1, 1, 2, 3, 3]
    assert features.augmented.view.tolist() == [1, 2, 1, 2, 1, 1, 2]
    assert features.augmented.features[:, 0].tolist() == [
        sum(data.encode()) for data in ("a", "a", "c", "c", "dark", "e", "e")
    ]
    assert (told[-1].done, told[-1].total, told[-1].failed) == (15, 15, 1)
    in_memory = read(to_memory(job(with_views(PHOTOS))), name="these")
    assert in_memory.failures == features.failures
    assert in_memory.augmented.of.tolist() == features.augmented.of.tolist()


SHUFFLED = np.random.default_rng(0).permutation(15)


@pytest.mark.parametrize("order", [None, SHUFFLED], ids=["listed", "shuffled"])
def test_a_run_killed_anywhere_goes_on_to_the_same_file(tmp_path, order):
    run(tmp_path / "whole.h5", with_views(PHOTOS, order=order))
    whole = contents(tmp_path / "whole.h5")
    for kill_after in range(2, 15, 2):
        output = tmp_path / f"{kill_after}.h5"
        with pytest.raises(KeyboardInterrupt):
            run(output, with_views(PHOTOS, order=order), kill_after=kill_after)
        again = run(output, with_views(PHOTOS, order=order))
        assert len(again.computed) < 11
        assert contents(output) == whole
        assert not store.parts_folder(output).exists()


def test_a_shuffled_file_has_the_same_rows_and_views(tmp_path):
    run(tmp_path / "a.h5", with_views(PHOTOS))
    run(tmp_path / "b.h5", with_views(PHOTOS, order=SHUFFLED))

    def rows(path):
        features = load(path)
        rows = features.augmented
        views = zip(rows.of, rows.view, rows.features[:].tolist(), strict=True)
        return {(features.ids[of], view, *row) for of, view, row in views}

    assert rows(tmp_path / "a.h5") == rows(tmp_path / "b.h5")
    assert len(rows(tmp_path / "a.h5")) == 7


def test_an_update_takes_over_rows_of_photos_and_of_views(tmp_path):
    run(tmp_path / "f.h5", with_views(PHOTOS))
    now = [photo("a"), photo("c", "new"), *PHOTOS[3:], photo("f")]
    updated = run(tmp_path / "f.h5", with_views(now), update=True)
    assert updated.computed == [
        "c.jpg",
        "f.jpg",
        *(f"{name}.jpg (augmented view {k})" for name in "cf" for k in (1, 2)),
    ]
    run(tmp_path / "fresh.h5", with_views(now))
    assert contents(tmp_path / "f.h5") == contents(tmp_path / "fresh.h5")
    assert load(tmp_path / "f.h5").augmented.of.tolist() == [0, 0, 1, 1, 2, 3, 3, 4, 4]


def test_an_update_may_add_views_and_drop_them(tmp_path):
    run(tmp_path / "f.h5", with_views(PHOTOS[:1]))
    more = run(tmp_path / "f.h5", with_views(PHOTOS[:1], views=3), update=True)
    assert more.computed == ["a.jpg (augmented view 3)"]
    assert load(tmp_path / "f.h5").augmented.view.tolist() == [1, 2, 3]
    none = run(tmp_path / "f.h5", with_views(PHOTOS[:1], views=0), update=True)
    assert none.computed == []
    assert load(tmp_path / "f.h5").augmented is None


def test_two_sets_of_rows_of_one_layer_are_kept_apart(tmp_path):
    recipes, names = (
        (recipe(), recipe(network="toy:other")),
        ("net/penultimate", "other/penultimate"),
    )
    about = {"recipes": recipes, "names": names}
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "f.h5", with_views(PHOTOS), kill_after=6, **about)
    with pytest.raises(RecipeMismatchError, match=r"layers: 'net/penultimate, other/penultimate'"):
        run(tmp_path / "f.h5", with_views(PHOTOS), recipes=recipes, names=("x", "y"))
    run(tmp_path / "f.h5", with_views(PHOTOS), **about)
    assert load(tmp_path / "f.h5").layers == names
    assert [load(tmp_path / "f.h5", name).recipe for name in names] == list(recipes)
    with pytest.raises(RecipeMismatchError, match=r"layers: .* now"):
        run(tmp_path / "f.h5", with_views(PHOTOS), recipes=recipes[:1], update=True)
    kept = run(tmp_path / "f.h5", with_views(PHOTOS), update=True, **about)
    assert kept.computed == []


def test_a_run_that_needs_names_is_a_newer_penults_for_an_older_one(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "f.h5", with_views(PHOTOS), kill_after=6, names=("mine",))
    told = store.parts_folder(tmp_path / "f.h5") / "run.json"
    assert '"format": 2' in told.read_text()
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "g.h5", with_views(PHOTOS), kill_after=6)
    told = store.parts_folder(tmp_path / "g.h5") / "run.json"
    assert '"format": 1' in told.read_text()
    assert '"names"' not in told.read_text()


def test_other_views_are_other_images_to_an_interrupted_run(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "f.h5", with_views(PHOTOS), kill_after=6)
    with pytest.raises(ResumeError, match=r"5 added: a\.jpg \(augmented view 3\)"):
        run(tmp_path / "f.h5", with_views(PHOTOS, views=3))


def test_where_no_photo_can_be_read_the_photos_are_counted(tmp_path):
    records = with_views([photo("a", "bad"), photo("b", "bad")])
    with pytest.raises(
        SourceError, match=r"none of 2 images gave a row; the first, a\.jpg: is bad"
    ):
        run(tmp_path / "f.h5", records)
    with pytest.raises(SourceError, match="none of 2 images"):
        to_memory(job(records))


@pytest.mark.parametrize("what", ["of", "view", "rows/penultimate"])
def test_a_file_whose_views_were_written_wrong_gets_no_name(tmp_path, monkeypatch, what):
    finish = FeatureWriter.finish

    def spoil(self, failures):
        finish(self, failures)
        if "augmented" in self.in_memory():  # not where only the size of a file is measured
            numbers = self.in_memory()[f"augmented/{what}"]
            numbers[0] = numbers[0] + 1

    monkeypatch.setattr(FeatureWriter, "finish", spoil)
    with pytest.raises(OutputError, match="augmented row 0 is"):
        run(tmp_path / "f.h5", with_views(PHOTOS))
    assert not (tmp_path / "f.h5").exists()
    monkeypatch.undo()
    run(tmp_path / "f.h5", with_views(PHOTOS))
    assert penult.load(tmp_path / "f.h5").augmented is not None
