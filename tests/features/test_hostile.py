"""A feature file from a stranger, or a damaged one, ends in one line: nothing else is read for it."""

from __future__ import annotations

import json
import os
import random
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest
from feature_files import record, write

import penult
from penult.errors import FeatureFileError, UsageError
from penult.features.column import Refused, read_pairs, read_texts
from penult.features.heap import has_endless_heap
from penult.records import Failure


@pytest.fixture(scope="module")
def content(tmp_path_factory) -> bytes:
    """A file of two layers and every column."""
    records = [record(f"{k}.jpg", "ab"[k % 2], split="train", group=f"g{k}") for k in range(5)]
    records.append(record("6.jpg", "a", "b"))
    rows = [np.ones((6, 2, 3, 3), np.float32), np.arange(24, dtype=np.float32).reshape(6, 4)]
    origin = {"sources": ["/photos"], "passed_over": {}}
    failures = [Failure("bad.jpg", "is empty")]
    path = tmp_path_factory.mktemp("whole") / "f.h5"
    write(path, records, rows, layers=("maps", "last"), failures=failures, origin=origin)
    return path.read_bytes()


@pytest.fixture
def whole(content, tmp_path) -> Path:
    """That file, and one beside it that is nobody's business."""
    (tmp_path / "secret").write_bytes(b"root:x:0:0:root:/root:/bin/bash\n" * 50)
    (tmp_path / "f.h5").write_bytes(content)
    return tmp_path / "f.h5"


def read_all(path: Path) -> None:
    features = penult.load(path)
    for layer in features.layers:
        assert len(penult.load(path, layer).features[:]) == len(list(features.ids))


def refused(path: Path) -> str:
    with pytest.raises(FeatureFileError) as caught:
        read_all(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


def put(name: str, value):
    def change(file: h5py.File) -> None:
        del file[name]
        file[name] = value

    return change


def claim(name: str, shape, dtype, **how):
    def change(file: h5py.File) -> None:
        del file[name]
        file.create_dataset(name, shape, dtype, **how)

    return change


def external_storage(file: h5py.File) -> None:
    where = str(Path(file.filename).with_name("secret"))
    del file["labels"]
    file.create_dataset("labels", (6,), "i8", external=[(where, 0, h5py.h5f.UNLIMITED)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((6,), "i8")
    layout[:] = h5py.VirtualSource("other.h5", "labels", (6,))
    del file["labels"]
    file.create_virtual_dataset("labels", layout)


def packed_by_another_filter(file: h5py.File) -> None:
    labels = file["labels"][:]
    del file["labels"]
    file.create_dataset("labels", data=labels, scaleoffset=4)


ELSEWHERE = {
    "external storage": (external_storage, r"its labels lies in another file, .*secret"),
    "a virtual dataset": (virtual, "its labels is virtual"),
    "an external link": (put("ids", h5py.ExternalLink("other.h5", "/ids")), r"a link .*other\.h5"),
    "a soft link": (put("ids", h5py.SoftLink("/content")), "a link .*/content"),
    "a linked layer": (put("layers/maps", h5py.ExternalLink("o.h5", "/x")), r"a link .*o\.h5"),
    "linked layers": (put("layers", h5py.ExternalLink("o.h5", "/layers")), r"a link .*o\.h5"),
    "a foreign filter": (packed_by_another_filter, "packed by filter 6"),
}


@pytest.mark.parametrize("case", ELSEWHERE)
def test_a_file_that_refers_to_something_else_is_refused(whole, case):
    change, message = ELSEWHERE[case]
    with h5py.File(whole, "a") as file:
        change(file)
    with pytest.raises(FeatureFileError, match=message):
        penult.load(whole)
    refused(whole)


def test_an_external_link_is_not_even_looked_at(whole, tmp_path):
    os.mkfifo(tmp_path / "pipe")  # opening it would wait for ever
    with h5py.File(whole, "a") as file:
        for name in ("groups", "layers", "features"):
            del file[name]
            file[name] = h5py.ExternalLink(str(tmp_path / "pipe"), "/x")
    refused(whole)


MANY = 10**12
TEXT = h5py.string_dtype()
NONSENSE = {
    "a number for a column": put("labels", 3),
    "a text for a column": put("ids", "one"),
    "an empty dataspace": put("labels", h5py.Empty("i8")),
    "a group for a column": lambda f: (f.__delitem__("labels"), f.create_group("labels")),
    "a type for a column": put("labels", np.dtype("i8")),
    "numbers for texts": put("ids", np.arange(6)),
    "fractions for labels": put("labels", np.zeros(6)),
    "texts for labels": put("labels", ["a"] * 6),
    "texts for rows": put("layers/maps", np.array([["a"]] * 6, dtype=object)),
    "numbers for failures": put("failures", np.arange(3)),
    "other pairs for failures": put("failures", np.zeros(1, [("id", "S3"), ("why", "S3")])),
    "rows of one axis": put("layers/maps", np.zeros(6, np.float32)),
    "rows of no length": put("layers/maps", np.zeros((6, 0), np.float32)),
    "labels without names": put("labels", np.full(6, 2)),
    "labels below none": put("labels", np.full(6, -2)),
    "targets of other names": put("targets", np.zeros((6, 3), bool)),
    "no name at all": put("label_names", np.array([], dtype=TEXT)),
    "one name twice": put("label_names", np.array(["a", "a"], dtype=TEXT)),
    "an unknown split": put("splits", np.array(["tqain"] * 6, dtype=TEXT)),
    "digests of another length": put("content", np.array(["0"] * 6, dtype=TEXT)),
    "a billion ids": claim("ids", (MANY,), TEXT, chunks=(1024,)),
    "a billion labels": claim("labels", (MANY,), "i8"),
    "a billion failures": claim("failures", (MANY,), np.dtype([("id", TEXT), ("reason", TEXT)])),
    "rows that were never written": claim("layers/last", (6, MANY), "f4", chunks=(1, 4096)),
    "rows grown afterwards": lambda f: f["layers/last"].resize(MANY, axis=0),
    "a layer without a recipe": lambda f: f["layers/last"].attrs.__delitem__("recipe"),
    "a recipe that is a number": lambda f: f["layers/last"].attrs.__setitem__("recipe", 3),
    "a layer twice": lambda f: f["layers"].__setitem__("again", f["layers/last"]),
    "a group in itself": lambda f: f["layers"].__setitem__("again", f["layers"]),
    "no place among the layers": lambda f: f["layers/last"].attrs.__delitem__("position"),
}


@pytest.mark.parametrize("case", NONSENSE)
def test_a_file_that_cannot_be_right_is_refused_by_what_it_says_of_itself(whole, case):
    with h5py.File(whole, "a") as file:
        NONSENSE[case](file)
    assert len(refused(whole)) < 400


ORIGINS = {
    "a number": "3",
    "null": "null",
    "no JSON": "{",
    "deeply nested": "[" * 100_000,
    "sources that are a number": '{"sources": 3}',
    "sources of numbers": '{"sources": [3]}',
    "a source with a NUL": json.dumps({"sources": ["a\0b"]}),
    "a list of what was passed over": '{"passed_over": [1]}',
    "a word for a limit": '{"max_pixels": "many"}',
}


@pytest.mark.parametrize("case", ORIGINS)
def test_an_origin_that_later_steps_could_not_use_is_refused(whole, case):
    with h5py.File(whole, "a") as file:
        file.attrs["origin"] = ORIGINS[case]
    refused(whole)


@pytest.mark.parametrize("recipe", ["[" * 100_000, '{"kind": ' * 100_000, "1" * 5000, "{}", ""])
def test_a_recipe_that_is_none_is_refused(whole, recipe):
    with h5py.File(whole, "a") as file:
        file["layers/last"].attrs["recipe"] = recipe
    refused(whole)


@pytest.mark.parametrize("chunks", [(6,), None], ids=["in chunks", "in one piece"])
def test_many_references_to_one_long_text_are_refused_before_they_fill_the_memory(whole, chunks):
    """Six rows whose groups are one text of a megabyte: HDF5 makes six of it, of thousands so many."""
    with h5py.File(whole, "a") as file:
        del file["groups"]
        groups = file.create_dataset("groups", (6,), TEXT, chunks=chunks)
        groups[:] = ["x" * 10**6, *"bcdef"]
    with h5py.File(whole) as file:
        groups = file["groups"].id
        at = groups.get_chunk_info(0).byte_offset if chunks else groups.get_offset()
    data = bytearray(whole.read_bytes())
    data[at : at + 6 * 16] = data[at : at + 16] * 6
    whole.write_bytes(data)
    with h5py.File(whole) as file:
        assert {len(text) for text in file["groups"][:]} == {10**6}
    assert "longer than the file" in refused(whole)


def test_what_h5repack_does_to_a_file_is_fine(whole):
    with h5py.File(whole, "a") as file:
        for name in ("labels", "layers/last", "ids"):
            data, dtype, recipe = file[name][()], file[name].dtype, dict(file[name].attrs)
            del file[name]
            packed = file.create_dataset(name, data=data, dtype=dtype, compression="gzip")
            packed.attrs.update(recipe)
    features = penult.load(whole)
    assert features.features[1].tolist() == [4, 5, 6, 7]
    assert features.ids[5] == "6.jpg"


def test_damage_among_rows_is_told_when_they_are_read(whole):
    with h5py.File(whole, "a") as file:
        attributes = dict(file["layers/last"].attrs)
        del file["layers/last"]
        rows = np.arange(24, dtype=np.float32).reshape(6, 4)
        file.create_dataset("layers/last", data=rows, chunks=(2, 4), fletcher32=True).attrs.update(
            attributes
        )
        at = file["layers/last"].id.get_chunk_info(1).byte_offset
    data = bytearray(whole.read_bytes())
    data[at] ^= 1
    whole.write_bytes(data)
    features = penult.load(whole)
    assert features.features[:2].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    for read in (lambda rows: rows[2], lambda rows: rows[:], np.asarray):
        with pytest.raises(FeatureFileError, match="rows of it cannot be read") as caught:
            read(features.features)
        assert str(whole) in str(caught.value)


@pytest.mark.parametrize("seed", range(150))
def test_flipped_bits_end_in_one_line_or_do_no_harm(whole, seed):
    rng = random.Random(seed)
    data = bytearray(whole.read_bytes())
    used = np.flatnonzero(np.frombuffer(data, np.uint8)).tolist()
    for _ in range(rng.choice([1, 2, 8])):
        data[rng.choice(used)] ^= 1 << rng.randrange(8)
    whole.write_bytes(data)
    with suppress(FeatureFileError):
        read_all(whole)


def test_a_heap_in_which_hdf5_would_go_round_for_ever_is_refused(whole):
    data = bytearray(whole.read_bytes())
    assert not has_endless_heap(whole)
    at = data.index(b"GCOL") + 16
    data[at : at + 2] = b"\0\0"  # not the first entry, but what is free, ...
    data[at + 8 : at + 16] = bytes(8)  # ... of no size
    whole.write_bytes(data)
    assert "truncated or damaged" in refused(whole)


@pytest.mark.parametrize("name", ["ids", "content", "failures"])
def test_a_column_whose_texts_have_no_end_is_refused_before_hdf5_reads_it(whole, name):
    # In a large file it may lie far behind the beginning, which is looked at on opening.
    read = read_pairs if name == "failures" else read_texts
    with h5py.File(whole) as file:
        assert list(read(file[name]))
        raw = whole.read_bytes()[file[name].id.get_offset() or 0 :]
        if file[name].chunks:
            raw = file[name].id.read_direct_chunk((0,))[1]
    at = int.from_bytes(raw[4:12], "little")  # the heap of the first text, behind its length
    data = bytearray(whole.read_bytes())
    assert data[at : at + 4] == b"GCOL"
    data[at + 24 : at + 32] = (2**64 - 16).to_bytes(8, "little")
    whole.write_bytes(data)
    with h5py.File(whole) as file, pytest.raises(Refused, match="has no end"):
        list(read(file[name]))


@pytest.mark.parametrize("given", [None, 3, np.zeros(3), ["f.h5"]], ids=repr)
def test_what_is_no_path_is_refused_in_one_line(given):
    for call in (penult.load, penult.train):
        with pytest.raises(UsageError, match=r"^(path|features) .*; give .*path"):
            call(given)
