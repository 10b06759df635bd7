"""Searching a table of a database: the hits are those of the feature file that was pushed."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import penult
from penult.retrieve.search.table_gallery import TableGallery
from penult.testing import MemoryTable

pytestmark = pytest.mark.light


@pytest.fixture
def tables(memory_tables):
    return memory_tables


@pytest.fixture
def table(gallery, tables):
    """The address of a table of the rows of conftest.py."""
    return tables.push(gallery)


def told(found):
    return [one.to_dict() for one in found]


@pytest.mark.parametrize(
    "asked",
    [
        {"queries": np.array([[2.0, 0.0], [1.0, 3.0]])},
        {"queries": np.array([[2.0, 0.0]]), "metric": "euclidean"},
        {"id": ["chair/2.jpg", "lamp/1.jpg"], "k": 4},
        {"id": "chair/2.jpg", "k": 2, "vote": True},
        {"queries": np.array([[1.0, 1.0]]), "filter": "label=sofa"},
        {"queries": np.array([[1.0, 1.0]]), "filter": ["label=sofa", "label=lamp"], "vote": True},
        {"queries": np.array([[1.0, 1.0]]), "filter": "label!=sofa"},
        {"queries": np.array([[1.0, 1.0]]), "filter": ["split=train", "split=test"]},
        {"queries": np.array([[1.0, 1.0]]), "filter": "id=chair/*"},
        {"queries": np.array([[1.0, 1.0]]), "filter": ["id!=*/1.jpg", "label=chair"]},
        {"queries": np.array([[1.0, 1.0]]), "filter": "id=sofa/2.jpg"},
        {"id": "chair/1.jpg", "filter": "label=chair", "k": 1},
    ],
)
def test_a_table_answers_as_its_file_does(gallery, table, asked):
    assert told(penult.search(table, **asked)) == told(penult.search(gallery, **asked))


def test_a_feature_file_is_searched_for_and_no_row_finds_itself(gallery, table, file):
    assert told(penult.search(table, gallery, k=2)) == told(penult.search(gallery, gallery, k=2))
    rows = {"chair/2.jpg": ((4, 3), "chair"), "new.jpg": ((4, 3), "chair")}
    asked = file("asked", rows, digests={"new.jpg": "chair/2.jpg"})
    assert told(penult.search(table, asked)) == told(penult.search(gallery, asked))


def test_rows_that_are_equally_near_come_in_the_order_of_the_file_s_search(file, tables):
    rows = {f"{k}.jpg": ((1, 0),) for k in range(9)}
    gallery = file("equal", rows)
    hits = [one.id for one in penult.search(gallery, np.array([[1.0, 0.0]]), k=4)[0].hits]
    assert hits != sorted(hits)  # it is that of their images' digests
    (found,) = penult.search(tables.push(gallery), np.array([[1.0, 0.0]]), k=4)
    assert [one.id for one in found.hits] == hits


def test_images_with_several_labels_are_voted_on_alike(file, tables):
    gallery = file("several", {"a.jpg": ((1, 0), "red", "round"), "b.jpg": ((0, 1), "red")})
    asked = {"queries": np.array([[1.0, 0.5]]), "vote": True, "filter": "label=red"}
    expected = told(penult.search(gallery, **asked))
    assert told(penult.search(tables.push(gallery), **asked)) == expected


def test_photos_are_searched_for_by_the_table_s_recipe(photos, toy, tables, tmp_path):
    penult.extract(photos, tmp_path / "rows.h5", model=toy, progress=False)
    table = tables.push(tmp_path / "rows.h5")
    with Image.open(photos / "rose" / "rose_01.jpg") as image:
        image.load()
    for given in (photos / "rose", [image]):
        found = penult.search(table, given, k=3, progress=False)
        assert told(found) == told(penult.search(tmp_path / "rows.h5", given, k=3, progress=False))


def test_the_contact_sheet_is_the_file_s(photos, toy, tables, tmp_path):
    penult.extract(photos, tmp_path / "rows.h5", model=toy, progress=False)
    drawn = []
    for gallery in (tmp_path / "rows.h5", tables.push(tmp_path / "rows.h5")):
        sheet = tmp_path / f"{len(drawn)}.png"
        penult.search(
            gallery,
            id=["rose/rose_01.jpg"],
            k=3,
            contact_sheet=sheet,
            images=photos,
            progress=False,
        )
        drawn.append(np.asarray(Image.open(sheet)))
    assert np.array_equal(*drawn)
    assert np.unique(drawn[0]).size > 20  # there are pictures on it


def test_fewer_rows_than_were_asked_for_are_all_found_and_said_once(table, caplog):
    found = penult.search(table, np.eye(2), k=9, filter="label=sofa")
    assert [len(one.hits) for one in found] == [2, 2]
    assert [one.message for one in caplog.records] == [
        "penult: memory:rows has 2 rows that the filter leaves, fewer than the 9 asked for: all of "
        "them are found"
    ]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"filter": "label=shair"}, "unknown label 'shair' in memory:rows; did you mean chair?"),
        (
            {"filter": "group=7"},
            "the rows of memory:rows have no groups; leave out filter='group=7'",
        ),
        ({"filter": "id=chair/9.jpg"}, "unknown id 'chair/9.jpg' in memory:rows; did you mean"),
        ({"filter": "id=stool/*"}, "no id of memory:rows is like stool/*"),
        ({"filter": "split=validation"}, "no row of memory:rows has the split 'validation'"),
        ({"filter": ["label=sofa", "split=train"]}, "no row of memory:rows is left by filter="),
        ({"filter": "colour=red"}, "unknown key 'colour' in filter='colour=red'"),
        ({"id": "chair/9.jpg"}, "unknown id 'chair/9.jpg' in memory:rows; did you mean chair/"),
        (
            {"id": "photos/chair/1.jpg"},
            "unknown id 'photos/chair/1.jpg' in memory:rows; did you mean chair/1.jpg? (ids are e.g. "
            "chair/1.jpg, chair/2.jpg, sofa/1.jpg)",
        ),
        ({"layer": "conv1"}, "memory:rows is of the rows of penultimate alone; leave out layer="),
        ({"queries": np.ones((1, 3))}, "these rows have 3 numbers each, but those of memory:rows"),
    ],
)
def test_what_a_table_cannot_answer_is_refused_in_one_line(table, asked, message):
    with pytest.raises(penult.UsageError) as refused:
        penult.search(table, **{"queries": np.array([[1.0, 0.0]]), **asked})
    assert str(refused.value).startswith(message), str(refused.value)


def test_rows_of_another_recipe_are_refused(table, file):
    other = file("other", {"a.jpg": ((1, 0),)}, network="toy:other")
    with pytest.raises(penult.RecipeMismatchError, match="memory:rows"):
        penult.search(table, other)


def test_a_table_that_is_not_there_or_empty_is_told(tables, gallery):
    with pytest.raises(penult.UsageError, match=r"there is no table at memory:none; fill one with"):
        penult.search("memory:none", np.eye(2))
    tables.tables[tables.push(gallery, "empty")].remove_others([])
    with pytest.raises(penult.SearchError, match="memory:empty has no rows to search"):
        penult.search("memory:empty", np.eye(2))


def test_table_and_photos_in_each_other_s_place_are_told_without_a_password():
    table = "postgresql://me:secret@db/photos?table=flowers"
    with pytest.raises(penult.UsageError, match="the gallery comes first") as refused:
        penult.search("new.jpg", table)
    assert "secret" not in str(refused.value)


class Broken(MemoryTable):
    """A table whose connection breaks."""

    def __init__(self, table):
        super().__init__(table.address)
        self.__dict__.update(table.__dict__)
        self.is_broken = False

    def nearest(self, *args, **options):
        if self.is_broken:
            raise penult.DatabaseError("the server has gone away")
        return super().nearest(*args, **options)


def test_a_connection_that_broke_is_made_anew(table, tables):
    opened = []

    def open_one():
        opened.append(Broken(tables.tables[table]))
        return opened[-1]

    gallery = TableGallery(open_one)
    selected, row = gallery.select(()), np.array([[1, 0]], np.float32)
    (first,) = gallery.find(row, 1, own=[None], selected=selected)
    opened[-1].is_broken = True
    (again,) = gallery.find(row, 1, own=[None], selected=selected)
    assert (first.ids, again.ids, len(opened)) == (["chair/1.jpg"], ["chair/1.jpg"], 2)
