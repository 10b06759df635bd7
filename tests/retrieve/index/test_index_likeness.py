"""An index knows from what on a row is unlike all of its own."""

from __future__ import annotations

import json

import numpy as np
import pytest
from index_rows import clustered, gallery, names

import penult
from penult.errors import IndexFileError
from penult.likeness import Likeness
from penult.retrieve import likeness as of_index
from penult.retrieve.index_file import write
from penult.retrieve.index_file.container import ContainerWriter, read_container
from penult.retrieve.search.opening import open_gallery

pytestmark = pytest.mark.light

STRANGE = -np.ones((1, 20), np.float32)  # all others are positive


@pytest.fixture
def file(tmp_path):
    return gallery(tmp_path / "f.h5", clustered())


def rewritten(path, change):
    """The same index with other arrays."""
    description, arrays = read_container(path)
    arrays = {name: np.array(one) for name, one in arrays.items()}
    change(arrays)
    with ContainerWriter(path) as writer:
        for name, array in arrays.items():
            writer.put(name, array)
        writer.finish(description)


def test_a_feature_file_and_its_index_mark_the_same_rows(file, tmp_path):
    penult.index(file, tmp_path / "g.index")
    features = penult.load(file)
    wanted = Likeness.of(features, np.arange(600), features.labels, None, seed=0)
    opened = open_gallery(tmp_path / "g.index", layer=None, metric=None)
    assert opened.index.stored_likeness == wanted
    assert (opened.likeness.rows == wanted.rows).all()
    assert open_gallery(file, layer=None, metric=None).likeness == wanted
    assert opened.likeness.similarity(STRANGE) < opened.likeness.threshold
    own = opened.likeness.is_unlike(opened.likeness.similarity(clustered()))
    assert own.mean() < 0.02


def test_an_index_of_an_older_penult_works_it_out(file, tmp_path, monkeypatch):
    penult.index(file, tmp_path / "new.index")
    monkeypatch.setattr(write, "likeness_arrays", lambda _: {})
    penult.index(file, tmp_path / "old.index")
    old, new = (penult.Index.open(tmp_path / f"{one}.index") for one in ("old", "new"))
    assert old.stored_likeness is None
    assert old.likeness == new.stored_likeness


def test_an_older_penult_reads_an_index_of_this_one(file, tmp_path):
    # It takes the arrays that it knows, and refuses a description with other fields than these.
    penult.index(file, tmp_path / "g.index")
    whole = (tmp_path / "g.index").read_bytes()
    assert int.from_bytes(whole[8:12], "little") == 1
    assert {*read_container(tmp_path / "g.index")[0]} == {
        *("penult", "created", "kind", "metric", "why", "beside", "space", "effort", "recall"),
        "sources",
    }


def test_rows_that_come_or_go_change_it(file, tmp_path):
    penult.index(file, tmp_path / "g.index")
    penult.index(tmp_path / "g.index", remove=names(300))
    found = penult.Index.open(tmp_path / "g.index")
    assert (found.stored_likeness.kept, found.stored_likeness.calibrated) == (300, 300)
    more = gallery(tmp_path / "more.h5", clustered(700)[600:], start=600)
    assert found.add(penult.load(more)).likeness.kept == 400


def test_of_many_rows_a_part_is_looked_at(file, monkeypatch):
    monkeypatch.setattr(of_index, "MOST_ROWS", 100)
    every = penult.Index.of(penult.load(file)).likeness
    assert (every.kept, every.calibrated) == (100, 100)


def test_plain_arrays_and_a_few_rows_have_none(tmp_path):
    few = penult.load(gallery(tmp_path / "f.h5", clustered()[:5]))
    penult.Index.of(few).save(tmp_path / "few.index")
    penult.Index.of(clustered(), names(600)).save(tmp_path / "plain.index")
    for name in ("few", "plain"):
        assert penult.Index.open(tmp_path / f"{name}.index").likeness is None
        assert penult.info(tmp_path / f"{name}.index").likeness is None


def _shorter(arrays):
    arrays["likeness/rows"] = arrays["likeness/rows"][:-1]


def _described(arrays, **fields):
    said = json.loads(arrays["likeness/description"].tobytes()) | fields
    arrays["likeness/description"] = np.frombuffer(json.dumps(said).encode(), np.uint8)


@pytest.mark.parametrize(
    "change",
    [
        _shorter,
        lambda arrays: arrays.pop("likeness/rows"),
        lambda arrays: _described(arrays, neighbours=0),
        lambda arrays: _described(arrays, neighbours=601),
        lambda arrays: _described(arrays, threshold="high"),
        lambda arrays: _described(arrays, threshold=float("nan")),
        lambda arrays: arrays.update({"likeness/description": np.zeros(9, np.uint8)}),
    ],
)
def test_one_that_cannot_be_is_refused(file, tmp_path, change):
    path = tmp_path / "g.index"
    penult.index(file, path)
    rewritten(path, lambda _: None)
    penult.Index.open(path)
    rewritten(path, change)
    with pytest.raises(IndexFileError, match=r"g\.index is damaged"):
        penult.Index.open(path)


def test_what_a_newer_penult_adds_is_ignored(file, tmp_path):
    path = tmp_path / "g.index"
    penult.index(file, path)
    known = penult.Index.open(path).likeness
    rewritten(path, lambda arrays: _described(arrays, colour="green"))
    assert penult.Index.open(path).likeness == known
