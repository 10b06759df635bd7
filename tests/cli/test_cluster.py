"""`penult cluster`."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from feature_files import record, write
from html_pages import Page, section_of

pytestmark = pytest.mark.light


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """Three blobs, of 5, 4 and 3 rows; one of x lies among those of y."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    labels = "xxxxxyyyyzzz"
    blobs = [0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2]
    values = 10 * np.eye(3)[blobs] + 0.1 * rng.standard_normal((12, 3))
    records = [record(f"{label}/{k}.jpg", label) for k, label in enumerate(labels)]
    return write(tmp_path / "rows.h5", records, [values.astype(np.float32)])


@pytest.fixture
def made(photos, toy, tmp_path, penult, monkeypatch):
    """Rows of photos of three colours, which are three clusters."""
    monkeypatch.chdir(tmp_path)
    assert penult("extract", photos, "-o", "made.h5", "-m", toy, "-q").code == 0
    return tmp_path / "made.h5"


def test_clusters_are_printed_with_how_many_and_how_good(penult, rows):
    done = penult("cluster", rows)
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[2].split() == ["0", "5", "y", "(80.0%)", lines[2].split()[-1]]
    assert "3 clusters of 12 rows by k-means, layer penultimate, cosine, seed 0" in lines
    chosen = "number of clusters chosen from 2 to 11 by the highest silhouette: 3 (0.99"
    assert any(line.startswith(chosen) for line in lines)
    assert lines[-1].startswith("against the labels: NMI 0.")
    assert "purity 91.7%" in lines[-1]
    assert f"next: penult cluster {rows} -o clusters.html -k 3" in done.err


def test_the_table_has_the_cluster_of_each_id(penult, rows):
    done = penult("cluster", rows, "-k", 3, "--csv", "a.csv", "-o", "b.csv", "-q")
    assert done.out.splitlines()[-2:] == ["b.csv", "a.csv"]
    table = [*csv.reader((rows.parent / "a.csv").read_text().splitlines())]
    assert table[0] == ["id", "cluster"]
    assert [row[0] for row in table[1:3]] == ["x/0.jpg", "x/1.jpg"]
    assert [row[1] for row in table[1:]] == [*"111100000222"]
    assert (rows.parent / "b.csv").read_bytes() == (rows.parent / "a.csv").read_bytes()


def test_json_has_what_scripts_rely_on(penult, rows):
    told = json.loads(penult("cluster", rows, "-k", "2:4", "--json", "-q").out)
    assert told["k"] == 3
    assert told["sizes"] == [5, 4, 3]
    assert told["purity"] == pytest.approx(11 / 12)
    assert [one["k"] for one in told["curve"]] == [2, 3, 4]
    assert told["curve"][1]["silhouette"] == told["silhouette"]
    assert {"davies_bouldin", "nmi", "ari", "clusters", "noise", "params"} <= told.keys()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-k", "13"], "penult: --k is 13; allowed for 12 rows: 1 to 12"),
        (["-k", "2:12"], "penult: --k is 2:12; allowed for 12 rows"),
        (["--method", "hdbscan", "-k", "3"], "--method hdbscan finds how many clusters there are"),
        (["-o", "clusters.h5"], "clusters.h5 would hold a table of clusters, or a page of them"),
        (["--csv", "clusters.html"], "penult: clusters.html would hold a table of clusters"),
        (["-o", "a.csv", "--csv", "a.csv"], "penult: a.csv is given twice"),
        (["--copy-mode", "symlink"], "give --sort-into DIR"),
        (["--sort-into", "sorted.html"], "sorted.html would be a folder"),
        (
            ["--sort-into", "s"],
            "penult: the photos cannot be found: the rows do not say where their images are; "
            "--images FOLDER says where they are",
        ),
    ],
)
def test_what_cannot_be_is_one_line(penult, rows, arguments, message):
    done = penult("cluster", rows, *arguments, "-q")
    assert done.code == 2
    assert message in done.err
    assert len(done.err.splitlines()) == 1
    assert [one.name for one in rows.parent.iterdir()] == ["rows.h5"]


def test_photos_are_sorted_into_a_folder_for_each_cluster_and_no_second_time(penult, made, photos):
    done = penult("cluster", made, "-k", 3, "--sort-into", "sorted", "-q")
    assert done.code == 0
    assert "sorted: 36 photos put into the folders of their clusters\n" in done.out
    folder = made.parent / "sorted"
    named = sorted(one.name for one in folder.iterdir() if one.is_dir())
    assert [one[:2] for one in named] == ["0-", "1-", "2-"]
    assert sorted(one[2:] for one in named) == ["daisy", "rose", "tulip"]
    for one in named:
        there = sorted(path.name for path in (folder / one).iterdir())
        assert there == sorted(path.name for path in (photos / one[2:]).iterdir())
    before = sorted(folder.rglob("*"))
    done = penult("cluster", made, "-k", 3, "--sort-into", "sorted", "-q")
    assert "sorted: 0 new, 36 photos were there already\n" in done.out
    told = json.loads(penult("cluster", made, "-k", 3, "--sort-into", "sorted", "--json", "-q").out)
    assert (told["copied"], told["there_already"]) == (0, 36)
    assert sorted(folder.rglob("*")) == before
    # Another clustering does not get between them, whose folders could not be told apart.
    done = penult("cluster", made, "-k", 6, "--sort-into", "sorted", "-q")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "another clustering, such as one with another -k, or by hand; give another" in done.err
    assert "6 clusters" in done.out  # what was found is not lost
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("where", ["", "daisy"])
def test_photos_are_not_sorted_into_a_folder_that_they_lie_in(penult, made, photos, where):
    before = sorted(photos.rglob("*"))
    folder = photos / where
    done = penult("cluster", made, "-k", 3, "--sort-into", folder, "--csv", "c.csv", "-q")
    assert (done.code, done.out) == (2, "")
    line = f"penult: {photos}/daisy lies in {folder}, where the photos are to be sorted to; give"
    assert done.err.startswith(line)
    assert not (made.parent / "c.csv").exists()
    assert sorted(photos.rglob("*")) == before


def test_links_lead_to_the_photos_and_what_has_changed_is_not_sorted(penult, made, photos):
    (photos / "rose" / "rose_01.jpg").write_bytes(b"another")
    (photos / "rose" / "rose_02.jpg").unlink()
    done = penult("cluster", made, "-k", 3, "--sort-into", "s", "--copy-mode", "symlink", "-q")
    assert done.code == 1
    assert "s: 34 photos put" in done.out
    assert "2 photos could not be sorted" in done.err
    assert "rose/rose_01.jpg: is another photo by now than its row was made of" in done.err
    links = [path for path in (made.parent / "s").rglob("*.jpg") if path.is_symlink()]
    assert len(links) == 34
    assert all(one.samefile(photos / one.name.split("_")[0] / one.name) for one in links)


def test_where_photos_have_gone_nothing_is_computed(penult, made, photos):
    photos.rename(photos.with_name("moved"))
    done = penult("cluster", made, "-k", 3, "--sort-into", "sorted", "--csv", "c.csv", "-q")
    assert done.code != 0
    assert "photos" in done.err
    assert not (made.parent / "c.csv").exists()
    at = ("--images", photos.with_name("moved"))
    assert "36 photos" in penult("cluster", made, "-k", 3, "--sort-into", "s", *at, "-q").out


def test_a_page_of_real_photos_shows_each_cluster(penult, made):
    done = penult("cluster", made, "-k", "2:5", "-o", "clusters.html", "-q")
    assert done.code == 0
    page = made.parent / "clusters.html"
    section = section_of(page, "clusters")
    images = Page(section).all("img")
    assert len(images) == 36
    assert all(one["src"].startswith("data:image/webp") for one in images)
    assert "<svg" in section_of(page, "choice")
