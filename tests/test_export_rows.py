"""Rows for other programs: what is written is what is there, in every format."""

from __future__ import annotations

import csv
import sys
from importlib.util import find_spec
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

import penult
from penult.errors import MissingExtraError, OutputExistsError, UnknownNameError, UsageError
from penult.features import export
from penult.recipe import Recipe

pytestmark = pytest.mark.light

COUNTS = {"=rose": 3, "daisy": 2}


@pytest.fixture
def features(make_features):
    made = make_features(COUNTS, width=4, splits=["train", "", "test", "", ""])
    made.labels[4] = -1
    return made


@pytest.fixture
def several(make_features):
    targets = np.array([[True, True], [False, True], [False, False]])
    return make_features({"a": 2, "b": 1}, width=2, targets=targets)


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_csv_gives_every_number_back(features, tmp_path):
    made = penult.export_rows(features, tmp_path / "rows.csv")
    assert (made.rows, made.shape, made.layer) == (5, (4,), "penultimate")
    table = rows_of(tmp_path / "rows.csv")
    assert list(table[0]) == ["id", "label", "split", "f0", "f1", "f2", "f3"]
    assert [row["id"] for row in table] == list(features.ids)
    assert [row["label"] for row in table] == ["=rose"] * 3 + ["daisy", ""]
    assert [row["split"] for row in table] == ["train", "", "test", "", ""]
    numbers = [[np.float32(row[f"f{k}"]) for k in range(4)] for row in table]
    assert np.array_equal(np.array(numbers), features.features)


def test_csv_escapes_what_a_spreadsheet_would_run(features, tmp_path):
    penult.export_rows(features, tmp_path / "rows.csv", escape_formulas=True)
    row = rows_of(tmp_path / "rows.csv")[0]
    assert (row["id"], row["label"]) == ("'=rose/000.jpg", "'=rose")
    assert np.float32(row["f1"]) == features.features[0, 1]  # a number stays one, also below 0


@pytest.mark.parametrize("at_once", [1, 3 * 16, 4 << 20], ids=["row", "three rows", "all"])
@pytest.mark.parametrize("suffix", [".csv", ".npz", ".parquet"])
def test_the_blocks_are_not_seen_in_the_file(features, tmp_path, monkeypatch, suffix, at_once):
    if suffix == ".parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
    penult.export_rows(features, tmp_path / f"all{suffix}")
    monkeypatch.setattr(export, "_BLOCK_BYTES", at_once)
    path = tmp_path / f"blocks{suffix}"
    penult.export_rows(features, path)
    if suffix == ".parquet":
        assert parquet.read_table(path) == parquet.read_table(tmp_path / "all.parquet")
    else:
        assert path.read_bytes() == (tmp_path / f"all{suffix}").read_bytes()


def test_npz_has_the_names_of_the_feature_file_and_no_pickle(features, tmp_path):
    penult.export_rows(features, tmp_path / "rows.npz")
    with np.load(tmp_path / "rows.npz", allow_pickle=False) as found:
        assert set(found) == {"features", "ids", "labels", "label_names", "splits", "recipe"}
        assert np.array_equal(found["features"], features.features)
        assert found["ids"].tolist() == list(features.ids)
        assert found["labels"].tolist() == [0, 0, 0, 1, -1]
        assert found["label_names"].tolist() == ["=rose", "daisy"]
        assert Recipe.from_json(str(found["recipe"])) == features.recipe


def test_npz_keeps_maps_and_csv_flattens_them(make_features, tmp_path):
    maps = np.arange(24, dtype=np.float16).reshape(3, 2, 2, 2)
    features = make_features({"a": 3}, features=maps)
    penult.export_rows(features, tmp_path / "rows.npz")
    with np.load(tmp_path / "rows.npz") as found:
        assert found["features"].dtype == np.float16
        assert np.array_equal(found["features"], maps)
    penult.export_rows(features, tmp_path / "rows.csv")
    assert rows_of(tmp_path / "rows.csv")[1]["f7"] == "15.0"


def test_parquet_has_a_list_a_row_and_the_recipe(features, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    penult.export_rows(features, tmp_path / "rows.parquet")
    table = parquet.read_table(tmp_path / "rows.parquet")
    assert table.column_names == ["id", "label", "split", "features"]
    assert table["label"].to_pylist() == ["=rose"] * 3 + ["daisy", None]
    assert np.array_equal(np.array(table["features"].to_pylist(), np.float32), features.features)
    assert Recipe.from_json(table.schema.metadata[b"penult.recipe"].decode()) == features.recipe


def test_several_labels_are_joined(several, tmp_path):
    penult.export_rows(several, tmp_path / "rows.csv")
    assert [row["label"] for row in rows_of(tmp_path / "rows.csv")] == ["a|b", "b", ""]
    penult.export_rows(several, tmp_path / "rows.npz")
    with np.load(tmp_path / "rows.npz") as found:
        assert np.array_equal(found["targets"], several.targets)


@pytest.mark.parametrize("name", ["rows.xlsx", "rows", "rows.h5", "rows.npy"])
def test_another_suffix_is_refused_with_those_that_are_allowed(features, tmp_path, name):
    with pytest.raises(UsageError, match=r"name it rows\.csv or rows\.npz or rows\.parquet"):
        penult.export_rows(features, tmp_path / name)


def test_what_cannot_be_written_leaves_nothing(features, tmp_path, monkeypatch):
    output = tmp_path / "rows.csv"
    with monkeypatch.context() as patch:
        patch.setattr(export, "_blocks", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            penult.export_rows(features, output)
    assert not list(tmp_path.iterdir())
    output.write_text("precious")
    with pytest.raises(OutputExistsError, match="overwrite=True"):
        penult.export_rows(features, output)
    penult.export_rows(features, output, overwrite=True)
    with pytest.raises(UsageError, match="rows in memory have one layer, penultimate"):
        penult.export_rows(features, output, layer="logits", overwrite=True)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'penult\[parquet\]'"):
        penult.export_rows(features, tmp_path / "rows.parquet")


def test_a_layer_of_a_file(photos, toy, tmp_path):
    file = tmp_path / "f.h5"
    penult.extract(photos, file, model=toy, layer=["mean", "logits"])
    made = penult.export_rows(file, tmp_path / "mean.npz", layer="mean")
    with h5py.File(file) as stored, np.load(tmp_path / "mean.npz") as found:
        assert np.array_equal(found["features"], stored["layers/mean"][:])
    assert made.bytes == (tmp_path / "mean.npz").stat().st_size
    with pytest.raises(UnknownNameError, match="mean"):
        penult.export_rows(file, tmp_path / "x.npz", layer="meen")


class Frame:
    """What is used of pandas, which is not installed here: scikit-learn would import it each time."""

    def __init__(self, rows, columns):
        self.columns = dict(zip(columns, rows.T, strict=True))
        self.attrs = {}

    def insert(self, place, name, values):
        items = [*self.columns.items()]
        self.columns = dict([*items[:place], (name, values), *items[place:]])

    @staticmethod
    def array(values, dtype):
        assert dtype == "string"
        return values


@pytest.fixture
def pandas(monkeypatch):
    if find_spec("pandas") is None:
        stub = SimpleNamespace(DataFrame=Frame, array=Frame.array)
        monkeypatch.setitem(sys.modules, "pandas", stub)


@pytest.mark.usefixtures("pandas")
def test_a_dataframe_has_the_same_columns(features, several):
    frame = features.to_dataframe()
    assert list(frame.columns) == ["id", "label", "split", "f0", "f1", "f2", "f3"]
    columns = frame.columns if isinstance(frame, Frame) else frame
    labels = [label if isinstance(label, str) else None for label in columns["label"]]
    assert labels == ["=rose"] * 3 + ["daisy", None]
    assert np.array_equal(np.transpose([columns[f"f{k}"] for k in range(4)]), features.features)
    assert Recipe.from_json(frame.attrs["recipe"]) == features.recipe
    joined = several.to_dataframe()
    joined = joined.columns if isinstance(joined, Frame) else joined
    assert list(joined["label"])[:2] == ["a|b", "b"]


def test_without_pandas_the_extra_is_named(features, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'penult\[pandas\]'"):
        features.to_dataframe()


@pytest.mark.parametrize("suffix", [".csv", ".npz"])
def test_which_rows_belong_together_is_written_too(make_features, tmp_path, suffix):
    groups = ["burst 1", "burst 1", "", "burst 2", ""]
    path = tmp_path / f"rows{suffix}"
    penult.export_rows(make_features(COUNTS, width=2, groups=groups), path)
    if suffix == ".csv":
        assert [row["group"] for row in rows_of(path)] == groups
    else:
        assert np.load(path)["groups"].tolist() == groups
