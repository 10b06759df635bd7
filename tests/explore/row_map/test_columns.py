"""Columns of other tables on a map: what each of penult's own becomes, and what is refused."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from map_rows import blobs

import penult
from penult.errors import FileFormatError, PathNotFoundError, UnknownNameError, UsageError
from penult.explore.row_map.values import plain_values

pytestmark = pytest.mark.light

IDS = [f"{k}.jpg" for k in range(12)]


@pytest.fixture
def features():
    return blobs(2, 6)  # blob 0 and blob 1 in turn


@pytest.fixture
def mapped(features, tmp_path, monkeypatch):
    """Map them with columns; gives the columns that came beside their label."""
    monkeypatch.chdir(tmp_path)

    def map_them(*columns, **options):
        given = columns[0] if len(columns) == 1 else columns
        made = penult.map(features, method="pca", columns=given, progress=False, **options)
        assert len(made) == 12
        assert made.columns["label"][:2] == ("blob 0", "blob 1")
        return {name: list(values) for name, values in made.columns.items() if name != "label"}

    return map_them


def table(path, header, *lines):
    path.write_text("\n".join([header, *lines]) + "\n", "utf-8")
    return path


def of_all(path, name, values):
    lines = (f"{one},{value}" for one, value in zip(IDS, values, strict=True))
    return table(path, f"id,{name}", *lines)


def page_column(tmp_path, name):
    text = (tmp_path / "map.html").read_text("utf-8")
    (block,) = re.findall(r'id="map-data">(.*?)</script>', text, re.DOTALL)
    data = json.loads(block)
    (column,) = [one for one in data["columns"] if one["name"] == name]
    assert data["columns"][data["color_by"]]["name"] == name
    return column


def on_page(mapped, tmp_path, path, name):
    """A column as the page's data have it, of the table that some command wrote."""
    options = {"color_by": name, "overwrite": True, "offline": True}
    values = mapped(path, output=tmp_path / "map.html", **options)[name]
    return page_column(tmp_path, name), values


def held_out(*columns):
    from penult.records import HeldOut

    names = ("ids", "truth", "predicted", "probability")
    return HeldOut(**dict(zip(names, columns, strict=True)))


def write_held_out(path, *runs):
    from penult.reporting.held_out import write_held_out as write

    write(path, runs)
    return path


def test_clusters(features, mapped, tmp_path):
    penult.cluster(features, csv=tmp_path / "c.csv", k=2, progress=False)
    column, values = on_page(mapped, tmp_path, tmp_path / "c.csv", "cluster")
    assert values == [values[0], values[1]] * 6
    assert column["values"] == ["0", "1"]


def test_held_out_images(mapped, tmp_path):
    first = held_out(("0.jpg", "1.jpg"), ("a", "b"), ("a", "a"), (0.75, 0.5))
    path = write_held_out(tmp_path / "held_out.csv", first)
    column, values = on_page(mapped, tmp_path, path, "mistake")
    assert values == [False, True, *[None] * 10]
    assert (column["values"], column["boolean"]) == (["no", "yes"], True)
    column, values = on_page(mapped, tmp_path, path, "confidence")
    assert values[:2] == [0.75, 0.5]
    assert column["kind"] == "numeric"
    column, values = on_page(mapped, tmp_path, path, "predicted")
    assert values[:3] == ["a", "a", None]
    assert list(mapped(path)) == ["truth", "predicted", "confidence", "mistake"]


def test_of_several_runs_the_first_that_held_an_image_out_counts(mapped, tmp_path, caplog):
    first = held_out(("0.jpg",), ("a",), ("b",), (0.75,))
    second = held_out(("1.jpg", "0.jpg"), ("b", "a"), ("b", "a"), (0.5, 0.9))
    write_held_out(tmp_path / "held_out.csv", first, second)
    assert mapped(tmp_path / "held_out.csv")["mistake"][:3] == [True, False, None]
    assert "of 2 runs, the first in which an image was held out counts; 1 line" in caplog.text


def test_predictions(mapped, tmp_path):
    from penult.classify.prediction.table import to_file
    from penult.records import Prediction

    path = tmp_path / "predictions.csv"
    how = {"overwrite": False, "top": 1, "several": True, "copies": False, "escape_formulas": False}
    with to_file(path, **how) as write:
        for one, labels in (("0.jpg", ("a", "b")), ("1.jpg", ("b",))):
            top = ((labels[0], 1.0),)
            write(Prediction(id=one, label=labels[0], probability=1.0, top=top, labels=labels))
    column, values = on_page(mapped, tmp_path, path, "predicted")
    assert values[:3] == column["values"] + [None] == ["a", "b", None]
    assert mapped(path)["confidence"][:2] == [1.0, 1.0]
    column, _ = on_page(mapped, tmp_path, path, "predicted_labels")
    assert column["names"] == ["a", "b"]  # a row of the legend each
    assert mapped(path)["unsure"][:2] == [False, False]


def test_duplicates(mapped, tmp_path):
    from duplicate_records import duplicates_of, group

    from penult.tabular import DUPLICATE_COLUMNS, duplicate_cells

    found = duplicates_of(group("0.jpg", "2.jpg", label="blob 0"), group("1.jpg", "3.jpg"))
    lines = (",".join(map(str, cells)) for cells in duplicate_cells(found))
    table(tmp_path / "d.csv", ",".join(DUPLICATE_COLUMNS), *lines)
    column, values = on_page(mapped, tmp_path, tmp_path / "d.csv", "duplicate_group")
    assert values[:5] == [1, 2, 1, 2, None]
    assert column["values"] == ["1", "2"]
    # Its labels differ from the map's, and are called after the file.
    assert mapped(tmp_path / "d.csv")["d_label"][:2] == ["blob 0", "iris"]


def test_outliers(features, mapped, tmp_path):
    path = tmp_path / "o.csv"
    told = penult.outliers(features, path, k=2, pictures=False, progress=False)
    percentiles = {one.id: one.percentile for one in told}
    column, values = on_page(mapped, tmp_path, path, "outlier_percentile")
    assert column["kind"] == "numeric"
    assert values == [percentiles[one] for one in IDS]
    found = mapped(path)
    assert {"outlier_percentile", "outlier_distance", "lof"} <= found.keys()
    assert "o_label" not in found  # it is the map's own
    lines = ["0.jpg,99,far|dark", "1.jpg,50,"]
    path = table(tmp_path / "whole.csv", "id,percentile,reasons", *lines)
    assert mapped(path)["outlier_percentile"][:3] == [99.0, 50.0, None]  # whole, and measured
    column, _ = on_page(mapped, tmp_path, path, "outlier_reasons")
    assert column["names"] == ["dark", "far"]


def test_what_penult_returns_is_the_table_that_it_writes_of_it(features, mapped, tmp_path):
    from duplicate_records import duplicates_of, group

    from penult.records import Prediction, Predictions

    clusters = penult.cluster(features, csv=tmp_path / "c.csv", k=2, progress=False)
    odd = penult.outliers(features, tmp_path / "o.csv", k=2, pictures=False, progress=False)
    assert mapped(clusters) == mapped(tmp_path / "c.csv")
    assert mapped([clusters, odd]) == mapped([tmp_path / "c.csv", tmp_path / "o.csv"])
    tried = held_out(("0.jpg", "1.jpg"), ("a", "b"), ("a", "a"), (0.75, 0.5))
    assert mapped(tried, color_by="mistake")["mistake"] == [False, True, *[None] * 10]
    one = Prediction(id="1.jpg", label="b", probability=0.5, top=(("b", 0.5),))
    assert mapped(Predictions([one]))["predicted"][:3] == [None, "b", None]
    assert mapped([Predictions([one]), clusters])["confidence"][1] == 0.5
    found = mapped(duplicates_of(group("0.jpg", "2.jpg", label="blob 0")))
    assert found["duplicate_group"][:4] == [1, None, 1, None]


def test_a_column_is_found_by_the_name_in_its_table_where_no_other_has_it(mapped, tmp_path):
    path = table(tmp_path / "o.csv", "id,percentile,reasons", "0.jpg,99,far", "1.jpg,50,")
    column, _ = on_page(mapped, tmp_path, path, "outlier_percentile")
    mapped(path, output=tmp_path / "map.html", overwrite=True, offline=True, color_by="percentile")
    assert page_column(tmp_path, "outlier_percentile") == column
    other = of_all(tmp_path / "b.csv", "percentile", range(12))
    assert mapped([path, other], color_by="percentile")["percentile"][3] == 3  # its own
    again = table(tmp_path / "p.csv", "id,percentile,reasons", "0.jpg,9,far", "1.jpg,5,")
    with pytest.raises(UnknownNameError, match=r"there are .*outlier_percentile.*outlier_percen"):
        mapped([path, again], color_by="percentile")


def test_columns_stand_in_tables_with_their_types(mapped, tmp_path):
    of_all(tmp_path / "c.csv", "cluster", range(12))
    mapped(tmp_path / "c.csv", output=tmp_path / "map.csv")
    lines = (tmp_path / "map.csv").read_text("utf-8").splitlines()
    assert lines[0] == "id,x,y,label,cluster"
    assert lines[12].endswith(",blob 1,11")


@pytest.mark.needs("pandas")
def test_columns_stand_in_pandas_with_their_types(features):
    given = {"c": [None, *range(11)], "m": [True] * 12, "f": [0.5] * 12}
    frame = penult.map(features, method="pca", columns=given, progress=False).to_dataframe()
    assert [*map(str, frame[["c", "m", "f"]].dtypes)] == ["Int64", "boolean", "float64"]


@pytest.mark.needs("pyarrow")
def test_parquet_is_read_with_its_types_and_written_with_them(mapped, tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    columns = {
        "id": IDS,
        "cluster": [*range(11), None],
        "sure": [True] * 12,
        "tags": [["a", "b"]] * 12,
    }
    parquet.write_table(pa.table(columns), tmp_path / "c.parquet")
    values = mapped(tmp_path / "c.parquet", output=tmp_path / "map.parquet")
    assert values == {"cluster": [*range(11), None], "sure": [True] * 12, "tags": ["a|b"] * 12}
    again = parquet.read_table(tmp_path / "map.parquet")
    kinds = [str(again.schema.field(name).type) for name in ("cluster", "sure", "tags")]
    assert kinds == ["int64", "bool", "string"]
    assert again["cluster"].to_pylist() == values["cluster"]


def test_a_mapping_has_a_value_for_each_row_or_ids_beside_it(mapped):
    assert mapped({"k": np.arange(12)}) == {"k": [*range(12)]}
    found = mapped({"id": ["3.jpg", "x.jpg"], "score": [np.float32(0.5), 1]})
    assert found == {"score": [None] * 3 + [0.5] + [None] * 8}
    with pytest.raises(UsageError, match="columns has 3 values of k for 12 rows; give one for"):
        mapped({"k": [1, 2, 3]})
    with pytest.raises(UsageError, match="columns has 2 values of k for 12 ids; give one for"):
        mapped({"id": IDS, "k": [1, 2]})
    with pytest.raises(UsageError, match="columns has 1 under k; give a list of values"):
        mapped({"k": 1})


def test_of_a_sample_each_row_keeps_its_own_value(features):
    values = [f"{k}.jpg" for k in range(12)]
    made = penult.map(
        features, method="pca", columns={"name": values}, sample=5, seed=1, progress=False
    )
    assert len(made) == 5
    assert made.columns["name"] == made.ids


def test_ids_without_a_value_and_ids_of_no_row_are_counted_in_a_line_each(mapped, tmp_path, caplog):
    path = table(tmp_path / "c.csv", "id,k", "0.jpg,1", "x.jpg,2", "y.jpg,2")
    assert mapped(path) == {"k": [1, *[None] * 11]}
    assert [record.getMessage() for record in caplog.records] == [
        f"penult: {path} has nothing on 11 of 12 images, which get no value",
        f"penult: {path} has 2 ids that the features do not have; they are left out",
    ]


def test_columns_of_the_same_name_are_called_after_their_files(mapped, tmp_path):
    for stem in ("a", "b"):
        of_all(tmp_path / f"{stem}.csv", "cluster", range(12))
    of_all(tmp_path / "xs.csv", "x", range(12))
    found = mapped(*(tmp_path / f"{stem}.csv" for stem in ("a", "b", "xs")))
    assert list(found) == ["cluster", "b_cluster", "xs_x"]
    (tmp_path / "sub").mkdir()
    again = of_all(tmp_path / "sub" / "b.csv", "cluster", range(12))
    with pytest.raises(UsageError, match=r"b\.csv has the column cluster, and so has another"):
        mapped(tmp_path / "a.csv", tmp_path / "b.csv", again)


def test_labels_of_a_table_are_those_of_rows_that_have_none(features, tmp_path):
    bare = replace(features, labels=np.full(12, -1))
    made = penult.map(bare, method="pca", columns={"label": ["a", "b"] * 6}, progress=False)
    assert made.columns == {"label": ("a", "b") * 6}


@pytest.mark.parametrize(
    ("lines", "error", "message"),
    [
        (["id,k", "a.jpg,1"], UsageError, "none of the ids of the features: it has e.g. a.jpg"),
        (["id,k", "0.jpg,1", "0.jpg,2"], UsageError, "the id 0.jpg twice, with the k 1 and 2"),
        (["path,k", "0.jpg,1"], FileFormatError, "has no column id (it has path, k)"),
        (["id,k,k", "0.jpg,1,1"], FileFormatError, "has the column k twice"),
        (["id", "0.jpg"], FileFormatError, "has no column beside id"),
        (["id,k"], FileFormatError, "has no rows"),
        (["id,k", "0.jpg"], FileFormatError, "line 2, has 1 cell"),
    ],
)
def test_what_cannot_be_meant_is_refused(mapped, tmp_path, lines, error, message):
    with pytest.raises(error, match=re.escape(message)):
        mapped(table(tmp_path / "c.csv", *lines))


def test_an_id_twice_that_says_the_same_is_fine(mapped, tmp_path):
    path = table(tmp_path / "c.csv", "id,k", "0.jpg,1", "0.jpg,1")
    assert mapped(path)["k"][0] == 1


def test_a_column_that_is_not_there_is_named_with_those_that_are(mapped, tmp_path):
    path = of_all(tmp_path / "c.csv", "cluster", range(12))
    with pytest.raises(
        UnknownNameError, match=r"clustr.*did you mean cluster\? \(there are label, .*cluster, none"
    ):
        mapped(path, color_by="clustr")
    with pytest.raises(UnknownNameError) as told:
        mapped(path, color_by="nix")
    assert str(told.value) == (
        "unknown column 'nix'; allowed: label, cluster, none (columns=TABLE brings others)"
    )
    with pytest.raises(PathNotFoundError):
        mapped(tmp_path / "nowhere.csv")
    # What would be lost is noticed before anything is computed.
    with pytest.raises(UsageError, match="is what is read"):
        mapped(path, output=path, overwrite=True)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1", "-2", ""], [1, -2, None]),
        (["1", "0.5", "nan"], [1.0, 0.5, None]),
        (["inf", "1e3", "2"], [None, 1000.0, 2.0]),
        (["True", "false", ""], [True, False, None]),
        (["007", "8"], ["007", "8"]),
        (["1", "x"], ["1", "x"]),
        (["1_000", "2"], ["1_000", "2"]),
        (["12345678901234567890"], ["12345678901234567890"]),
    ],
)
def test_texts_become_numbers_where_all_of_them_are(texts, expected):
    found = plain_values("k", texts)
    assert found == expected
    assert [*map(type, found)] == [*map(type, expected)]


def test_what_is_measured_by_its_name_is_so_even_where_it_is_whole():
    assert [type(one) for one in plain_values("probability_2", ["1", "0"])] == [float, float]
    assert plain_values("k", [10**400, 1, float("nan")]) == [str(10**400), "1", None]
