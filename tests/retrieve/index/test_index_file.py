"""An index on disk: all that it holds, whole or not at all."""

from __future__ import annotations

import errno
import pickle

import feature_files
import numpy as np
import pytest
from index_rows import clustered, gallery, names

import penult
from penult.recipe import ProjectedRecipe
from penult.reduction import fit_projection
from penult.retrieve.index_file import container, write
from penult.retrieve.index_file.container import ContainerWriter
from penult.retrieve.index_file.read import read_index

pytestmark = pytest.mark.light


@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivfpq"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_what_is_saved_is_opened(tmp_path, kind, dtype):
    features = penult.load(gallery(tmp_path / "f.h5", clustered(), dtype=dtype))
    made = penult.Index.of(features, kind=kind)
    made.save(tmp_path / "g.index")
    found = penult.Index.open(tmp_path / "g.index")
    assert (found.kind, found.metric, found.recall) == (kind, "cosine", made.recall)
    assert found.rows.dtype == dtype
    assert np.array_equal(found.rows, features.features[:])
    assert list(found.ids) == names(600)
    assert found.recipe == features.recipe
    assert found.features.content == features.content
    assert found.features.label_names == ("daisy", "rose", "tulip")
    assert (found.features.labels == features.labels).all()
    queries = clustered()[:20]
    ours, theirs = found.search(queries, 4), made.search(queries, 4)
    assert ours.ids == theirs.ids
    assert (ours.values == theirs.values).all()


def test_its_rows_stay_on_the_disk(tmp_path):
    penult.Index.of(clustered(), names(600)).save(tmp_path / "g.index")
    rows = penult.Index.open(tmp_path / "g.index").rows
    assert isinstance(rows, np.memmap)
    assert not rows.flags.owndata
    assert not rows.flags.writeable


@pytest.mark.parametrize("in_memory", [False, True])
def test_one_bit_that_a_disk_changed_is_not_believed(tmp_path, monkeypatch, in_memory):
    path = tmp_path / "g.index"
    penult.Index.of(clustered(), names(600)).save(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    if in_memory:  # where it is read as a whole, large arrays are compared, too
        monkeypatch.setattr(container, "_COMPARED", 0)
    with pytest.raises(penult.IndexFileError, match="is damaged: the bytes of its 'rows' are not"):
        read_index(path, in_memory=in_memory)


def test_columns_of_every_sort_are_in_it(tmp_path):
    records = [
        feature_files.record("é\\xff.jpg", "b", "a", split="train", group="g"),
        feature_files.record("n.jpg", split="test"),
    ]
    rows = np.arange(2 * 12, dtype=np.float32).reshape(2, 3, 2, 2)
    file = feature_files.write(tmp_path / "f.h5", records, [rows], layers=("maps",))
    penult.Index.of(penult.load(file)).save(tmp_path / "g.index")
    found, stored = penult.Index.open(tmp_path / "g.index").features, penult.load(file)
    assert list(found.ids) == ["é\\xff.jpg", "n.jpg"]
    assert found.targets.tolist() == stored.targets.tolist() == [[True, True], [False, False]]
    for name in ("splits", "groups", "content", "name", "label_names"):
        assert getattr(found, name) == getattr(stored, name), name
    assert np.array_equal(found.features, rows)


def test_the_arrays_of_projections_travel_with_it(tmp_path):
    rows = clustered()
    projection = fit_projection(lambda: [rows], 600, 20, 3)
    recipe = ProjectedRecipe.of(feature_files.recipe(), projection)
    file = gallery(tmp_path / "f.h5", projection.apply(rows), recipes=[recipe], names=["pca3"])
    penult.Index.of(penult.load(file)).save(tmp_path / "g.index")
    file.unlink()
    found = penult.Index.open(tmp_path / "g.index").recipe
    assert found == recipe
    assert np.array_equal(found.projection.components, projection.components)


def test_an_opened_index_is_pickled_as_its_path(tmp_path):
    penult.Index.of(clustered(), names(600), kind="hnsw").save(tmp_path / "g.index")
    index = penult.Index.open(tmp_path / "g.index")
    packed = pickle.dumps(index)
    assert len(packed) < 500
    again = pickle.loads(packed)
    assert again.search(clustered()[:3]).ids == index.search(clustered()[:3]).ids


def test_a_file_that_is_there_is_not_replaced_unasked(tmp_path):
    path = tmp_path / "g.index"
    index = penult.Index.of(clustered(), names(600))
    index.save(path)
    with pytest.raises(penult.OutputExistsError):
        index.save(path)
    index.remove("3.jpg").save(path, overwrite=True)
    assert len(penult.Index.open(path)) == 599


def test_a_full_disk_is_one_line_and_leaves_the_old_index(tmp_path, monkeypatch):
    path = tmp_path / "g.index"
    index = penult.Index.of(clustered(), names(600))
    index.save(path)
    before = path.read_bytes()

    class Full(ContainerWriter):
        def put(self, name, array):
            if name == "labels" or name == "ids":
                raise OSError(errno.ENOSPC, "No space left on device")
            super().put(name, array)

    monkeypatch.setattr(write, "ContainerWriter", Full)
    with pytest.raises(
        penult.OutputError, match=r"the disk is full; the file of that name is as it was$"
    ):
        index.remove(["1.jpg"]).save(path, overwrite=True)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["g.index"]


def test_an_index_killed_while_it_is_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "g.index"
    penult.Index.of(clustered(), names(600)).save(path)
    for step in ("put", "finish"):

        def killed(*_):
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(ContainerWriter, step, killed)
            with pytest.raises(KeyboardInterrupt):
                penult.index(path, remove="1.jpg")
        assert len(penult.Index.open(path)) == 600
