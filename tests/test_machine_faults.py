"""A file that the machine fails to read is not called damaged, and nothing of it is removed."""

from __future__ import annotations

import errno
import os
import zipfile
from contextlib import suppress
from pathlib import Path

import feature_files
import h5py
import numpy as np
import pytest
from safetensors import numpy as safetensors

import penult
from penult.backbones.weights.arrays import read_arrays
from penult.classify.loading import load_classifier
from penult.classify.training.train import train
from penult.errors import FeatureFileError, FileFormatError, UnreadableFileError
from penult.features import h5_file, heap
from penult.inputs import refuse_unread
from penult.machine_faults import is_of_memory, machine_fault
from penult.parsing import read_record
from penult.records import Failure
from penult.reporting.steps import rows as report_rows

pytestmark = pytest.mark.light

NO_MEMORY = OSError(errno.ENOMEM, "Cannot allocate memory")
NUMPYS = MemoryError("Unable to allocate 294. KiB for an array with shape (75264,)")
HDF5S = OSError("Can't synchronously read data (memory allocation failed for raw data chunk)")
DISK = OSError(errno.EIO, os.strerror(errno.EIO))

TOO_LITTLE = "cannot be read: there is too little memory"
HINT = "; close other programs, or raise the limit that this one has"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        NUMPYS,
        NO_MEMORY,
        HDF5S,
        RuntimeError("std::bad_alloc"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to"),
        RuntimeError("[Errno 12] Cannot allocate memory"),
        RuntimeError("can't start new thread"),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    ],
)
def test_each_library_s_lack_of_memory_is_known(error):
    assert is_of_memory(error)
    assert machine_fault(error).startswith("there is too little memory")


@pytest.mark.parametrize(
    "error",
    [
        OSError("Unable to synchronously open file (truncated file: eof = 96)"),
        OSError(errno.EINVAL, "Invalid argument"),  # a place before the file's beginning
        ValueError("cannot reshape array of size 3"),
        KeyError("memory"),
        ImportError("libtorch_cpu.so: failed to map segment: Operation not permitted"),  # noexec
    ],
)
def test_what_a_damaged_file_raises_is_not_laid_on_the_machine(error):
    assert machine_fault(error) is None
    refuse_unread("a.h5", error)


def test_a_disk_that_fails_is_said_in_the_system_s_words():
    with pytest.raises(UnreadableFileError) as raised:
        refuse_unread("a.h5", DISK)
    assert str(raised.value) == "a.h5 cannot be read: input/output error"


def failing(error):
    def call(*_: object, **__: object):
        raise error

    return call


@pytest.fixture
def rows(tmp_path):
    records = [feature_files.record(f"{k}.jpg", "ab"[k % 2]) for k in range(8)]
    values = np.arange(16, dtype=np.float32).reshape(8, 2)
    return feature_files.write(tmp_path / "rows.h5", records, [values])


def test_a_feature_file_that_there_is_no_memory_to_open_is_not_damaged(rows, monkeypatch):
    monkeypatch.setattr(heap.np, "memmap", failing(NO_MEMORY))
    with pytest.raises(UnreadableFileError) as raised:
        penult.load(rows)
    assert str(raised.value) == f"{rows} {TOO_LITTLE}{HINT}"


@pytest.mark.parametrize("error", [NUMPYS, NO_MEMORY, HDF5S])
def test_nor_one_whose_columns_there_is_no_memory_for(rows, monkeypatch, error):
    monkeypatch.setattr(h5_file, "_features", failing(error))
    with pytest.raises(UnreadableFileError, match=TOO_LITTLE):
        penult.load(rows)


@pytest.mark.parametrize(
    ("error", "said"), [(HDF5S, TOO_LITTLE), (DISK, "cannot be read: input/output error")]
)
def test_nor_one_whose_rows_the_machine_fails_to_read(rows, monkeypatch, error, said):
    features = penult.load(rows)
    monkeypatch.setattr(h5py.Dataset, "__getitem__", failing(error))
    with pytest.raises(UnreadableFileError, match=said):
        features.features[:]


def test_an_index_and_a_classifier_there_is_no_memory_for_are_not_damaged(rows, monkeypatch):
    index, classifier = rows.with_name("a.index"), rows.with_name("a.skops")
    features = penult.load(rows)
    penult.Index.of(features).save(index)
    train(features, grid={"C": [1]}, folds=2).save(classifier)
    monkeypatch.setattr(zipfile.ZipFile, "read", failing(NUMPYS))
    with pytest.raises(UnreadableFileError) as raised:
        load_classifier(classifier)
    assert str(raised.value) == f"{classifier} {TOO_LITTLE} ({NUMPYS}){HINT}"
    monkeypatch.setattr(np, "memmap", failing(NUMPYS))
    with pytest.raises(UnreadableFileError, match=rf"a\.index {TOO_LITTLE}"):
        penult.Index.open(index)


def test_nor_are_weights(tmp_path, monkeypatch):
    path = tmp_path / "w.safetensors"
    path.write_bytes(safetensors.save({"a": np.ones(3, np.float32)}))
    monkeypatch.setattr(safetensors, "load_file", failing(NUMPYS))
    with pytest.raises(UnreadableFileError, match=TOO_LITTLE):
        read_arrays(path)


def test_nor_is_what_is_kept_as_json(tmp_path, monkeypatch):
    (tmp_path / "a.json").write_text("{}")
    monkeypatch.setattr(Path, "read_text", failing(DISK))
    with pytest.raises(FileFormatError, match="cannot be read: input/output error"):
        read_record(Failure, tmp_path / "a.json", remedy="make it anew")


@pytest.mark.parametrize(
    ("error", "calls"), [(FeatureFileError("damaged"), 2), (UnreadableFileError("no memory"), 1)]
)
def test_rows_of_an_earlier_report_are_made_anew_if_damaged_and_not_if_unread(
    tmp_path, error, calls
):
    told = []

    class Extraction:
        def to_file(self, images, path, **how):
            told.append(how)
            if how.get("update"):
                raise error

    with suppress(UnreadableFileError):
        report_rows.extract_rows(
            Extraction(), [], tmp_path / "a.h5", earlier=tmp_path / "b.h5", tell=print
        )
    assert len(told) == calls
