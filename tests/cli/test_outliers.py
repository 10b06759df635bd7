"""`penult outliers`."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from feature_files import record, write
from html_pages import Page, section_of
from PIL import Image

pytestmark = pytest.mark.light


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """Two classes of 12 rows, each a ring around an end of the axis; one of x lies apart from it."""
    monkeypatch.chdir(tmp_path)
    turns = np.linspace(0, 2 * np.pi, 13)[:12]
    ring = np.stack([0.1 * np.cos(turns), 0.1 * np.sin(turns), np.ones(12)], axis=1)
    values = np.concatenate([ring, ring * (1, 1, -1)]).astype(np.float32)
    values[5] = (1, 0.2, 0.3)
    records = [record(f"{'xy'[k // 12]}/{k:02}.jpg", "xy"[k // 12]) for k in range(24)]
    return write(tmp_path / "rows.h5", records, [values])


@pytest.fixture
def made(photos, toy, tmp_path, penult, monkeypatch):
    """Rows of photos of three colours, one of which is black."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for path in sorted(photos.glob("*/*")):
        noise = rng.integers(0, 256, (12, 16, 3), np.uint8)
        Image.fromarray(noise).resize((64, 48)).save(path)
    Image.new("RGB", (64, 48)).save(photos / "rose" / "rose_03.jpg")
    assert penult("extract", photos, "-o", "made.h5", "-m", toy, "-q").code == 0
    return tmp_path / "made.h5"


def test_the_most_unusual_are_printed_first_with_the_rule(penult, rows):
    done = penult("outliers", rows, "--no-pictures", "-k", 3, "--limit", 2)
    lines = done.out.splitlines()
    assert done.code == 0
    assert lines[2].split()[0] == "x/05.jpg"
    assert lines[4] == ""  # two images, and then what is said of all
    assert lines[2].split("   ")[-1].strip() == "far from others, local outlier"
    assert "each of 24 rows against the others of its class: the 3 nearest" in done.out
    assert (
        "1 image (4.2%) is unusual: 1 far from others, 1 local outlier, 1 of them both\n"
        "unusual: more than 3 interquartile ranges above the third quartile (Tukey's outer fence)"
        in done.out
    )
    assert f"next: penult outliers {rows} -o outliers.html -k 3" in done.err
    done = penult("outliers", rows, "--no-pictures", "--metric", "euclidean", "-l", "penultimate")
    hint = "-o outliers.html --layer penultimate --metric euclidean --no-pictures"
    assert done.err.splitlines()[-1] == f"next: penult outliers {rows} {hint}"


def test_json_is_an_image_a_line(penult, rows):
    done = penult("outliers", rows, "--no-pictures", "-k", 3, "--json", "-q")
    told = [json.loads(line) for line in done.out.splitlines()]
    assert len(told) == 24
    assert told[0]["id"] == "x/05.jpg"
    assert told[0]["percentile"] == pytest.approx(100 * 11 / 12)
    assert told[0]["reasons"] == ["knn_distance", "lof"]
    assert told[0]["nearest"] == ["x/00.jpg", "x/01.jpg", "x/11.jpg"]
    first = penult("outliers", rows, "--no-pictures", "-k", 3, "--json", "-q", "--limit", 1)
    assert [json.loads(first.out)] == told[:1]


def test_the_table_has_all_images_the_most_unusual_first(penult, rows):
    done = penult("outliers", rows, "--no-pictures", "-k", 3, "-o", "o.csv", "-q")
    table = [*csv.DictReader(io.StringIO((rows.parent / "o.csv").read_text()))]
    assert done.code == 0
    assert "o.csv" in done.out
    assert len(table) == 24
    assert table[0]["id"] == "x/05.jpg"
    assert table[0]["label"] == "x"
    assert table[0]["reasons"] == "knn_distance|lof"
    assert float(table[0]["percentile"]) == pytest.approx(100 * 11 / 12)


@pytest.mark.needs("pyarrow")
def test_parquet_has_what_csv_has(penult, rows):
    from pyarrow import parquet

    penult("outliers", rows, "--no-pictures", "-k", 3, "-o", "o.csv", "-o", "o.parquet", "-q")
    table = parquet.read_table(rows.parent / "o.parquet").to_pydict()
    columns = [*csv.DictReader(io.StringIO((rows.parent / "o.csv").read_text()))]
    assert table["id"] == [one["id"] for one in columns]
    assert table["lof"] == [float(one["lof"]) for one in columns]


def test_what_is_not_compared_has_no_numbers(penult, rows):
    done = penult(*("outliers", rows, "--no-pictures", "--reference", "class"), "-q", "--json")
    assert done.code == 0
    done = penult("outliers", rows, "--no-pictures", "-k", 12, "-q")
    assert "each of 24 rows against all others: the 12 nearest" in done.out


def test_pictures_are_measured_and_odd_ones_named(penult, made):
    done = penult("outliers", made, "-q")
    assert done.code == 0
    assert "36 pictures measured: 1 dark, 1 nearly blank, 1 grey" in done.out
    [line] = [line for line in done.out.splitlines() if "dark 0.00" in line]
    assert line.split()[0] == "rose/rose_03.jpg"
    assert line.endswith("dark 0.00, nearly blank 0.16, grey")


def test_what_was_measured_of_each_picture_is_in_the_table_for_thresholds_of_ones_own(penult, made):
    penult("outliers", made, "-q", "-o", "o.csv")
    table = [*csv.DictReader(io.StringIO((made.parent / "o.csv").read_text()))]
    score = {one["id"]: float(one["dark_score"]) for one in table}
    assert len(score) == 36
    assert min(score, key=score.__getitem__) == "rose/rose_03.jpg"
    assert {float(one["size"]) for one in table} == {(64 * 48) ** 0.5}
    told = penult("outliers", made, "-q", "--json")
    values = {one["id"]: one["values"] for one in map(json.loads, told.out.splitlines())}
    assert {name: one["dark_score"] for name, one in values.items()} == score


def test_pictures_that_are_gone_are_named_and_the_code_says_so(penult, made, photos):
    gone = photos.rename(photos.parent / "moved")
    done = penult("outliers", made, "-q", "-o", "o.csv")
    assert done.code == 1
    assert "36 pictures could not be measured:" in done.err
    assert "  daisy/daisy_01.jpg: is gone, or is another picture by now" in done.err
    assert "  and 26 more" in done.err
    assert (made.parent / "o.csv").exists()
    (gone / "rose" / "rose_01.jpg").unlink()
    Image.new("RGB", (64, 48)).save(gone / "rose" / "rose_02.jpg")
    done = penult("outliers", made, "--images", gone, "-q")
    assert done.code == 1
    assert "2 pictures could not be measured:" in done.err
    assert "rose/rose_01.jpg: is gone" in done.err
    assert "rose/rose_02.jpg: is gone, or is another" in done.err


def test_a_page_shows_unusual_images_and_odd_pictures(penult, made):
    done = penult("outliers", made, "-o", "outliers.html", "-q")
    assert done.code == 0
    page = made.parent / "outliers.html"
    images = Page(section_of(page, "dark")).all("img")
    assert [one["alt"] for one in images] == ["rose/rose_03.jpg"]
    assert images[0]["src"].startswith("data:image/webp")
    assert section_of(page, "tiny") is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-k", "40"], "--k is 40, and there are 24 different rows; give 23 or less"),
        (["--reference", "train"], "give --reference all"),
        (["--reference", "nearest"], "'nearest' is not one of 'all', 'class', 'train'"),
        (["-o", "o.h5"], "o.h5 would hold a table of outliers, or a page of them; name it o.csv"),
        (["-o", "a.csv", "-o", "a.csv"], "a.csv is given twice"),
        (["--images", "."], "--images FOLDER says where pictures are, and none is opened"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(penult, rows, arguments, message):
    done = penult("outliers", rows, "--no-pictures", "-q", *arguments)
    assert done.code == 2
    assert message in done.err
    assert [*rows.parent.iterdir()] == [rows]


def test_names_that_a_spreadsheet_would_run_are_escaped(penult, tmp_path):
    records = [record(f"={k}.jpg") for k in range(4)]
    features = write(tmp_path / "f.h5", records, [np.eye(4, dtype=np.float32)])
    penult("outliers", features, "--no-pictures", "-o", tmp_path / "o.csv", "-q",
           "--escape-formulas")  # fmt: skip
    text = (tmp_path / "o.csv").read_text()
    assert next(csv.DictReader(io.StringIO(text)))["id"].startswith("'=")


def test_columns_stay_narrow_however_far_apart_rows_are(penult, rows, tmp_path):
    records = [record(f"{k}.jpg", "a") for k in range(4)]
    values = np.array([[1e-30], [3e-30], [1e30], [2e30]], np.float32)
    far = write(tmp_path / "far.h5", records, [values])
    done = penult("outliers", far, "--no-pictures", "--metric", "euclidean", "-k", "1")
    assert done.code == 0
    assert max(map(len, done.out.splitlines())) < 100
    assert "2.00e-30" in done.out
    assert "1.00e+30" in done.out


def test_that_weaker_blur_is_not_found_is_said_where_none_is(penult, made):
    done = penult("outliers", "made.h5", "-q")
    assert "pictures measured: " in done.out
    assert "of blur, only what leaves no edge at 64 pixels is found" in done.out
    assert "of blur" not in penult("outliers", "made.h5", "--no-pictures", "-q").out
