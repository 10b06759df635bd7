"""`penult map`."""

from __future__ import annotations

import json

import numpy as np
import pytest
from feature_files import record, write
from PIL import Image

pytestmark = pytest.mark.light


@pytest.fixture
def rows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    records = [record(f"{label}{k}.jpg", label) for label in "xy" for k in range(6)]
    return write(tmp_path / "rows.h5", records, [rng.standard_normal((12, 5)).astype(np.float32)])


def test_a_map_is_written_in_several_forms_and_says_how_good_it_is(penult, rows):
    done = penult("map", rows, "-o", "map.csv", "-o", "map.png", "--method", "pca")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == "PCA of 12 rows, layer penultimate, cosine"
    assert "of each row's 5 nearest neighbours kept (chance: 45.5%)" in lines[1]
    assert lines[-2:] == ["map.csv", "map.png"]
    with Image.open("map.png") as picture:
        assert picture.format == "PNG"
    done = penult("map", rows, "--coordinates", "map.csv", "-o", "again.csv", "-q")
    assert done.err == ""
    assert (rows.parent / "again.csv").read_bytes() == (rows.parent / "map.csv").read_bytes()


def test_a_page_of_saved_coordinates_has_each_row(penult, rows, caplog):
    penult("map", rows, "-o", "map.csv", "--method", "pca", "-q")
    done = penult("map", rows, "--coordinates", "map.csv", "-o", "map.html", "--offline", "-q")
    assert done.code == 0
    assert "has no pictures: the rows do not say where their images are" in caplog.text
    page = (rows.parent / "map.html").read_text("utf-8")
    assert '<script type="application/json" id="map-data">' in page
    assert "x0.jpg" in page
    assert "y5.jpg" in page


def test_json_has_what_is_known_of_the_map(penult, rows):
    done = penult("map", rows, "--json", "-q")
    told = json.loads(done.out)
    assert told["method"] == "tsne"
    assert told["params"] == {"perplexity": 3.67, "early_exaggeration": 12, "seed": 0}
    assert told["rows"] == told["total"] == 12
    assert set(told["quality"]) >= {"kept", "chance", "trustworthiness", "neighbors"}


def test_without_an_output_the_next_command_is_named(penult, rows):
    done = penult("map", rows, "--method", "pca")
    assert f"next: penult map {rows} -o map.csv -o map.png --method pca" in done.err + done.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--perplexity", "9"], "penult: --perplexity is 9; allowed for 12 rows: 1 to 3.6"),
        (["-o", "map.jpg"], "penult: map.jpg would hold coordinates, a picture of them, or a page"),
        (["--coordinates", "rows.h5"], "penult: rows.h5 is no CSV file"),
        (["--fit-on", "test"], "penult: --fit-on test fits the map on that part alone"),
        (["--sample", "1"], "penult: --sample is 1; give 2 or more"),
    ],
)
def test_what_cannot_be_is_one_line(penult, rows, arguments, message):
    done = penult("map", rows, *arguments, "-q")
    assert done.code == 2
    assert message in done.err
    assert len(done.err.splitlines()) == 1


def test_a_file_is_not_replaced_before_it_is_asked_for(penult, rows):
    (rows.parent / "map.csv").write_text("mine")
    done = penult("map", rows, "-o", "map.csv", "-q")
    assert done.code == 2
    assert "map.csv exists; give --overwrite" in done.err
    assert (rows.parent / "map.csv").read_text() == "mine"
