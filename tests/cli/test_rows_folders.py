"""A folder of rows in the place of a feature file: every command does with it what it does with that."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from feature_files import record, write
from parts_folders import divided

import penult as library
from penult.extras import is_installed

pytestmark = pytest.mark.light

NAMES = [f"{label}/{k:02}.jpg" for label in ("daisy", "rose", "tulip") for k in range(8)]


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Rows of three classes far apart: one file, a folder of 5 images a part, and an address."""
    here = tmp_path_factory.mktemp("rows")
    rng = np.random.default_rng(0)
    centre = np.repeat(np.eye(3, 4) * 4, 8, axis=0)
    rows = (centre + rng.normal(0, 0.3, (24, 4))).astype(np.float32)
    records = [record(name, name.partition("/")[0]) for name in NAMES]
    write(
        here / "photos.h5",
        records,
        [rows, rows[:, ::-1]],
        layers=("conv", "penultimate"),
        failures=[library.Failure("rose/99.jpg", "is empty")],
    )
    divided(here / "photos.h5", here / "photos.rows", part_images=5)
    if is_installed("fsspec"):
        divided(here / "photos.h5", f"memory://{here.name}/photos.rows", part_images=5)
    (here / "reviewed.csv").write_text("id,label,suggested\nrose/01.jpg,rose,tulip\n")
    library.train(here / "photos.h5", here / "flowers.skops", classifier="centroid", folds=2)
    yield here
    if is_installed("fsspec"):
        import fsspec

        fsspec.filesystem("memory").store.clear()


COMMANDS = [
    "train {} -o out.skops --classifier centroid --folds 2",
    "train {} -o out.skops --classifier centroid --folds 2 --layer conv --layer penultimate",
    "evaluate flowers.skops {}",
    "search {} {} -k 2",
    "search photos.h5 {} -k 2",
    "search {} --id rose/01.jpg -k 2 --layer conv",
    "evaluate-search {} -k 3",
    "index {} -o out.index",
    "map {} -o out.csv --method pca",
    "cluster {} -k 3 -o out.csv",
    "outliers {} -o out.csv --no-pictures",
    "duplicates {} --threshold 0.99 --repair out.h5",
    "summarize {}",
    "info {}",
    "join {} -o out.h5 --layer conv --layer penultimate",
    "reduce {} -o out.h5 --pca 2",
    "export-rows {} -o out.csv",
    "labels apply reviewed.csv {} -o out.csv",
    "compare {} -o out --runs 2",
]


def said_of(penult, command, place, monkeypatch, folder):
    folder.mkdir()
    monkeypatch.chdir(folder)
    line = command.replace("{}", str(place))
    here = folder.parent
    for name in ("flowers.skops", "reviewed.csv", " photos.h5"):
        line = line.replace(name, f"{' ' * (name[0] == ' ')}{here / name.strip()}")
    done = penult(*line.split())
    assert done.code == 0, done.err
    told = (done.out + done.err).replace(str(place), "ROWS").replace(str(folder), "HERE")
    told = told.replace("ROWS: folder of rows", "ROWS: feature file")  # the differences
    told = re.sub(r"\n5 parts of up to 5 images \(h5\), [\d.]+ MB|,? --part-images 5", "", told)
    told = re.sub(r"Matplotlib is building the font cache.*\n", "", told)  # on a new machine
    told = re.sub(r"(, [\d,.]+ \w+/s)?(, [\d,]+ s left)?$", "", told, flags=re.M)  # on a busy one
    return re.sub(r"[\d.]+ (seconds|s|ms|MB|kB)\b|photos\.(h5|rows)", "", told)


def link(places, folder):
    for one in places.iterdir():
        (folder / one.name).symlink_to(one)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_the_same_of_a_folder_as_of_the_file(
    penult, places, command, monkeypatch, tmp_path
):
    link(places, tmp_path)
    monkeypatch.setenv("PENULT_CACHE", str(tmp_path / "cache"))
    # Charts, of which nothing is printed, are not drawn.
    monkeypatch.setattr("penult.reporting.comparison_figures.comparison_figures", lambda _: {})
    file = said_of(penult, command, places / "photos.h5", monkeypatch, tmp_path / "a")
    folder = said_of(penult, command, places / "photos.rows", monkeypatch, tmp_path / "b")
    assert folder == file
    if "--layer" not in command and is_installed(
        "fsspec"
    ):  # the slashes of an address survive the command line's paths
        address = f"memory://{places.name}/photos.rows"
        told = said_of(penult, command, address, monkeypatch, tmp_path / "c")
        assert told == file


def test_info_says_how_a_folder_is_divided_and_how_it_is_made_so_again(penult, places):
    said = penult("info", places / "photos.rows").out.splitlines()
    assert re.fullmatch(r"5 parts of up to 5 images \(h5\), \d\.\d MB", said[1])
    assert said[-1].startswith("made again by: penult extract ")
    assert said[-1].endswith(" --part-images 5")
    told = json.loads(penult("info", places / "photos.rows", "--json").out)
    assert (told["parts"], told["part_images"], told["part_format"]) == (5, 5, "h5")
    assert told["bytes"] == sum(one.stat().st_size for one in (places / "photos.rows").glob("*.h5"))
    of_file = json.loads(penult("info", places / "photos.h5", "--json").out)
    assert (of_file["parts"], of_file["bytes"]) == (None, (places / "photos.h5").stat().st_size)


def test_merge_says_what_it_made_and_what_comes_next(penult, places, tmp_path):
    done = penult("merge", places / "photos.rows", "-o", tmp_path / "m.h5")
    assert done.err.startswith("merge: 24 of 24 rows\nnext: penult train ")
    assert done.out.startswith(f"{tmp_path}/m.h5: 24 rows of 4 float32, 3 classes, from ")
    assert " (conv, penultimate)\n1 of 25 images" in done.out
    done = penult("merge", places / "photos.rows", "-o", tmp_path / "m.h5", "--json", "--overwrite")
    told = json.loads(done.out)
    assert (told["rows"], told["layers"], told["augmented"]) == (24, ["conv", "penultimate"], 0)
    assert told["failures"] == [{"id": "rose/99.jpg", "reason": "is empty"}]


def test_photos_beside_a_folder_of_rows_are_found_and_the_folder_left_out(places, tmp_path, toy):
    from PIL import Image

    photos = tmp_path / "photos"
    (photos / "red").mkdir(parents=True)
    Image.new("RGB", (8, 8), "red").save(photos / "red/1.png")
    divided(places / "photos.h5", photos / "old.rows", part_images=24)
    made = library.extract(photos, model=toy)
    assert list(made.ids) == ["red/1.png"]
    assert made.origin["passed_over"] == {}
    assert made.origin["left_out"] == {"files in photos/old.rows/": 3}


@pytest.mark.parametrize("command", ["extract {} -o out.h5", "predict flowers.skops {}"])
@pytest.mark.parametrize("place", ["photos.rows", "memory://nowhere/photos.rows"])
def test_a_folder_of_rows_is_no_folder_of_images(penult, places, command, place, monkeypatch):
    monkeypatch.chdir(places)
    done = penult(*command.format(place).split())
    assert done.code == 2
    assert f"{place} is a folder of rows, and not of images" in done.err
    assert f"penult info {place}" in done.err


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ("no.rows", 2, "no such folder of rows: no.rows"),
        ("photos.row", 2, "no such file: photos.row; did you mean photos.rows?"),
        ("unfinished.rows", 1, "unfinished.rows has parts, and neither the manifest.json"),
        ("photographs.rows", 2, "photographs.rows is no folder of rows: it has no manifest.json"),
        pytest.param(
            *("memory://nowhere/no.rows", 2, "there is nothing at memory://nowhere/no.rows"),
            marks=pytest.mark.needs("fsspec"),
        ),
        ("damaged.rows", 1, "damaged.rows/manifest.json is damaged"),
    ],
)
def test_what_is_no_folder_of_rows_is_one_line(
    penult, places, tmp_path, monkeypatch, given, code, said
):
    link(places, tmp_path)
    monkeypatch.chdir(tmp_path)
    for name, file in (("unfinished", "rows-01234567-00001.h5"), ("photographs", "a.jpg"),
                       ("damaged", "manifest.json")):  # fmt: skip
        (tmp_path / f"{name}.rows").mkdir()
        (tmp_path / f"{name}.rows" / file).write_text("x")
    for command in ("info {}", "train {} -o c.skops", "merge {} -o m.h5", "search {} --id a"):
        done = penult(*command.format(given).split())
        assert (done.code, done.err.count("\n")) == (code, 1), done.err
        assert said in done.err


def test_verify_reads_every_part_and_names_those_that_are_not_what_they_were(
    penult, tmp_path, photos, toy
):
    library.extract(photos, tmp_path / "one.h5", model=toy)
    folder = divided(tmp_path / "one.h5", tmp_path / "photos.rows", part_images=10)
    done = penult("verify", folder, "--sample", 2, "-q")
    assert (done.code, "photos.rows: verified; 2 of 36 rows compared" in done.out) == (0, True)
    for number in (2, 4):
        part = folder / f"rows-0123abcd-{number:05}.h5"
        data = bytearray(part.read_bytes())
        data[-1] ^= 1  # of the same size, and of no row
        part.write_bytes(data)
    library.load(folder)  # which does not read every byte
    done = penult("verify", folder)
    assert (done.code, done.err.count("\n")) == (1, 1)
    wrong = "rows-0123abcd-00002.h5 has other bytes, rows-0123abcd-00004.h5 has other bytes"
    assert f"2 of 4 parts are not as the manifest says ({wrong})" in done.err


@pytest.mark.parametrize(
    "options",
    [
        ("--part-images", 3),
        ("--part-format", "h5"),
        ("--ray-workers", 2),
        ("--engine", "onnx"),
        ("--device", "gpu"),
    ],
)
def test_a_dry_run_refuses_the_options_that_the_run_refuses(penult, photos, toy, tmp_path, options):
    command = ("extract", photos, "-o", tmp_path / "f.h5", "-m", toy, *options)
    planned, done = penult(*command, "--dry-run"), penult(*command)
    assert (planned.code, planned.out, planned.err) == (done.code, done.out, done.err)
    assert done.code == 2
