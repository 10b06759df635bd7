"""An index whose features have changed since is refused, with what to type."""

from __future__ import annotations

import os
import shutil

import h5py
import pytest
from index_rows import clustered, gallery

import penult

pytestmark = pytest.mark.light


@pytest.fixture
def made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = gallery(tmp_path / "f.h5", clustered())
    penult.index("f.h5", "g.index")
    return file


def _change_a_row(file):
    with h5py.File(file, "r+") as opened:
        opened["features"][3, 5] += 1


def _change_an_id(file):
    with h5py.File(file, "r+") as opened:
        opened["ids"][3] = "new.jpg"


def _change_a_label(file):
    with h5py.File(file, "r+") as opened:
        opened["labels"][3] = 2


def _other_recipe(file):
    gallery(file, clustered(), layers=("logits",))


def _fewer_rows(file):
    gallery(file, clustered()[:500])


@pytest.mark.parametrize(
    "change", [_change_a_row, _change_an_id, _change_a_label, _other_recipe, _fewer_rows]
)
def test_other_features_are_noticed(made, change):
    change(made)
    with pytest.raises(penult.IndexFileError) as error:
        penult.Index.open("g.index")
    assert str(error.value).startswith("g.index is stale: f.h5 has ")
    assert str(error.value).endswith(
        "since it was built; build it again: penult.index('f.h5', output='g.index', kind='auto', "
        "metric='cosine', overwrite=True)"
    )


def test_a_file_that_was_copied_or_touched_is_the_same(made, tmp_path):
    os.utime(made, (1, 1))
    assert len(penult.Index.open("g.index")) == 600
    (tmp_path / "away").mkdir()
    for name in ("f.h5", "g.index"):
        shutil.copy(name, tmp_path / "away")
    _change_a_row(made)
    assert len(penult.Index.open("away/g.index")) == 600


def test_a_file_that_did_not_change_is_not_read(made, monkeypatch):
    monkeypatch.setattr("penult.retrieve.index_file.sources.load", None)
    assert len(penult.Index.open("g.index")) == 600


def test_an_index_needs_no_features(made):
    made.unlink()
    assert len(penult.Index.open("g.index")) == 600


def test_what_took_its_place_is_noticed(made):
    made.write_bytes(b"nonsense")
    with pytest.raises(penult.IndexFileError, match=r"f\.h5 has changed"):
        penult.Index.open("g.index")


def test_what_was_added_and_removed_is_said(made, tmp_path):
    more = gallery(tmp_path / "m.h5", clustered(), start=600)
    penult.index("g.index", add="m.h5", remove=["1.jpg", "2.jpg"])
    _change_a_row(more)
    with pytest.raises(penult.IndexFileError) as error:
        penult.Index.open("g.index")
    assert "add=['m.h5'], remove=['1.jpg', '2.jpg'])" in str(error.value)
    assert "m.h5 has changed" in str(error.value)


def test_features_that_changed_under_an_added_file_are_noticed_when_it_is_changed(made):
    _change_a_row(made)
    with pytest.raises(penult.IndexFileError, match="stale"):
        penult.index("g.index", remove="1.jpg")


def test_of_another_recipe_the_added_files_have_to_be_extracted_again_too(made, tmp_path):
    gallery(tmp_path / "m.h5", clustered(), start=600)
    penult.index("g.index", add="m.h5")
    _other_recipe(made)
    with pytest.raises(penult.IndexFileError) as error:
        penult.Index.open("g.index")
    assert str(error.value).endswith(
        "add=['m.h5']); before that, extract m.h5 again in the way of f.h5, since an index is of "
        "rows of one recipe"
    )
    gallery(tmp_path / "m.h5", clustered(), start=600, layers=("logits",))
    with pytest.raises(penult.IndexFileError) as error:
        penult.Index.open("g.index")
    assert str(error.value).endswith("add=['m.h5'])")


def test_what_a_stale_index_holds_is_shown(made):
    _change_a_row(made)
    found = penult.info("g.index")
    assert (found.shape, found.stale) == ((600, 20), True)
    assert found.lines[-1].startswith("stale: f.h5 has changed since it was built; build it again:")
    made.unlink()
    assert not penult.info("g.index").stale
