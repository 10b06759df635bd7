"""A reviewed list becomes a table of all labels, or one line says which of its lines is wrong."""

from __future__ import annotations

import csv
import re

import feature_files
import numpy as np
import pytest

from penult import apply_labels, load
from penult.errors import (
    OutputExistsError,
    PathNotFoundError,
    SourceError,
    UnknownNameError,
    UsageError,
    WrongFileError,
)
from penult.images.labels.annotations import ImageEntry
from penult.images.labels.label_file import LabelFile

pytestmark = [pytest.mark.light, pytest.mark.once]

PHOTOS = [
    feature_files.record("iris/1.jpg", "iris"),
    feature_files.record("iris/2.jpg", "iris"),
    feature_files.record("rose/1.jpg", "rose"),
    feature_files.record("loose.jpg"),
]


WHICH_PATH = "; path_column=NAME says which is meant"
WHICH = "; path_column=NAME and label_column=NAME say which is meant"


def rows_of(tmp_path, photos=PHOTOS):
    return feature_files.write(tmp_path / "rows.h5", photos, [np.zeros((len(photos), 2))])


def reviewed(tmp_path, *lines, header="id,label,confidence,suggested,suggested_confidence"):
    file = tmp_path / "reviewed.csv"
    file.write_text("\n".join([header, *lines, ""]), "utf-8")
    return file


def applied(tmp_path, *lines, photos=PHOTOS, **options):
    """What is in the table."""
    rows, output = rows_of(tmp_path, photos), tmp_path / "labels.csv"
    file = reviewed(tmp_path, *lines)
    done = apply_labels(file, rows, output, overwrite=True, **options)
    with output.open(encoding="utf-8", newline="") as table:
        return done, list(csv.reader(table))


def test_the_table_has_every_image_and_the_labels_of_the_list(tmp_path):
    done, table = applied(tmp_path, "iris/2.jpg,iris,0.01,rose,0.98", "")
    assert table == [
        ["path", "label"],
        ["iris/1.jpg", "iris"],
        ["iris/2.jpg", "rose"],
        ["rose/1.jpg", "rose"],
        ["loose.jpg", ""],
    ]
    assert (done.images, dict(done.corrected), done.already) == (4, {"iris/2.jpg": "rose"}, 0)


def test_an_empty_list_gives_the_labels_as_they_are_and_changes_no_file(tmp_path):
    before = rows_of(tmp_path).read_bytes()
    done, table = applied(tmp_path)
    assert len(table) == 5
    assert done.corrected == {}
    assert (tmp_path / "rows.h5").read_bytes()[:1000] == before[:1000]
    assert load(tmp_path / "rows.h5").label_names == ("iris", "rose")


def test_the_table_is_read_as_it_is_meant(tmp_path):
    photos = [
        feature_files.record("a, b/1.jpg", 'iris "blue"', split="train", group="g1"),
        feature_files.record("é/2.jpg", "rose", split="test"),
        feature_files.record("c.jpg", "iris", "rose", split="train"),
    ]
    applied(tmp_path, "c.jpg,rose|iris,0,rose,1", '"a, b/1.jpg","iris ""blue""",0,rose|iris,1', photos=photos)  # fmt: skip
    rule = LabelFile(tmp_path / "labels.csv")
    found = [rule(ImageEntry(id=one, path=None)) for one in ("a, b/1.jpg", "é/2.jpg", "c.jpg")]
    assert [one.labels for one in found] == [("iris", "rose"), ("rose",), ("rose",)]
    assert [one.split for one in found] == ["train", "test", "train"]
    assert found[0].group == "g1"
    assert len({one.group for one in found}) == 3


def test_a_list_that_was_applied_already_changes_nothing(tmp_path):
    photos = [feature_files.record("iris/1.jpg", "rose"), *PHOTOS[1:]]
    done, _ = applied(tmp_path, "iris/1.jpg,iris,0.01,rose,0.98", photos=photos)
    assert (done.corrected, done.already) == ({}, 1)


def test_columns_may_be_in_any_order_and_a_spreadsheet_may_write_semicolons(tmp_path):
    file = reviewed(tmp_path, "rose;x;iris;iris/1.jpg", header="\ufeffSuggested;note;Label;ID")
    done = apply_labels(file, rows_of(tmp_path), tmp_path / "labels.csv")
    assert done.corrected == {"iris/1.jpg": "rose"}


def test_apostrophes_that_keep_a_spreadsheet_from_running_names_are_not_part_of_them(tmp_path):
    photos = [feature_files.record("=1.jpg", "-a"), feature_files.record("b.jpg", "@b")]
    done, _ = applied(tmp_path, "'=1.jpg,'-a,0,'@b,1", photos=photos)
    assert done.corrected == {"=1.jpg": "@b"}


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        pytest.param(["iris/9.jpg,iris,0,rose,1"], "line 2: there is no image 'iris/9.jpg'", id="no such image"),
        pytest.param(["iris/1.jpg,iris,0,,1"], "line 2: suggested is empty; write the right", id="no label"),
        pytest.param(["iris/1.jpg,iris,0,|,1"], "line 2: the label is '|', which separates", id="a bar alone"),
        pytest.param([",iris,0,rose,1"], "line 2: the id is empty", id="no id"),
        pytest.param(["iris/1.jpg,iris"], "line 2: there are only 2 values", id="half a line"),
        pytest.param(["rose/1.jpg,iris,0,iris,1", "rose/1.jpg,iris,0,rose,1"], "says that rose/1.jpg is labelled 'iris', but it is labelled 'rose' now", id="another label now"),
        pytest.param(["iris/1.jpg,iris,0,iris,1", "", "iris/1.jpg,iris,0,rose,1"], "line 4: iris/1.jpg is to be 'rose', but line 2 says 'iris'", id="two labels"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_right_is_named(tmp_path, lines, told):
    with pytest.raises(SourceError) as error:
        applied(tmp_path, *lines)
    assert told in str(error.value)
    assert str(error.value).startswith(f"{tmp_path}/reviewed.csv")
    assert not (tmp_path / "labels.csv").exists()


def test_the_same_line_twice_is_one(tmp_path):
    done, _ = applied(tmp_path, *["iris/1.jpg,iris,0,rose,1"] * 2)
    assert done.corrected == {"iris/1.jpg": "rose"}


def test_an_image_without_a_label_may_get_one(tmp_path):
    done, _ = applied(tmp_path, "loose.jpg,,0,rose,1")
    assert done.corrected == {"loose.jpg": "rose"}


def test_a_label_that_no_image_has_is_likely_misspelled_and_taken_where_it_is_meant(tmp_path):
    with pytest.raises(UnknownNameError, match=r"unknown label 'rsoe' in .*, line 2; did you mean"):
        applied(tmp_path, "iris/1.jpg,iris,0,rsoe,1")
    done, _ = applied(tmp_path, "iris/1.jpg,iris,0,violet,1", allow_new=True)
    assert (done.corrected, done.new_classes) == ({"iris/1.jpg": "violet"}, ("violet",))


def test_what_a_table_of_labels_would_read_otherwise_is_refused(tmp_path):
    several = [feature_files.record("a.jpg", "iris|blue"), feature_files.record("b.jpg", "rose")]
    with pytest.raises(
        UsageError, match=r"'iris\|blue': it would be read as several labels; rename"
    ):
        applied(tmp_path, photos=several)
    blank = [feature_files.record(" a.jpg", "iris"), feature_files.record("b.jpg", "rose")]
    with pytest.raises(UsageError, match="cannot name the image"):
        applied(tmp_path, photos=blank)


def test_what_cannot_be_read_or_written_is_one_line(tmp_path):
    rows, file, output = rows_of(tmp_path), reviewed(tmp_path), tmp_path / "labels.csv"
    with pytest.raises(PathNotFoundError):
        apply_labels(tmp_path / "none.csv", rows, output)
    with pytest.raises(OutputExistsError, match="is what is read"):
        apply_labels(file, rows, file, overwrite=True)
    with pytest.raises(UsageError, match=r"name it labels\.csv"):
        apply_labels(file, rows, tmp_path / "labels.h5")
    with pytest.raises(SourceError, match="no column id; its first line has to name id, label and"):
        apply_labels(reviewed(tmp_path, header="path,label,suggested"), rows, output)
    output.write_text("mine")
    with pytest.raises(OutputExistsError, match="exists"):
        apply_labels(file, rows, output)
    assert output.read_text() == "mine"


def test_a_feature_file_in_place_of_the_table_is_told_with_the_right_order(tmp_path):
    rows, file, output = rows_of(tmp_path), reviewed(tmp_path), tmp_path / "labels.csv"
    told = re.escape(
        f"{rows} is a feature file, not a table of labels; give the table first, and then the "
        f"feature file: penult.apply_labels('{file}', '{rows}', output='{output}')"
    )
    with pytest.raises(WrongFileError, match=told):
        apply_labels(rows, file, output)
    for features in (rows, load(rows)):
        with pytest.raises(WrongFileError, match=r"penult\.apply_labels\(TABLE, "):
            apply_labels(rows, features, output)


@pytest.mark.parametrize(
    ("text", "named", "last"),
    [
        pytest.param("", "nothing", "", id="empty"),
        pytest.param('{"a": 1}', '{"a": 1}', WHICH, id="JSON"),
        pytest.param("x" * 200, "x" * 49 + "…" + "x" * 49, WHICH, id="a long line"),
        pytest.param("Bild,species", "bild, species", WHICH_PATH, id="no usual name"),
    ],
)
def test_of_what_is_neither_a_list_nor_a_table_both_are_told(tmp_path, text, named, last):
    file = tmp_path / "reviewed.csv"
    file.write_text(text)
    with pytest.raises(SourceError) as error:
        apply_labels(file, rows_of(tmp_path), tmp_path / "labels.csv")
    assert str(error.value) == (
        f"{file} has no column id; its first line has to name id, label and suggested, as that of "
        f"label_errors.csv does, or path and label, as that of a table does, and names {named}{last}"
    )


def test_a_table_that_has_paths_alone_is_told_the_column_that_a_table_lacks(tmp_path):
    file = reviewed(tmp_path, "iris/1.jpg", header="path")
    with pytest.raises(SourceError) as error:
        apply_labels(file, rows_of(tmp_path), tmp_path / "labels.csv")
    assert str(error.value) == (
        f"{file} has no column label; its first line has to name path and label, as that of a "
        "table does, or id, label and suggested, as that of label_errors.csv does, and names path"
        "; label_column=NAME says which is meant"
    )


@pytest.mark.parametrize(
    ("header", "options"),
    [
        ("filename,species", {}),
        ("Image,labels", {}),
        ("Bild,label", {"path_column": "Bild"}),
        ("filename,Art,species", {"label_column": "art"}),
        ("image,art,file,suggested", {"path_column": "image", "label_column": "art"}),
    ],
)
def test_a_table_of_labels_is_read_as_that_of_an_extraction(tmp_path, header, options):
    file = reviewed(tmp_path, f"iris/1.jpg,rose{',x' * (header.count(',') - 1)}", header=header)
    done = apply_labels(file, rows_of(tmp_path), tmp_path / "labels.csv", **options)
    assert done.corrected == {"iris/1.jpg": "rose"}


def test_of_several_columns_that_may_name_the_images_one_has_to_be_chosen(tmp_path):
    file = reviewed(tmp_path, "iris/1.jpg,1,rose", header="filename,image,label")
    told = "filename, image; choose one with path_column='filename'"
    with pytest.raises(UsageError, match=told):
        apply_labels(file, rows_of(tmp_path), tmp_path / "labels.csv")
    with pytest.raises(PathNotFoundError):
        apply_labels(
            tmp_path / "none.csv", rows_of(tmp_path), tmp_path / "labels.csv", path_column="image"
        )


def test_by_folder_labels_only_those_without_a_label_whose_folder_is_a_label(tmp_path):
    photos = [
        *PHOTOS,
        feature_files.record("iris/new.jpg"),
        feature_files.record("misc/new.jpg"),
        feature_files.record("rose/moved.jpg", "iris"),
        feature_files.record("rose/other.jpg"),
    ]
    line = "rose/other.jpg,,,iris,"
    done, table = applied(tmp_path, line, photos=photos, by_folder=True)
    assert dict(table[5:]) == {
        "iris/new.jpg": "iris",
        "misc/new.jpg": "",
        "rose/moved.jpg": "iris",
        "rose/other.jpg": "iris",  # the list says more than the folder
    }
    assert dict(done.by_folder) == {"iris/new.jpg": "iris"}
    assert (done.unlabelled, done.unknown_folders) == (("loose.jpg", "misc/new.jpg"), ("misc",))
    assert applied(tmp_path, line, photos=photos)[0].by_folder == {}


def corrections(tmp_path, *lines, **options):
    """What is in the table, of labels that were corrected while the photos were served."""
    file, output = tmp_path / "corrected.csv", tmp_path / "labels.csv"
    file.write_text("\n".join(["path,label", *lines, ""]), "utf-8")
    done = apply_labels(file, rows_of(tmp_path), output, overwrite=True, **options)
    with output.open(encoding="utf-8", newline="") as table:
        return done, dict(list(csv.reader(table))[1:])


def test_corrected_labels_count_and_other_images_keep_theirs(tmp_path):
    done, table = corrections(tmp_path, "iris/1.jpg,rose", "iris/2.jpg,iris", "gone.jpg,iris")
    assert table == {"iris/1.jpg": "rose", "iris/2.jpg": "iris", "rose/1.jpg": "rose", "loose.jpg": ""}  # fmt: skip
    assert (dict(done.corrected), done.already, done.missing) == (
        {"iris/1.jpg": "rose"}, 1, ("gone.jpg",)
    )  # fmt: skip


def test_of_images_whose_capitals_are_others_it_is_said_which_are_meant(tmp_path):
    done, table = corrections(tmp_path, "Iris/1.JPG,rose", "iris/2.jpg,iris", "gone.jpg,iris")
    assert table["iris/1.jpg"] == "iris"
    assert (done.missing, done.meant) == (("Iris/1.JPG", "gone.jpg"), {"Iris/1.JPG": "iris/1.jpg"})
    told = r"line 2: there is no image 'Iris/1\.jpg' among these rows; did you mean iris/1\.jpg\?"
    with pytest.raises(SourceError, match=told):
        applied(tmp_path, "Iris/1.jpg,iris,0,rose,1")


def test_a_class_that_somebody_made_is_taken_and_is_that_of_new_photos_in_its_folder(tmp_path):
    photos = [*PHOTOS, feature_files.record("lily/1.jpg"), feature_files.record("iris/3.jpg")]
    (tmp_path / "corrected.csv").write_text("path,label\nrose/1.jpg,lily\niris/3.jpg,\n")
    output = tmp_path / "labels.csv"
    done = apply_labels(tmp_path / "corrected.csv", rows_of(tmp_path, photos), output, by_folder=True)  # fmt: skip
    assert dict(done.by_folder) == {"lily/1.jpg": "lily"}
    assert done.removed == ("iris/3.jpg",)  # somebody took its label away
    assert done.unlabelled == ("loose.jpg", "iris/3.jpg")


def test_a_folder_that_is_no_class_yet_is_one_where_new_ones_are_allowed(tmp_path):
    photos = [*PHOTOS, feature_files.record("crocus/1.jpg"), feature_files.record("crocus/2.jpg")]
    done, table = applied(tmp_path, photos=photos, by_folder=True, allow_new=True)
    assert dict(done.by_folder) == {"crocus/1.jpg": "crocus", "crocus/2.jpg": "crocus"}
    assert (done.unknown_folders, done.new_classes) == ((), ("crocus",))
    assert dict(table)["crocus/2.jpg"] == "crocus"


def test_a_label_of_a_table_that_is_spelled_almost_like_another_is_no_new_class(tmp_path):
    told = (
        r"unknown label 'irsi' of loose\.jpg in .*; did you mean iris\? \(allow_new=True takes it"
    )
    with pytest.raises(UnknownNameError, match=told):
        corrections(tmp_path, "rose/1.jpg,lily", "loose.jpg,irsi|rose")
    assert not (tmp_path / "labels.csv").exists()
    done, table = corrections(tmp_path, "rose/1.jpg,lily", "loose.jpg,irsi", allow_new=True)
    assert (table["loose.jpg"], done.new_classes) == ("irsi", ("irsi", "lily"))
    assert corrections(tmp_path, "rose/1.jpg,lily")[0].new_classes == ("lily",)


def test_of_two_new_spellings_the_one_that_is_much_rarer_is_told(tmp_path):
    photos = [feature_files.record(f"{k}.jpg", "iris") for k in range(24)]
    rows, file = rows_of(tmp_path, photos), tmp_path / "corrected.csv"

    def with_labels(*labels, **options):
        lines = [f"{k}.jpg,{label}" for k, label in enumerate(labels)]
        file.write_text("\n".join(["path,label", *lines]))
        return apply_labels(file, rows, tmp_path / "labels.csv", overwrite=True, **options)

    rare = [*["tulip"] * 20, "tullip", "tullip"]
    with pytest.raises(UnknownNameError, match=r"'tullip' of 20\.jpg in .*; did you mean tulip\?"):
        with_labels(*rare)
    assert with_labels(*rare, allow_new=True).new_classes == ("tulip", "tullip")
    assert with_labels(*rare, "tullip").new_classes == ("tulip", "tullip")  # 20 are not 10 times 3
    assert with_labels(*["bat"] * 20, "cat").new_classes == ("bat", "cat")


def test_a_table_of_other_photos_is_one_line(tmp_path):
    with pytest.raises(SourceError, match=r"corrected.csv names none of the images: .*'other.jpg'"):
        corrections(tmp_path, "other.jpg,iris")
    with pytest.raises(SourceError, match=r"line 3: iris/1\.jpg is rose, but line 2 says iris"):
        corrections(tmp_path, "iris/1.jpg,iris", "iris/1.jpg,rose")
