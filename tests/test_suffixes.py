"""An output whose name says something else is refused, with the right name."""

from pathlib import Path

import pytest

from penult import suffixes
from penult.errors import UsageError
from penult.interface import serving_command_line


@pytest.mark.parametrize(
    ("kind", "name", "right"),
    [
        pytest.param("FEATURES", "rows.txt", "rows.h5", id="features as text"),
        pytest.param("FEATURES", "a.b.PNG", "a.b.h5", id="the last suffix alone, in any case"),
        pytest.param("CLASSIFIER", "x.pkl", "x.skops", id="a classifier as a pickle"),
        pytest.param("CLASSIFIER", "rows.h5", "rows.skops", id="a classifier as a feature file"),
        pytest.param("ONNX", "fl.pt", "fl.onnx", id="ONNX as torch"),
        pytest.param(
            "NETWORK", "q", "q.penult or q.ckpt or q.safetensors", id="a network by no suffix"
        ),
        pytest.param(
            "NETWORK", "q.pt", "q.penult or q.ckpt or q.safetensors", id="a network as torch's"
        ),
        pytest.param("PICTURE", "seen.gif", "seen.png", id="a picture that would lose pixels"),
        pytest.param("ROWS", "r.pq", "r.csv or r.npz or r.parquet", id="rows by a short suffix"),
        pytest.param("PREDICTIONS", "p.xlsx", "p.csv or p.jsonl", id="a table as a spreadsheet"),
        pytest.param("PREDICTIONS", "p.csv.gz", "p.csv or p.jsonl", id="a packed table"),
        pytest.param("PREDICTIONS", "p.v2", "p.v2.csv or p.v2.jsonl", id="a table by no suffix"),
    ],
)
def test_a_name_that_says_something_else_is_refused_with_the_right_one(kind, name, right):
    with pytest.raises(UsageError) as refused:
        suffixes.require_suffix(Path("out", name), getattr(suffixes, kind))
    assert str(refused.value).startswith(f"out/{name} would hold ")
    assert str(refused.value).endswith(f"; name it {right}")


def test_who_writes_the_format_that_was_asked_for_is_named_as_the_reader_types_it():
    with pytest.raises(UsageError, match=r"rows\.h5 \(penult\.export_rows\(\) writes CSV\)$"):
        suffixes.require_suffix(Path("rows.csv"), suffixes.FEATURES)
    with (
        serving_command_line(),
        pytest.raises(UsageError, match=r"name it x\.skops \(penult export writes ONNX\)$"),
    ):
        suffixes.require_suffix(Path("x.onnx"), suffixes.CLASSIFIER)


@pytest.mark.parametrize(
    "name", ["features", "rows.H5", "rows.hdf5", "rows.v2", "2026.11", ".rows"]
)
def test_names_that_say_nothing_are_fine(name):
    suffixes.require_suffix(Path(name), suffixes.FEATURES)
    suffixes.require_folder_name(Path("report.v2"), "a page")


def test_a_folder_has_no_file_s_name_unless_it_is_there(tmp_path):
    with pytest.raises(
        UsageError, match=r"report\.html would be a folder, with .* name it report$"
    ):
        suffixes.require_folder_name(tmp_path / "report.html", "index.html")
    (tmp_path / "site.html").mkdir()
    suffixes.require_folder_name(tmp_path / "site.html", "index.html")
