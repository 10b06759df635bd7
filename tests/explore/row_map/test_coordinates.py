import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from feature_files import record, write
from map_rows import blobs

import penult
from penult.errors import (
    FileFormatError,
    OutputExistsError,
    PathNotFoundError,
    UsageError,
    WrongFileError,
)
from penult.explore.row_map.coordinates import read_coordinates

pytestmark = pytest.mark.light

PARQUET = pytest.param("map.parquet", marks=pytest.mark.needs("pyarrow"))


@pytest.fixture
def rows(tmp_path):
    """A file of nine rows, of which one has no label."""
    rng = np.random.default_rng(0)
    names = ["=a.jpg", *(f"b{k}.jpg" for k in range(8))]
    records = [
        record(
            name, *([["x", "y"][k % 2]] if k else []), split=["train", "test"][k % 2], group=f"g{k}"
        )
        for k, name in enumerate(names)
    ]
    return write(tmp_path / "rows.h5", records, [rng.standard_normal((9, 5)).astype(np.float32)])


def test_a_map_is_given_again_as_its_table_is(rows, tmp_path):
    made = penult.map(rows, tmp_path / "map.csv", method="pca", fit_on="train", progress=False)
    again = penult.map(rows, coordinates=made, progress=False)
    assert (again.xy == made.xy).all()
    assert again.method_line == made.method_line
    assert again.explained_variance == made.explained_variance
    with pytest.raises(UsageError, match=r"the map has coordinates of other images \(=a.jpg, say"):
        penult.map(blobs(2, 6), coordinates=made, progress=False)


def test_the_columns_are_as_scripts_rely_on(rows, tmp_path):
    found = penult.map(rows, tmp_path / "map.csv", method="pca", progress=False)
    text = (tmp_path / "map.csv").read_text()
    table = list(csv.DictReader(text.splitlines()))
    assert list(table[0]) == ["id", "x", "y", "label", "split", "group"]
    first, second = table[:2]
    assert (first["id"], first["label"], first["split"], first["group"]) == (
        "=a.jpg",
        "",
        "train",
        "g0",
    )
    assert (second["label"], second["split"]) == ("y", "test")
    np.testing.assert_array_equal(np.array([[r["x"], r["y"]] for r in table], np.float32), found.xy)


def test_a_map_of_features_without_splits_has_four_columns(tmp_path):
    penult.map(blobs(3), tmp_path / "map.csv", method="pca", progress=False)
    assert (tmp_path / "map.csv").read_text().startswith("id,x,y,label\n0.jpg,")


@pytest.mark.parametrize("name", ["map.csv", PARQUET])
def test_a_map_is_drawn_again_from_its_table(rows, tmp_path, name):
    made = penult.map(rows, tmp_path / name, method="pca", progress=False)
    again = penult.map(rows, coordinates=tmp_path / name, progress=False)
    np.testing.assert_array_equal(again.xy, made.xy)
    assert again.ids == made.ids
    assert again.columns == made.columns
    assert again.quality == made.quality
    # A CSV file has nowhere to say how it was made.
    assert again.method == ("given" if name == "map.csv" else "pca")
    assert again.explained_variance == (None if name == "map.csv" else made.explained_variance)


@pytest.mark.parametrize("name", [PARQUET])
def test_a_map_drawn_again_still_says_which_rows_were_placed_on_it(rows, tmp_path, name):
    made = penult.map(rows, tmp_path / name, method="pca", fit_on="train", progress=False)
    again = penult.map(rows, coordinates=tmp_path / name, progress=False)
    assert again.method_line == made.method_line
    assert "fitted on train (5), the others placed on it" in again.method_line
    np.testing.assert_array_equal(again.placed, made.placed)
    train = penult.map(penult.load(rows).take(range(0, 9, 2)), coordinates=tmp_path / name)
    assert "others" not in train.method_line
    # Without the splits nobody knows them.
    unsplit = replace(penult.load(rows), splits=None)
    assert "fitted on" not in penult.map(unsplit, coordinates=tmp_path / name).method_line


def test_an_output_under_two_names_is_given_twice(rows, tmp_path):
    (tmp_path / "folder").mkdir()
    twice = [tmp_path / "map.csv", tmp_path / "folder" / ".." / "map.csv"]
    with pytest.raises(UsageError, match="is given twice"):
        penult.map(rows, twice, method="pca", progress=False)
    assert not (tmp_path / "map.csv").exists()


def test_escaped_formulas_are_found_again(rows, tmp_path):
    penult.map(rows, tmp_path / "map.csv", method="pca", escape_formulas=True, progress=False)
    assert "\n'=a.jpg," in (tmp_path / "map.csv").read_text()
    assert len(penult.map(rows, coordinates=tmp_path / "map.csv", progress=False)) == 9


def test_rows_and_coordinates_without_each_other_are_left_out_and_said(rows, tmp_path, caplog):
    table = "id;x;y;why\nb1.jpg;1;2;-\nb0.jpg;3;4e0;-\ngone.jpg;0;0;-\n"
    (tmp_path / "other.csv").write_text("\ufeff" + table, "utf-8")
    found = penult.map(rows, coordinates=tmp_path / "other.csv", progress=False)
    assert found.ids == ("b0.jpg", "b1.jpg")
    assert found.xy.tolist() == [[3, 4], [1, 2]]
    assert found.quality is None
    assert "other.csv has coordinates of 1 image that the features do not have" in caplog.text
    assert "2 of 9 rows" in found.method_line
    assert found.caution.startswith("If made by t-SNE or UMAP: distances between far groups")


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("id,x\na,1\n", FileFormatError, r"has no column y \(it has id, x\)"),
        ("", FileFormatError, r"has no column id, x, y \(it has none\)"),
        ("id,x,y\na,1,two\n", FileFormatError, r"y of a is 'two'; give a finite number"),
        ("id,x,y\na,1,nan\n", FileFormatError, r"y of a is 'nan'"),
        ("id,x,y\na,1e300,2\n", FileFormatError, r"x of a is '1e300'"),
        ("id,x,y\na,1,2\na,1,2\n", FileFormatError, r"has the id a twice"),
        ("id,x,y\na,1\n", FileFormatError, r"line 2, has 2 cells"),
        ("id,x,y\n", FileFormatError, r"has no rows"),
        ("id,x,y\nelsewhere.jpg,1,2\n", UsageError, r"of other images \(elsewhere.jpg, say\)"),
    ],
)
def test_a_table_that_is_none_of_coordinates_is_one_line(rows, tmp_path, text, error, message):
    (tmp_path / "bad.csv").write_text(text)
    with pytest.raises(error, match=message):
        penult.map(rows, coordinates=tmp_path / "bad.csv", progress=False)


def test_files_of_other_kinds_are_refused(rows, tmp_path):
    (tmp_path / "picture.csv").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(WrongFileError, match=r"picture.csv is no CSV file.*make one with"):
        read_coordinates(tmp_path / "picture.csv")
    with pytest.raises(PathNotFoundError, match=r"no such file"):
        read_coordinates(tmp_path / "gone.csv")
    with pytest.raises(OutputExistsError, match=r"is what is read"):
        penult.map(rows, rows.with_name("rows.h5"), overwrite=True, progress=False)


@pytest.mark.needs("pyarrow")
@pytest.mark.parametrize("about", ["[]", "{", '{"method": "x"}', '{"method": "pca", "metric": 1}'])
def test_what_a_table_says_of_itself_is_not_believed_if_it_cannot_be(tmp_path, about):
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table({"id": ["a"], "x": [1.0], "y": [2.0]})
    parquet.write_table(
        table.replace_schema_metadata({"penult.map": about}), tmp_path / "m.parquet"
    )
    found = read_coordinates(tmp_path / "m.parquet")
    assert found.about == {}
    (tmp_path / "no.parquet").write_bytes(b"PAR1")
    with pytest.raises(WrongFileError, match=r"is no Parquet file"):
        read_coordinates(tmp_path / "no.parquet")


def test_the_record_is_short_and_a_table(rows):
    found = penult.map(rows, method="pca", progress=False)
    assert repr(found).startswith("RowMap(PCA, 9 rows, layer penultimate, ")
    assert json.loads(json.dumps(found.to_dict()))["quality"]["neighbors"] == 4
    assert '<img alt="row map"' in found._repr_html_()
    assert len(found._repr_html_()) < 200_000


@pytest.mark.needs("pandas")
def test_a_map_is_a_dataframe(rows):
    found = penult.map(rows, method="pca", progress=False)
    frame = found.to_dataframe()
    assert list(frame) == ["id", "x", "y", "label", "split", "group"]
    np.testing.assert_array_equal(np.asarray(frame["x"]), found.xy[:, 0])
    assert [isinstance(one, str) for one in frame["label"]] == [False] + [True] * 8
