"""The feature file: what is written is what is read, and what is no feature file says so."""

from __future__ import annotations

import errno
import fcntl
import gzip
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from feature_files import recipe, record, write

import penult
from penult.errors import FeatureFileError, PathNotFoundError, UnknownNameError
from penult.features import schema
from penult.features.read import load
from penult.records import Failure


@pytest.fixture
def small(tmp_path):
    records = [record("a/1.jpg", "a"), record("b/2.jpg", "b"), record("loose.jpg")]
    rows = np.arange(12, dtype=np.float32).reshape(3, 4)
    return write(tmp_path / "f.h5", records, [rows], failures=[Failure("b/bad.jpg", "is empty")])


def test_a_reason_that_quotes_a_damaged_file_can_be_stored(tmp_path):
    odd = [Failure("a\0.jpg", "is of the kind \0\udcff")]
    file = write(tmp_path / "f.h5", [record("b.jpg")], [np.ones((1, 4))], failures=odd)
    assert load(file).failures == (Failure(r"a\x00.jpg", r"is of the kind \x00\udcff"),)


def test_what_is_written_is_what_is_read(small):
    features = load(small)
    assert features.ids == ["a/1.jpg", "b/2.jpg", "loose.jpg"]
    assert features.labels.tolist() == [0, 1, -1]
    assert features.label_names == ("a", "b")
    assert features.features[:].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert features.features.dtype == np.float32
    assert features.failures == (Failure("b/bad.jpg", "is empty"),)
    assert features.recipe == recipe()
    assert features.layers == ("penultimate",)
    assert (features.targets, features.splits, features.groups) == (None, None, None)


def test_the_classic_tutorials_reading_code_runs_on_it_unchanged(small):
    db = h5py.File(small, "r")
    i = int(db["labels"].shape[0] * 0.75)
    assert db["features"][:i].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert db["labels"][:i].tolist() == [0, 1]
    assert db["features"][i:].shape == (1, 4)
    names = [name.decode() if isinstance(name, bytes) else name for name in db["label_names"]]
    assert names == ["a", "b"]
    db.close()


def test_several_labels_become_targets_and_no_single_label(tmp_path):
    records = [record("1", "cat"), record("2", "cat", "dog"), record("3")]
    features = load(write(tmp_path / "f.h5", records, [np.zeros((3, 1), np.float32)]))
    assert features.targets.tolist() == [[True, False], [True, True], [False, False]]
    assert features.labels.tolist() == [0, -1, -1]


def test_splits_and_groups_are_kept_and_a_row_without_a_group_stands_alone(tmp_path):
    records = [
        record("1", split="train", group="g"),
        record("2", split="test", group="g"),
        record("3"),
    ]
    features = load(write(tmp_path / "f.h5", records, [np.zeros((3, 1), np.float32)]))
    assert features.splits == ["train", "test", ""]
    assert features.groups == ["g", "g", "3"]


def test_several_layers_are_kept_in_execution_order_and_the_last_is_shown(tmp_path):
    maps, vectors = np.ones((2, 3, 5, 5), np.float32), np.full((2, 4), 2, np.float32)
    records = [record("1"), record("2")]
    path = write(tmp_path / "f.h5", records, [maps, vectors], layers=("z.conv", "a.pool"))
    assert load(path).layers == ("z.conv", "a.pool")
    assert load(path).features[:].tolist() == vectors.tolist()
    assert load(path, "z.conv").features.shape == (2, 3, 5, 5)
    assert load(path, "z.conv").recipe.layer == "z.conv"
    with h5py.File(path) as file:
        assert file["features"] == file["layers/a.pool"]
    with pytest.raises(UnknownNameError, match=r"did you mean z\.conv"):
        load(path, "conv")


def test_rows_may_take_half_the_space(tmp_path):
    rows = np.array([[1 / 3, 2.0]], np.float32)
    features = load(write(tmp_path / "f.h5", [record("1")], [rows], dtype="float16"))
    assert features.features.dtype == np.float16
    np.testing.assert_allclose(features.features[:], rows, rtol=2**-11)


def test_a_slice_reads_little_beyond_itself():
    assert schema.rows_a_chunk(1280 * 4) == 51
    assert schema.rows_a_chunk(10**9) == 1


def test_names_in_any_script_are_kept(tmp_path):
    records = [record("müll/ひ 🌷\n.jpg", "ひ 🌷")]
    features = load(write(tmp_path / "f.h5", records, [np.zeros((1, 1), np.float32)]))
    assert features.ids == ["müll/ひ 🌷\n.jpg"]
    assert features.label_names == ("ひ 🌷",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", r"is empty \(0 bytes\)", id="empty"),
        pytest.param(b"hello", "is not a feature file", id="text"),
        pytest.param(b"PK\x03\x04....", "perhaps a classifier file", id="a zip"),
        pytest.param(b"\x89HDF\r\n\x1a\n....", "truncated or damaged HDF5", id="HDF5 head only"),
    ],
)
def test_what_is_no_feature_file_says_what_it_is(tmp_path, content, message):
    path = tmp_path / "f.h5"
    path.write_bytes(content)
    with pytest.raises(FeatureFileError, match=message) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("tenths", range(1, 10))
def test_a_truncated_file_is_refused_wherever_it_ends(small, tenths):
    data = small.read_bytes()
    small.write_bytes(data[: len(data) * tenths // 10])
    with pytest.raises(FeatureFileError, match="truncated or damaged"):
        load(small)


@pytest.mark.parametrize("name", ["features", "labels"])
def test_one_bit_that_a_disk_changed_is_not_believed(small, name):
    with h5py.File(small) as file:
        place = file[name].id.get_chunk_info(0).byte_offset
    data = bytearray(small.read_bytes())
    data[place + 1] ^= 1
    small.write_bytes(data)
    with pytest.raises(
        FeatureFileError, match=r"damaged.*its bytes are not those that were written"
    ):
        load(small).features[:]


def test_another_programs_hdf5_is_refused(tmp_path):
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["features"] = [[1.0]]
    with pytest.raises(FeatureFileError, match=r"not a feature file of penult's"):
        load(tmp_path / "f.h5")


def test_a_newer_format_is_refused(small):
    with h5py.File(small, "a") as file:
        file.attrs["format"] = schema.FORMAT + 1
    with pytest.raises(FeatureFileError, match="pip install --upgrade penult"):
        load(small)


@pytest.mark.parametrize("name", ["ids", "labels", "features", "failures", "label_names"])
def test_a_file_that_lacks_a_column_is_refused(small, name):
    with h5py.File(small, "a") as file:
        del file[name]
    with pytest.raises(FeatureFileError, match="damaged or incomplete"):
        load(small)


def test_columns_of_different_lengths_are_refused(small):
    with h5py.File(small, "a") as file:
        file["labels"].resize(2, axis=0)
    with pytest.raises(FeatureFileError, match=r"its columns have \[2, 3\] rows"):
        load(small)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(PathNotFoundError, match="no such file"):
        load(tmp_path / "none.h5")
    with pytest.raises(FeatureFileError, match="is a folder"):
        load(tmp_path)


def test_a_feature_file_is_read_without_torch(small):
    code = f"""
import sys, penult
assert len(penult.load({str(small)!r})) == 3
loaded = {{name.partition('.')[0] for name in sys.modules}}
assert not loaded & {{'torch', 'timm', 'torchvision', 'sklearn'}}, loaded
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_public_names_are_sorted_and_all_there():
    assert list(penult.__all__) == sorted(penult.__all__)
    assert set(penult._HOMES) < set(penult.__all__)
    for name in penult.__all__:
        assert getattr(penult, name) is not None


NAMES = [
    "a",
    "a/b",
    "/a/b",
    "a//b",
    "a/",
    "/",
    ".",
    "..",
    "",
    "%",
    "a%2Fb",
    "100%",
    "ひ 🌷",
    "x" * 70_000,
]


def test_a_layer_may_have_any_name(tmp_path):
    rows = [np.full((1, 2), k, np.float32) for k in range(len(NAMES))]
    path = write(tmp_path / "f.h5", [record("1")], rows, layers=NAMES)
    assert load(path).layers == tuple(NAMES)
    for k, name in enumerate(NAMES):
        if name:  # one that has none cannot be named
            assert load(path, name).features[:].tolist() == [[k, k]]
    with h5py.File(path) as file:
        assert file["features"] == file[f"layers/{NAMES[-1]}"]
        assert file["layers/%2Fa%2Fb"][0].tolist() == [2, 2]


def test_a_file_of_the_first_penult_opens(tmp_path):
    """Of format 1, when a layer's dataset had the layer's name as it is."""
    path = tmp_path / "f.h5"
    path.write_bytes(gzip.decompress(Path(__file__).with_name("format1.h5.gz").read_bytes()))
    features = load(path)
    assert features.layers == ("layer1.0", "100%")
    assert features.features[:].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert load(path, "layer1.0").features.shape == (3, 1, 2, 2)
    assert features.ids == ["a/1.jpg", "a/2.jpg", "100%/ひ 🌷.jpg"]
    assert features.targets.tolist() == [[True, False], [True, True], [False, False]]
    assert features.failures == (Failure("b/bad.jpg", "is empty"),)
    assert features.origin["passed_over"] == {".txt": 1}


def test_a_file_whose_layers_became_groups_in_groups_opens(tmp_path):
    """As they were written at first: the rows are there, and nothing else was left of them."""
    rows = [np.zeros((1, 2), np.float32), np.ones((1, 2), np.float32)]
    path = write(tmp_path / "f.h5", [record("1")], rows, layers=("/one/a", "/one/b"))
    with h5py.File(path, "a") as file:
        del file["features"]
        for name in ("/one/a", "/one/b"):
            file.move(f"layers/{name.replace('/', '%2F')}", f"layers/{name}")
        file["features"] = h5py.SoftLink("/layers//one/b")
    assert load(path).layers == ("/one/a", "/one/b")
    assert load(path).features[:].tolist() == [[1, 1]]


def test_a_file_that_is_open_elsewhere_for_writing_is_in_use_and_not_damaged(small):
    with small.open("rb") as other:  # as HDF5 locks what it writes
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(
            FeatureFileError, match="is in use: another program has it open"
        ) as told:
            load(small)
    assert "damaged" not in str(told.value)
    assert len(load(small)) == 3


def test_a_file_marked_as_being_written_says_how_to_clear_the_mark(small):
    with h5py.File(small, "w", libver="latest") as file:
        file["a"] = [1]
    code = "import h5py, os, sys; f = h5py.File(sys.argv[1], 'r+'); f.flush(); os._exit(0)"
    subprocess.run([sys.executable, "-c", code, small], check=True)
    with pytest.raises(FeatureFileError, match=rf"in use.*h5clear -s {small}"):
        load(small)


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS], ids=os.strerror)
def test_a_file_system_without_locks_is_read_without(small, monkeypatch, code):
    opened = h5py.File

    def refuse(path, mode, locking=None):
        if locking is None or switched_on:
            raise OSError(
                code, "Unable to synchronously open file (unable to lock file, errno = …)"
            )
        return opened(path, mode, locking=locking)

    switched_on = False
    monkeypatch.setattr(h5py, "File", refuse)
    assert len(load(small)) == 3
    switched_on = True  # HDF5_USE_FILE_LOCKING=TRUE wins over what a program asks for
    with pytest.raises(FeatureFileError, match="HDF5_USE_FILE_LOCKING=FALSE"):
        load(small)
