"""Images that a program names in memory: a DataFrame, and paths with a list of labels."""

from __future__ import annotations

import logging
import math
import pickle
from pathlib import Path

import numpy as np
import pytest

import penult
from penult.errors import SourceError, UsageError
from penult.images.listing import as_sources
from penult.images.listing_options import ListingOptions
from penult.records import Changes
from penult.representation import what_given


class DataFrame:
    """What penult asks of pandas' and Polars' frames."""

    iloc = None

    def __iter__(self):
        return iter(self._columns)

    def __init__(self, **columns):
        self._columns = columns

    @property
    def columns(self):
        return list(self._columns)

    @property
    def shape(self):
        return (len(next(iter(self._columns.values()))), len(self._columns))

    def __getitem__(self, name):
        return np.array(self._columns[name], dtype=object)


@pytest.fixture
def paths(photos, monkeypatch):
    monkeypatch.chdir(photos.parent)
    return [f"photos/{name}/{name}_0{k}.jpg" for name in ("tulip", "daisy") for k in (1, 2)]


def test_a_dataframe_is_what_its_csv_file_would_be(paths, toy, tmp_path):
    kinds = ["a", "b|c", "", "a"]
    frame = DataFrame(Filename=paths, Class=kinds, split=["train", "test", "train", "train"])
    ours = penult.extract(frame, tmp_path / "f.h5", model=toy)
    rows = [",".join(row) for row in zip(paths, kinds, frame["split"], strict=True)]
    Path("list.csv").write_text("\n".join(["Filename,Class,split", *rows]))
    theirs = penult.extract("list.csv", model=toy)
    assert list(ours.ids) == list(theirs.ids) == sorted(paths)
    assert ours.label_names == theirs.label_names == ("a", "b", "c")
    np.testing.assert_array_equal(ours.targets, theirs.targets)
    assert list(ours.splits) == list(theirs.splits)
    np.testing.assert_array_equal(ours.features[:], theirs.features[:])
    assert ours.origin["sources"] == ["a DataFrame of 4 rows"]
    assert penult.verify(tmp_path / "f.h5").compared == 4  # its images are found again
    assert penult.plan(frame, model=toy).classes == {"a": 2, "b": 1, "c": 1}
    again = penult.extract(frame, tmp_path / "f.h5", model=toy, update=True)
    assert again.changes == Changes()


def test_columns_are_chosen_as_in_a_list(paths, toy):
    frame = DataFrame(stim=paths, kind=[1.0, 2.0, math.nan, 1.0], id=list("dcba"))
    made = penult.extract(frame, model=toy, path_column="stim", label_column="Kind")
    assert list(made.ids) == list("abcd")
    assert made.images_per_class() == {"1": 2, "2": 1}
    with pytest.raises(SourceError, match=r"a DataFrame of 4 rows has no column path; its colu"):
        penult.extract(frame, model=toy)
    for bad, said in ((None, "row 1: the path is empty"), (3, "row 1: the path is 3; give a path")):
        with pytest.raises(SourceError, match=said):
            penult.extract(DataFrame(path=[paths[0], bad]), model=toy)


@pytest.mark.parametrize("kind", [list, np.array, tuple], ids=["list", "array", "tuple"])
def test_labels_stand_beside_paths_in_the_same_order(paths, toy, kind):
    made = penult.extract(paths, model=toy, labels=kind(["t", "t", "d", ""]))
    assert dict(zip(made.ids, made.labels, strict=True)) == {
        paths[0]: 1, paths[1]: 1, paths[2]: 0, paths[3]: -1
    }  # fmt: skip
    classifier = penult.train(penult.extract("photos", model=toy), classifier="centroid", folds=2)
    found = penult.evaluate(classifier, paths, labels=kind(["tulip", "tulip", "daisy", "rose"]))
    assert found.images.truth.count("tulip") == 2
    with pytest.raises(UsageError, match="a list of 4 paths and 3 labels were given; give as many"):
        penult.extract(paths, model=toy, labels=kind(["a", "b", "c"]))
    with pytest.raises(UsageError, match=r"a list of 2 labels goes with a list of as many paths"):
        penult.extract("photos", model=toy, labels=kind(["a", "b"]))
    with pytest.raises(UsageError, match=r"label_column='x' and a list of labels exclude"):
        penult.extract(paths, model=toy, labels=kind(list("abcd")), label_column="x")


def test_a_table_can_be_pickled_and_compared():
    (table,) = as_sources(DataFrame(path=["a.jpg"]))
    assert list(pickle.loads(pickle.dumps(table)).rows()) == list(table.rows())
    assert ListingOptions(labels=np.array(["a"])) == ListingOptions(labels=["a"])


def test_python_says_what_the_command_line_says_of_labels(paths, toy, caplog):
    def warned(*args, **options):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "penult"):
            penult.extract(*args, model=toy, **options)
        return caplog.text

    assert "no labels: put photos in one folder a class, or give labels=[…]" in warned(paths)
    assert "no labels" not in warned(paths, labels="none")
    assert "1 of 4 images has no label" in warned(paths, labels=["a", "b", "a", None])
    assert "every image has a class of its own, 4 classes" in warned(paths, labels=list("abcd"))
    assert warned(paths, labels=["a", "b", "a", "b"]) == ""


def test_what_was_given_is_said_by_its_size():
    assert what_given(DataFrame(a=range(42))) == "a DataFrame of 42 rows"
    assert what_given(np.zeros((2, 3))) == "an array of float64, shape (2, 3)"
    assert what_given(["x" * 99] * 1000) == "a list of 1,000 elements"
    assert what_given([1, 2]) == "[1, 2]"
    with pytest.raises(UsageError, match=r"^features is a DataFrame of 5 rows; give"):
        penult.train(DataFrame(path=range(5)))


class NAType:
    """As pandas' NA, which is neither true nor false."""

    def __eq__(self, other):
        return self

    def __bool__(self):
        raise TypeError("boolean value of NA is ambiguous")

    __hash__ = None


def test_pandas_na_is_no_label(paths, toy):
    rows = penult.extract(paths[:2], model=toy, labels=["dark", NAType()])
    assert dict(zip(rows.ids, rows.labels, strict=True)) == {paths[0]: 0, paths[1]: -1}


@pytest.mark.parametrize("dtype", [np.int8, np.float16, np.float32, np.float64])
def test_classes_are_whole_numbers_whatever_type_holds_them(paths, toy, dtype):
    labels = np.array([1, 2, 1], dtype)
    rows = penult.extract(paths[:3], model=toy, labels=labels)
    assert rows.label_names == ("1", "2")
    if dtype is not np.int8:
        labels[2] = np.nan
        found = penult.extract(paths[:3], model=toy, labels=labels)
        assert found.images_per_class() == {"1": 1, "2": 1}


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ({"a"}, r"labels is \{'a'\}; give a name, or a path, or a list"),
        (np.zeros((2, 3)), "a label is an array"),
    ],
)
def test_labels_without_an_order_or_of_several_numbers_are_refused(paths, toy, labels, told):
    with pytest.raises(penult.PenultError, match=told):
        penult.extract(paths[:2], model=toy, labels=labels)


def test_photos_of_a_table_that_are_not_there_are_named_in_no_file(tmp_path, toy):
    table = DataFrame(path=[str(tmp_path / "list.csv, line 1, but is not there")])
    with pytest.raises(SourceError, match="gave no row") as refused:
        penult.extract(table, model=toy)
    assert "another folder" not in str(refused.value)
