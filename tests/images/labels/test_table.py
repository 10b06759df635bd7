from __future__ import annotations

import errno
import os

import pytest

from penult.errors import PathNotFoundError, SourceError, UsageError
from penult.images.labels.csv_cells import explained
from penult.images.listing import list_images


@pytest.fixture
def photos(tmp_path):
    for name in ("daisy/1.jpg", "daisy/2.jpg", "rose/3.jpg"):
        file = tmp_path / "photos" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return tmp_path / "photos"


@pytest.fixture
def labelled(photos):
    """List photos/ with a table of the given text beside it."""

    def run(text, encoding="utf-8"):
        table = photos.parent / "labels.csv"
        table.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return list_images([photos], labels=str(table))

    return run


def labels(listing):
    return [record.labels for record in listing.records]


def test_labels_and_splits_come_from_the_table(labelled):
    listing = labelled("path,label,split\ndaisy/1.jpg,white,train\nrose/3.jpg,red,Val\n")
    assert [(r.id, r.labels, r.split) for r in listing.records] == [
        ("daisy/1.jpg", ("white",), "train"),
        ("daisy/2.jpg", (), None),
        ("rose/3.jpg", ("red",), "validation"),
    ]
    assert listing.failures == ()


def test_several_labels_are_separated_by_a_bar(labelled):
    assert labels(labelled("path,label\ndaisy/1.jpg,white | wild|white\ndaisy/2.jpg,\n")) == [
        ("white", "wild"),
        (),
        (),
    ]


def test_rows_of_a_group_are_kept_together(labelled):
    listing = labelled("path,label,group\ndaisy/1.jpg,white,plant 7\n")
    assert listing.records[0].group == "plant 7"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"\xef\xbb\xbfpath,label\ndaisy/1.jpg,white\n", id="byte order mark"),
        pytest.param("path,label\r\ndaisy/1.jpg,white\r\n", id="Windows line ends"),
        pytest.param("path;label\ndaisy/1.jpg;white\n", id="semicolons"),
        pytest.param("path\tlabel\ndaisy/1.jpg\twhite\n", id="tabs"),
        pytest.param("Label, Path\nwhite,daisy/1.jpg\n", id="other order, case and spaces"),
        pytest.param("path,label\n\n,\ndaisy/1.jpg,white", id="empty lines, no last line end"),
        pytest.param("path,label\n./daisy/1.jpg,white\n", id="a dot before the path"),
        pytest.param("path,label\ndaisy\\1.jpg,white\n", id="backslashes"),
        pytest.param("path,label\nphotos/daisy/1.jpg,white\n", id="relative to the table"),
        pytest.param('path,label\n"daisy/1.jpg","white"\n', id="quotes"),
        pytest.param("path,label\ndaisy/1.jpg,white\ndaisy/1.jpg,white\n", id="the same twice"),
    ],
)
def test_tables_are_understood_as_people_write_them(labelled, text):
    listing = labelled(text)
    assert labels(listing) == [("white",), (), ()]
    assert listing.failures == ()


def test_absolute_paths_are_understood(labelled, photos):
    listing = labelled(f"path,label\n{photos / 'daisy/1.jpg'},white\n")
    assert labels(listing) == [("white",), (), ()]


def test_with_several_sources_paths_are_ids(photos):
    table = photos / "labels.csv"
    table.write_text("path,label\nrose/3.jpg,red\n")
    listing = list_images([photos / "daisy", photos / "rose"], labels=table)
    assert labels(listing) == [(), (), ("red",)]


def test_the_table_itself_is_not_passed_over(photos):
    table = photos / "labels.csv"
    table.write_text("path,label\nrose/3.jpg,red\n")
    (photos / "other.csv").touch()
    assert list_images([photos], labels=table).passed_over == {".csv": 1}


def test_the_split_of_a_folder_holds_where_the_table_has_none(tmp_path):
    (tmp_path / "test").mkdir()
    for name in ("1.jpg", "2.jpg", "3.jpg"):
        (tmp_path / "test" / name).touch()
    table = tmp_path / "labels.csv"
    table.write_text("path,label,split\ntest/1.jpg,a,\ntest/2.jpg,a,train\n")
    listing = list_images([tmp_path], labels=table)
    assert [record.split for record in listing.records] == ["test", "train", "test"]


def test_a_row_without_an_image_is_a_failure(labelled):
    (failure,) = labelled("path,label\ndaisy/1.jpg,white\ndaisy/9.jpg,white\n").failures
    assert failure.id == "daisy/9.jpg"
    assert failure.reason == "named in labels.csv, but there is no such image"


def test_of_a_path_that_differs_in_capitals_alone_the_image_is_named(labelled):
    listing = labelled("path,label\ndaisy/1.jpg,white\nDaisy/2.JPG,white\n")
    (failure,) = listing.failures
    assert (failure.id, failure.is_missing) == ("Daisy/2.JPG", True)
    assert "labels.csv (did you mean daisy/2.jpg? Capitals count), but there is" in failure.reason
    with pytest.raises(
        SourceError, match=r"e\.g\. 'daisy/2.jpg'; write its paths with the same cap"
    ):
        labelled("path,label\nDaisy/2.JPG,white\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "url,sort\na,b\n",
            "has no column path and no column label; .* names url, sort; "
            "path_column=NAME and label_column=NAME say which is meant",
            id="other columns",
        ),
        pytest.param("path,sort\na,b\n", "has no column label; ", id="no label column"),
        pytest.param("", "has no column path .* names nothing", id="empty"),
        pytest.param(
            "path,label\ndaisy/1.jpg,white\n./daisy/1.jpg,yellow\n",
            r"labels.csv, line 3: \./daisy/1.jpg is yellow, but line 2 says white; several labels of an image stand in one row",
            id="contradiction",
        ),
        pytest.param(
            "path,label\ndaisy/1.jpg,white\nphotos/daisy/1.jpg,yellow\n",
            "labels.csv, line 3: photos/daisy/1.jpg is yellow, but line 2 says white; several labels of an image stand in one row",
            id="contradiction by another way to name the file",
        ),
        pytest.param(
            "path,label,split\ndaisy/1.jpg,white,train\ndaisy/1.jpg,white,test\n",
            "line 3: daisy/1.jpg is white, test, but line 2 says white, train",
            id="contradiction of splits",
        ),
        pytest.param(
            "path,label\na,b.jpg,white\n",
            "line 2: 3 values for 2 columns; put a value that holds a comma in double quotes",
            id="comma in a name",
        ),
        pytest.param(
            "path,label,split\ndaisy/1.jpg,white\n",
            "line 2: 2 values for 3 columns; write the others too, if with nothing between the com",
            id="half a line",
        ),
        pytest.param(
            "path,label\ndaisy/1.jpg, | |\n",
            r"labels.csv, line 2: the label is '\| \|', which separates labels, and there are none; "
            "write the label, or leave the cell empty for none",
            id="bars alone",
        ),
        pytest.param("path,label\n,white\n", "line 2: the path is empty", id="no path"),
        pytest.param(
            "path,label,split\ndaisy/1.jpg,white,dev\n",
            "line 2: the split 'dev' is none of train, val, valid, validation, test",
            id="unknown split",
        ),
        pytest.param(
            "path,label\nx/1.jpg,white\n",
            "names none of the images: it names e.g. 'x/1.jpg', while the images are e.g. 'daisy/1",
            id="of other images",
        ),
        pytest.param("path,label\n", "names none of the images: it names none at all", id="no row"),
        pytest.param(
            b"path,label\ncaf\xe9.jpg,a\n", r"is not UTF-8 text \(byte 14\)", id="Latin-1"
        ),
        pytest.param('path,label\n"daisy/1.jpg,white\n', "is not a readable CSV", id="open quote"),
    ],
)
def test_wrong_tables_are_refused_with_the_line(labelled, text, message):
    with pytest.raises(SourceError, match=message):
        labelled(text)


def test_a_table_that_does_not_exist_is_named_with_a_close_one(photos):
    (photos / "labels.csv").touch()
    with pytest.raises(PathNotFoundError, match=r"label\.csv; did you mean .*labels\.csv\?"):
        list_images([photos], labels=photos / "label.csv")


@pytest.mark.parametrize(
    "path", ["filename", "file_name", "File", "image", "image_path", "FilePath"]
)
@pytest.mark.parametrize("label", ["class", "Category", "target", "class_name", "labels"])
def test_columns_are_known_by_the_names_that_people_give_them(labelled, path, label):
    (record,) = [x for x in labelled(f"{label},{path}\nwhite,daisy/1.jpg\n").records if x.labels]
    assert (record.id, record.labels) == ("daisy/1.jpg", ("white",))


def test_path_and_label_are_meant_whatever_else_there_is(labelled):
    table = "file,path,label,class\nx,daisy/1.jpg,white,bellis\n"
    (record,) = [x for x in labelled(table).records if x.labels]
    assert record.labels == ("white",)


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        (
            "file,image,label",
            {},
            "several columns that may name the images: file, image; .*path_column='file'",
        ),
        (
            "path,class,category",
            {},
            "several columns that may name the labels: class, category; .*label_column='class'",
        ),
        ("path,label", {"path_column": "photo"}, "has no column photo; .* names path, label"),
        ("path,label", {"label_column": "genus"}, "has no column genus; .* names path, label"),
    ],
)
def test_columns_that_may_be_meant_are_listed(photos, columns, options, message):
    table = photos.parent / "labels.csv"
    table.write_text(f"{columns}\n{','.join('a' for _ in columns.split(','))}\n")
    with pytest.raises((UsageError, SourceError), match=message):
        list_images([photos], labels=table, **options)


def test_any_column_is_chosen_by_its_name(photos):
    table = photos.parent / "labels.csv"
    table.write_text("Photo,File,Genus,class\ndaisy/1.jpg,x,bellis,white\n")
    listed = list_images([photos], labels=table, path_column="photo", label_column="Genus")
    assert [x.labels for x in listed.records if x.labels] == [("bellis",)]


def test_a_list_of_images_is_read_by_the_same_names(photos):
    listed = photos / "list.csv"
    listed.write_text("filename,species,class\ndaisy/1.jpg,bellis,white\n")
    with pytest.raises(UsageError, match=r"several columns .* the labels: species, class"):
        list_images([listed])
    assert list_images([listed], labels="none").records[0].labels == ()
    assert list_images([listed], label_column="class").records[0].labels == ("white",)
    listed.write_text("foto,sorte\ndaisy/1.jpg,weiss\n")
    (record,) = list_images([listed], path_column="foto", label_column="sorte").records
    assert (record.id, record.labels) == ("daisy/1.jpg", ("weiss",))


def test_columns_are_refused_where_there_is_no_table(photos):
    with pytest.raises(UsageError, match="is no table with a column photo; path_column is"):
        list_images([photos], path_column="photo")
    with pytest.raises(UsageError, match="label_column='x' and labels 'none' exclude each other"):
        list_images([photos], labels="none", label_column="x")


def test_a_disk_that_fails_while_a_table_is_read_is_named_with_the_table():
    expected = r"^labels\.csv cannot be read: input/output error$"
    with pytest.raises(SourceError, match=expected), explained("labels.csv"):
        raise OSError(errno.EIO, os.strerror(errno.EIO))
