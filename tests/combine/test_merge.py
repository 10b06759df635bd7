"""Folders of rows merged are the file that one machine would have written."""

from __future__ import annotations

import re
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from feature_files import recipe, record
from parts_folders import divided, write_folder
from PIL import Image

import penult
from penult.errors import (
    FeatureFileError,
    OutputExistsError,
    RecipeMismatchError,
    SourceError,
    UsageError,
    WrongFileError,
)
from penult.features.write import Columns, FeatureWriter
from penult.images.pixels.decode import MAX_PIXELS
from penult.recipe import AugmentedRecipe
from penult.records import AugmentedRecord, Failure

pytestmark = pytest.mark.light

CREATED = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")


def bytes_but_for_the_time(path: Path) -> bytes:
    return CREATED.sub(b"", path.read_bytes())


@pytest.fixture
def folder_of_images(tmp_path):
    """Seven photos of two classes and three splits; one of them, and one missing, fail."""
    photos = tmp_path / "photos"
    for k, split in enumerate(("train", "train", "train", "test", "test", "validation", "train")):
        path = photos / split / ("ab"[k % 2]) / f"{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (k * 30, k, 3)).save(path)
    (photos / "test/a/broken.png").write_bytes(b"no image")
    return photos


@pytest.mark.parametrize("options", [
    {"layer": "penultimate"},
    {"layer": ["mean", "logits"], "dtype": "float16"},
    {"layer": "penultimate", "augment": 2},
])  # fmt: skip
@pytest.mark.parametrize("part_images", [1, 3, 100])
def test_the_file_is_that_of_an_extraction_but_for_the_time(
    tmp_path, folder_of_images, toy, options, part_images
):
    one = tmp_path / "one.h5"
    penult.extract(folder_of_images, one, model="toy:mean-colour", **options)
    divided(one, tmp_path / "photos.rows", part_images=part_images)
    made = penult.merge(tmp_path / "photos.rows", tmp_path / "merged.h5")
    assert len(made.failures) == 1
    assert bytes_but_for_the_time(tmp_path / "merged.h5") == bytes_but_for_the_time(one)


def test_blocks_end_where_those_of_an_extraction_end(tmp_path):
    """More rows than are read at a time: the first alone, and then 1,024 a block."""
    records = [record(f"{k:04}.jpg", "ab"[k % 2]) for k in range(2500)]
    rows = np.arange(5000, dtype=np.float32).reshape(-1, 2)
    write_folder(tmp_path / "p.rows", records, [rows], part_images=700)
    penult.merge(tmp_path / "p.rows", tmp_path / "merged.h5")
    writer = FeatureWriter(tmp_path / "one.h5", [recipe()], Columns.of(records))
    for start, end in pairwise((0, 1, 1025, 2049, 2500)):
        digests = [f"{k:032x}" for k in range(start, end)]
        writer.append(records[start:end], digests, [rows[start:end]])
    writer.finish([])
    writer.close()
    ours, theirs = (bytes_but_for_the_time(tmp_path / name) for name in ("merged.h5", "one.h5"))
    assert ours == theirs


@pytest.mark.needs("pyarrow")
def test_parts_in_parquet_make_the_same_file(tmp_path, folder_of_images, toy):
    one = tmp_path / "one.h5"
    penult.extract(folder_of_images, one, model="toy:mean-colour", layer=["pixels", "mean"])
    divided(one, tmp_path / "photos.rows", format="parquet")
    penult.merge(tmp_path / "photos.rows", tmp_path / "merged.h5")
    assert bytes_but_for_the_time(tmp_path / "merged.h5") == bytes_but_for_the_time(one)


def test_what_could_not_be_listed_is_among_the_failures_by_id(tmp_path):
    records = [record("a.jpg", "x"), record("c.jpg", "x"), record("d.jpg", "y")]
    write_folder(
        tmp_path / "p.rows",
        records,
        [np.ones((3, 2), np.float32)],
        failed={"c.jpg": "is empty"},
        unlisted=[Failure("b", "the folder cannot be read"), Failure("e", "does not exist")],
    )
    made = penult.merge(tmp_path / "p.rows", tmp_path / "m.h5")
    assert [one.id for one in made.failures] == ["b", "c.jpg", "e"]


def test_which_images_trained_the_network_is_kept(tmp_path):
    from penult.content_keys import keys_of

    records = [record(f"{k}.jpg", "x") for k in range(4)]
    keys = keys_of([f"{k:032x}" for k in (1, 2)])
    write_folder(tmp_path / "p.rows", records, [np.ones((4, 2), np.float32)], trained_on=(keys,))
    made = penult.merge(tmp_path / "p.rows", tmp_path / "m.h5")
    assert made.trained_network.tolist() == [False, True, True, False]


def test_views_lie_apart_in_the_merged_file_and_belong_to_their_photos(tmp_path):
    photos = [record(f"{k}.jpg", "x") for k in range(3)]
    records = [one for photo in photos for one in (photo, AugmentedRecord(photo, 1))]
    rows = np.arange(12, dtype=np.float32).reshape(6, 2)
    how = AugmentedRecipe(recipe(), policy="light", seed=0)
    failed = {"1.jpg": "is empty", records[3].id: "is empty"}
    write_folder(tmp_path / "p.rows", records, [rows], failed=failed, augmented=(how,))
    made = penult.merge(tmp_path / "p.rows", tmp_path / "m.h5")
    assert made.augmented.of.tolist() == [0, 1]
    assert made.augmented.features[:].tolist() == [[2, 3], [10, 11]]
    assert made.features[:].tolist() == [[0, 1], [8, 9]]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "without augmented views, and .*b.h5 with augment=2: a classifier"),
        ({"augment": 1}, "with augment=1, and .*b.h5 with augment=2: a classifier"),
    ],
)
def test_photos_with_other_numbers_of_views_are_not_merged(
    tmp_path, folder_of_images, toy, options, said
):
    photos = {name: folder_of_images / "train" / name for name in "ab"}
    penult.extract(photos["a"], tmp_path / "a.h5", model=toy, **options)
    penult.extract(photos["b"], tmp_path / "b.h5", model=toy, augment=2)
    with pytest.raises(RecipeMismatchError, match=rf"a\.h5 was extracted {said}"):
        penult.merge([tmp_path / "a.h5", tmp_path / "b.h5"], tmp_path / "m.h5")
    assert not (tmp_path / "m.h5").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_pixels": 9000}, r"without max_pixels, and .*b\.h5 with max_pixels=9000: an image"),
        ({"allow_truncated": True}, r"without allow_truncated, and .*b\.h5 with allow_truncated=T"),
    ],
)
def test_photos_of_which_others_would_have_failed_are_not_merged(
    tmp_path, folder_of_images, toy, options, said
):
    photos = folder_of_images / "train"
    penult.extract(photos / "a", tmp_path / "a.h5", model=toy)
    penult.extract(photos / "b", tmp_path / "b.h5", model=toy, **options)
    with pytest.raises(RecipeMismatchError, match=rf"a\.h5 was extracted {said}"):
        penult.merge([tmp_path / "a.h5", tmp_path / "b.h5"], tmp_path / "m.h5")


def test_the_limit_that_there_is_anyway_is_no_other_limit(tmp_path, folder_of_images, toy):
    photos = folder_of_images / "train"
    penult.extract(photos / "a", tmp_path / "a.h5", model=toy)
    penult.extract(photos / "b", tmp_path / "b.h5", model=toy, max_pixels=MAX_PIXELS)
    assert len(penult.merge([tmp_path / "a.h5", tmp_path / "b.h5"], tmp_path / "m.h5")) == 4


def test_photos_of_which_none_is_trained_on_are_merged_with_views_of_others(
    tmp_path, folder_of_images, toy
):
    for split in ("train", "test"):
        folder = tmp_path / "runs" / split
        shutil.copytree(folder_of_images / split, folder / split)
        penult.extract(folder, tmp_path / f"{split}.h5", model=toy, augment=1)
    assert penult.load(tmp_path / "test.h5").augmented is None
    made = penult.merge([tmp_path / "test.h5", tmp_path / "train.h5"], tmp_path / "m.h5")
    assert (len(made), made.augmented.of.tolist()) == (6, [2, 3, 4, 5])


@pytest.fixture
def folder(tmp_path):
    records = [record(f"{k}.jpg", "x") for k in range(5)]
    return write_folder(tmp_path / "p.rows", records, [np.ones((5, 2), np.float32)])


def test_a_damaged_part_leaves_no_file(tmp_path, folder):
    part = folder / "rows-0123abcd-00002.h5"
    part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(FeatureFileError, match=r"00002\.h5 is damaged: it has"):
        penult.merge(folder, tmp_path / "m.h5")
    assert not (tmp_path / "m.h5").exists()


def test_a_part_of_as_many_bytes_that_is_another_is_not_merged(tmp_path, folder):
    part = folder / "rows-0123abcd-00002.h5"
    one = np.float32(1).tobytes()
    part.write_bytes(part.read_bytes().replace(one * 2, one + np.float32(123).tobytes(), 1))
    with pytest.raises(
        FeatureFileError, match=r"1 of \d parts is not as .*00002\.h5 has other bytes"
    ):
        penult.merge(folder, tmp_path / "m.h5")


def test_a_file_is_not_replaced_unasked(tmp_path, folder):
    (tmp_path / "m.h5").write_text("mine")
    with pytest.raises(OutputExistsError):
        penult.merge(folder, tmp_path / "m.h5")
    assert len(penult.merge(folder, tmp_path / "m.h5", overwrite=True)) == 5


def test_one_file_is_merged_already(tmp_path, folder):
    penult.merge(folder, tmp_path / "m.h5")
    with pytest.raises(WrongFileError, match="is one feature file already"):
        penult.merge(tmp_path / "m.h5", tmp_path / "n.h5")


def test_progress_counts_rows(tmp_path, folder):
    told = []
    penult.merge(folder, tmp_path / "m.h5", progress=told.append)
    assert [(one.done, one.total, one.stage) for one in told][::2] == [
        (0, 5, "merge"),
        (5, 5, "merge"),
    ]


@pytest.mark.parametrize("options", [
    {"layer": "penultimate"},
    {"layer": ["mean", "logits"], "dtype": "float16"},
    {"layer": "penultimate", "augment": 2},
])  # fmt: skip
def test_several_make_the_file_of_one_run_over_the_images_of_all(
    tmp_path, folder_of_images, toy, options
):
    """A list that is divided, of which one half is a folder of rows and the other a file."""
    images = sorted(one.as_posix() for one in folder_of_images.rglob("*.png"))
    listing = tmp_path / "images.csv"

    def extract(some, name):
        lines = [f"{one},{Path(one).parent.name},{Path(one).parts[-3]}" for one in some]
        listing.write_text("\n".join(["path,label,split", *lines]))
        penult.extract(listing, tmp_path / name, model="toy:mean-colour", **options)
        return tmp_path / name

    one = extract(images, "one.h5")
    first, second = extract(images[:5], "first.h5"), extract(images[5:], "second.h5")
    divided(first, tmp_path / "first.rows")

    penult.merge([tmp_path / "first.rows", second], tmp_path / "merged.h5")

    assert bytes_but_for_the_time(tmp_path / "merged.h5") == bytes_but_for_the_time(one)


def folder_of(place, names, label="x", value=1.0, **options):
    records = [record(name, label) for name in names]
    return write_folder(place, records, [np.full((len(names), 2), value, np.float32)], **options)


def test_several_are_in_the_order_in_which_they_are_given(tmp_path):
    two = folder_of(tmp_path / "2.rows", ["a.jpg", "c.jpg", "e.jpg"], "y", value=2)
    one = folder_of(tmp_path / "1.rows", ["b.jpg", "d.jpg"], "x", failed={"d.jpg": "is empty"})

    made = penult.merge([two, one], tmp_path / "m.h5")

    assert list(made.ids) == ["a.jpg", "c.jpg", "e.jpg", "b.jpg"]
    assert made.features[:].tolist() == [[2, 2], [2, 2], [2, 2], [1, 1]]
    assert made.label_names == ("x", "y")
    assert made.labels.tolist() == [1, 1, 1, 0]
    assert [one.id for one in made.failures] == ["d.jpg"]


def test_where_the_images_of_each_came_from_is_kept(tmp_path):
    places = [
        folder_of(tmp_path / f"{k}.rows", [f"{k}.jpg"], origin={"sources": [f"/photos/{k}"]})
        for k in (1, 2)
    ]
    made = penult.merge(places, tmp_path / "m.h5")
    assert made.origin == {"sources": ["/photos/1"], "added": [{"sources": ["/photos/2"]}]}


def test_the_images_of_all_are_found_again_where_they_are_and_where_they_have_moved(tmp_path, toy):
    for folder, names in (("north", "abc"), ("south", "de")):
        for k, name in enumerate(names):
            path = tmp_path / folder / "x" / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 8), (ord(name), k, 3)).save(path)
        rows = tmp_path / f"{folder}.rows"
        penult.extract(tmp_path / folder, rows, model="toy:mean-colour", splits="none")
    merged = tmp_path / "all.h5"
    penult.merge([tmp_path / "north.rows", tmp_path / "south.rows"], merged)

    told = penult.verify(merged, sample=5)
    assert (told.compared, told.missing) == (5, ())
    assert all(
        str(tmp_path / name) in penult.info(merged)._repr_html_() for name in ("north", "south")
    )
    moved = [(tmp_path / name).rename(tmp_path / f"{name}-now") for name in ("north", "south")]
    assert penult.verify(merged, images=moved).compared == 5


def test_an_image_that_is_in_two_is_named_even_if_it_failed_in_one(tmp_path):
    one = folder_of(tmp_path / "1.rows", ["a.jpg", "b.jpg", "c.jpg"], failed={"b.jpg": "is empty"})
    two = folder_of(tmp_path / "2.rows", ["z.jpg", "b.jpg", "c.jpg"])

    with pytest.raises(
        SourceError, match=r"2 images are both in .*1\.rows and in .*2\.rows: b\.jpg"
    ):
        penult.merge([one, two], tmp_path / "m.h5")
    assert not (tmp_path / "m.h5").exists()


def test_what_one_listing_lacked_and_another_has_is_no_failure(tmp_path):
    """As where one table of labels names the images of all."""
    lacking = [Failure("b.jpg", "does not exist"), Failure("q.jpg", "does not exist")]
    one = folder_of(tmp_path / "1.rows", ["a.jpg"], unlisted=lacking)
    two = folder_of(tmp_path / "2.rows", ["b.jpg"], unlisted=lacking[1:])

    assert penult.merge([one, two], tmp_path / "m.h5").failures == (lacking[1],)


@pytest.mark.parametrize(("other", "complaint"), [
    ({"layers": ("mean",)}, "has the rows penultimate, and .*2.rows has mean"),
    ({"recipes": {"penultimate": recipe(network="toy:other")}}, "different recipes.*: architecture: "),
    ({"dtype": "float16"}, "rows of 2 float32, and .*2.rows has rows of 2 float16"),
])  # fmt: skip
def test_what_was_made_otherwise_is_refused(tmp_path, other, complaint):
    one = folder_of(tmp_path / "1.rows", ["a.jpg"])
    two = folder_of(tmp_path / "2.rows", ["b.jpg"], **other)
    with pytest.raises(RecipeMismatchError, match=complaint):
        penult.merge([one, two], tmp_path / "m.h5")


def test_none_and_one_twice_are_refused_and_so_is_a_file_that_is_read(tmp_path, folder):
    with pytest.raises(UsageError, match="give one or more"):
        penult.merge([], tmp_path / "m.h5")
    with pytest.raises(UsageError, match=r"p\.rows was given twice"):
        penult.merge([folder, f"{folder}/"], tmp_path / "m.h5")
    penult.merge(folder, tmp_path / "m.h5")
    with pytest.raises(OutputExistsError, match="is what is read"):
        penult.merge([folder, tmp_path / "m.h5"], tmp_path / "m.h5", overwrite=True)
