"""Rows are added to an index, and removed from it."""

from __future__ import annotations

import sys

import feature_files
import numpy as np
import pytest
from index_rows import clustered, gallery, names

import penult

pytestmark = pytest.mark.light

KINDS = ["flat", "hnsw", "ivfpq"]


@pytest.mark.parametrize("kind", KINDS)
def test_removed_rows_never_come_back_and_k_are_found(kind):
    rows = clustered(2000)
    index = penult.Index.of(rows, names(2000), kind=kind)
    gone = names(2000)[::3]
    left = index.remove(gone)
    assert (len(left), left.kind, len(index)) == (2000 - len(gone), kind, 2000)
    found = left.search(rows[:60], 7)
    assert (found.places >= 0).all()
    assert not {one for line in found.ids for one in line} & set(gone)
    exact = penult.Index.of(rows[np.isin(names(2000), gone, invert=True)], [*left.ids])
    assert (found.values == exact.search(rows[:60], 7).values).mean() > 0.95


@pytest.mark.parametrize("kind", KINDS)
def test_added_rows_are_found(kind):
    rows = clustered(2000)
    index = penult.Index.of(rows[:1500], names(1500), kind=kind)
    more = index.add(rows[1500:], names(500, 1500))
    assert len(more) == 2000
    assert more.notes == ("500 rows of the array were added",)
    found = more.search(rows[1500:1600], 1)
    assert np.mean([line[0] for line in found.ids] == np.array(names(100, 1500))) > 0.95
    assert (found.values == 1).mean() > 0.95


@pytest.mark.parametrize("kind", KINDS)
def test_changes_are_in_the_file(tmp_path, kind):
    path = tmp_path / "g.index"
    rows = clustered(1200)
    first = gallery(tmp_path / "f.h5", rows[:700])
    more = gallery(tmp_path / "m.h5", rows[600:], start=600, labels=("rose", "aster"))
    penult.index(first, path, kind=kind)
    changed = penult.index(path, add=more, remove=["3.jpg", "650.jpg", "1100.jpg"])
    assert changed.notes == (
        f"500 rows of {more} were added",
        "100 rows were left out, being in the index already",
        "3 rows were removed",
    )
    assert len(changed) == len(changed.rows) == len(changed.features) == 1197
    assert changed.features.label_names == ("aster", "daisy", "rose", "tulip")
    for name, label in (("0.jpg", "daisy"), ("601.jpg", "rose"), ("701.jpg", "aster"), ("702.jpg", "rose")):  # fmt: skip
        place = list(changed.ids).index(name)
        assert changed.features.label_names[changed.features.labels[place]] == label
        assert changed.features.content[place] == f"{int(name[:-4]):032x}"
        assert np.array_equal(changed.rows[place], rows[int(name[:-4])])
    found = changed.search(rows[[3, 1100]], 3)
    assert not {"3.jpg", "1100.jpg"} & {one for line in found.ids for one in line}
    assert (found.places >= 0).all()


def test_what_was_removed_is_added_again_only_where_that_is_said(tmp_path):
    path, rows = tmp_path / "g.index", clustered()
    file = gallery(tmp_path / "f.h5", rows)
    penult.index(file, path, kind="hnsw", remove="7.jpg")
    again = penult.index(path, add=file)
    assert len(again) == 599
    assert again.notes[-1] == (
        "1 row was left out, since a row of its id was removed before; restore=True adds them"
    )
    restored = penult.index(path, add=file, restore=True)
    assert len(restored) == 600
    assert restored.search(rows[7:8], 1).ids == (("7.jpg",),)
    assert not len(restored.removed)


def test_a_graph_of_which_most_is_gone_is_built_anew():
    rows = clustered(2000)
    index = penult.Index.of(rows, names(2000), kind="hnsw")
    some = index.remove(names(500))
    assert (len(some.structure.rows), some.structure.wasted) == (2000, 0.25)
    most = some.remove(names(700, 500))
    assert (len(most.structure.rows), most.structure.wasted) == (800, 0)


def test_a_graph_with_removed_rows_is_saved_and_grows(tmp_path):
    rows = clustered(2000)
    index = penult.Index.of(rows[:1500], names(1500), kind="hnsw").remove(names(300))
    index.save(tmp_path / "g.index")
    found = penult.Index.open(tmp_path / "g.index").add(rows[1500:], names(500, 1500))
    assert len(found.structure.rows) == 2000
    assert found.search(rows[1999:], 1).ids == (("1999.jpg",),)
    assert found.search(rows[300:301], 1).ids == (("300.jpg",),)
    assert not {one for line in found.search(rows[:300], 3).ids for one in line} & {*names(300)}


def test_an_id_of_another_image_is_refused(tmp_path):
    rows = clustered()
    index = penult.Index.of(penult.load(gallery(tmp_path / "f.h5", rows)))
    records = [feature_files.record("5.jpg")]
    other = feature_files.write(tmp_path / "o.h5", records, [rows[:1]], digests=["ab" * 16])
    with pytest.raises(penult.SearchError, match="1 id of it is in the index for another image: 5"):
        index.add(penult.load(other))
    index.save(tmp_path / "g.index")
    with pytest.raises(penult.SearchError, match=r"it is in .*g\.index for another image: 5.* from .*g\.index first"):  # fmt: skip
        penult.index(tmp_path / "g.index", add=other)
    bare = penult.Index.of(rows, names(600))
    assert len(bare.add(rows[:2], names(2))) == 600
    with pytest.raises(
        penult.SearchError,
        match=r"2 ids of it are .* remove them from the index first \(remove=ID, in a call of its own\), and add .* with restore=True",
    ):
        bare.add(rows[:2], names(2)[::-1])


def test_rows_of_another_recipe_are_refused(tmp_path):
    index = penult.Index.of(penult.load(gallery(tmp_path / "f.h5", clustered())))
    other = gallery(tmp_path / "o.h5", clustered(), start=900, layers=("logits",))
    with pytest.raises(penult.RecipeMismatchError, match=r"o\.h5 and the index have different rec"):
        index.add(penult.load(other))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda index, _: index.remove("x.jpg"), "unknown id 'x.jpg'"),
        (lambda index, _: index.remove(names(600)), "no row would be left"),
        (lambda index, _: index.add(clustered()[:2], ["a", "b"]), "was made of features, and an array cannot be added"),
        (lambda _, bare: bare.add(clustered()[:2, :3], ["a", "b"]), "the array has rows of 3 numbers, the index rows of 20"),
        (lambda _, bare: bare.add(0 * clustered()[:2], ["a", "b"]), "2 rows of zeros (a, b)"),
        (lambda _, bare: bare.add(clustered()[:2], ["a", "a"]), "twice: a"),
    ],
)  # fmt: skip
def test_what_cannot_be_changed_is_one_line(tmp_path, change, said):
    index = penult.Index.of(penult.load(gallery(tmp_path / "f.h5", clustered())))
    with pytest.raises(penult.PenultError) as error:
        change(index, penult.Index.of(clustered(), names(600)))
    assert said in str(error.value)


def test_several_labels_of_an_image_meet_one(tmp_path):
    rows = clustered()
    index = penult.Index.of(penult.load(gallery(tmp_path / "f.h5", rows[:4])))
    records = [feature_files.record("several.jpg", "rose", "aster", split="test")]
    more = feature_files.write(tmp_path / "m.h5", records, [rows[9:10]], digests=["cd" * 16])
    features = index.add(penult.load(more)).features
    assert features.label_names == ("aster", "daisy", "rose", "tulip")
    assert features.targets.astype(int).tolist() == [
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
        [0, 1, 0, 0],
        [1, 0, 1, 0],
    ]
    assert features.labels.tolist() == [1, 2, 3, 1, -1]
    assert list(features.splits) == ["", "", "", "", "test"]


def test_why_it_is_of_its_kind_is_said_of_the_rows_that_it_has_now(monkeypatch):
    index = penult.Index.of(clustered(40), names(40), kind="auto")
    left = index.remove(names(39))
    more = index.add(clustered(10), names(10, 40))
    again = " searched exactly in some hundredths of a second"
    assert (left.why, more.why) == (f"1 row of 20 is{again}", f"50 rows of 20 are{again}")
    assert penult.Index.of(clustered(40), names(40), kind="flat").remove("1.jpg").why == ""
    monkeypatch.setattr("penult.retrieve.building._QUICK", 900)
    grown = index.add(clustered(10), names(10, 40))
    assert (grown.kind, grown.why.partition(":")[0]) == ("flat", "kind='hnsw' would suit it by now")


def test_what_another_run_changed_meanwhile_is_not_lost(tmp_path, monkeypatch):
    path = tmp_path / "g.index"
    penult.index(gallery(tmp_path / "f.h5", clustered(40)), path)
    more = gallery(tmp_path / "m.h5", clustered(10), start=40)
    task = sys.modules["penult.tasks.index"]
    load = task.load

    def load_later(*given):
        monkeypatch.setattr(task, "load", load)
        penult.index(path, remove="3.jpg")
        return load(*given)

    monkeypatch.setattr(task, "load", load_later)
    with pytest.raises(penult.OutputError, match="was changed by another run meanwhile"):
        penult.index(path, add=more)
    left = penult.Index.open(path)
    assert (len(left), list(left.removed)) == (39, ["3.jpg"])
    assert len(penult.index(path, add=more)) == 49


def test_an_id_that_looks_like_a_glob_is_that_id(tmp_path):
    index = penult.Index.of(clustered()[:4], ["a[1].jpg", "a1.jpg", "b*", "bc"])
    assert list(index.remove(["a[1].jpg", "b*"]).ids) == ["a1.jpg", "bc"]
    assert list(index.remove(["a?.jpg"]).ids) == ["a[1].jpg", "b*", "bc"]


def test_a_glob_matches_ids_of_another_unicode_form():
    decomposed = "ros\N{LATIN SMALL LETTER E}\N{COMBINING ACUTE ACCENT}"  # as macOS writes names
    index = penult.Index.of(
        clustered()[:3], [f"{decomposed}/1.jpg", f"{decomposed}/2.jpg", "b.jpg"]
    )
    assert list(index.remove("ros\N{LATIN SMALL LETTER E WITH ACUTE}/*").ids) == ["b.jpg"]


@pytest.mark.parametrize("again", ["3.jpg", "3*"])
def test_what_was_removed_before_is_called_so(again):
    index = penult.Index.of(clustered()[:6], names(6)).remove("3.jpg")
    with pytest.raises(penult.UsageError, match=r"^3\.jpg was removed from the index before$"):
        index.remove(again)


def test_recall_that_is_not_measured_is_explained():
    assert (
        "measured where there are 128 rows or more"
        in penult.Index.of(clustered()[:127], names(127), kind="hnsw").lines[-1]
    )
    assert penult.Index.of(clustered()[:128], names(128), kind="hnsw").recall is not None
