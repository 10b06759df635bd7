"""A folder of rows merged is the file that one machine would have written."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import penult
from penult.errors import FeatureFileError, OutputExistsError, WrongFileError
from penult.features.write import Columns, FeatureWriter
from penult.recipe import AugmentedRecipe
from penult.records import AugmentedRecord, Failure
from tests.feature_files import recipe, record
from tests.parts_folders import divided, write_folder

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
