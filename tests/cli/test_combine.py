"""`penult join` and `penult reduce`."""

from __future__ import annotations

import json

import numpy as np
import pytest

from penult import extract, load, merge

pytestmark = pytest.mark.light


@pytest.fixture
def files(penult, photos, toy, tmp_path):
    """Two layers of the same photos, one of which has another photo less; and both in one file."""
    layers = ("-l", "mean", "-l", "logits")
    assert penult("extract", photos, "-o", tmp_path / "both.h5", "-m", toy, *layers, "-q").code == 0
    assert (
        penult("extract", photos, "-o", tmp_path / "a.h5", "-m", toy, *layers[:2], "-q").code == 0
    )
    (photos / "rose" / "rose_01.jpg").rename(photos / "rose" / "rose_99.jpg")
    (photos / "rose" / "rose_02.jpg").write_bytes((photos / "rose" / "rose_03.jpg").read_bytes())
    (photos / "tulip" / "tulip_01.jpg").write_bytes(b"nonsense")
    assert (
        penult("extract", photos, "-o", tmp_path / "b.h5", "-m", toy, *layers[2:], "-q").code == 0
    )
    return tmp_path


def test_join_says_what_it_made_and_what_it_left_out(penult, files, monkeypatch):
    monkeypatch.chdir(files)
    done = penult("join", "a.h5", "b.h5", "-o", "ab.h5", "--weight", 1, "--weight", 0.5)
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "ab.h5: 33 rows of 5 float32, joined of 2 sets of rows",
        "2 images were left out, for they have no row in all files: rose/rose_01.jpg, rose/rose_99.jpg",
        "1 image was left out, for their bytes are not the same in all files: rose/rose_02.jpg",
        "1 of 34 images could not be read:",
        "  tulip/tulip_01.jpg: is not an image that can be read (it begins with the text 'nonsense')",
    ]
    assert done.err == "join: 33 of 33 rows\nnext: penult train ab.h5 -o ab.skops\n"


def test_join_as_json_names_all(penult, files):
    done = penult("join", files / "a.h5", files / "b.h5", "-o", files / "ab.h5", "--json", "-q")
    told = json.loads(done.out)
    assert (told["rows"], told["shape"], told["layers"]) == (33, [33, 5], ["joined"])
    assert told["missing"] == [
        {"id": "rose/rose_01.jpg", "files": [str(files / "b.h5")]},
        {"id": "rose/rose_99.jpg", "files": [str(files / "a.h5")]},
    ]
    assert told["changed"] == ["rose/rose_02.jpg"]
    assert [failure["id"] for failure in told["failures"]] == ["tulip/tulip_01.jpg"]
    assert [one["images"] for one in told["classes"]] == [12, 10, 11]
    assert (told["augmented"], told["views_left_out"]) == (0, None)
    assert done.err == ""


def test_sets_of_one_file_are_joined_and_reduced(penult, files, monkeypatch):
    monkeypatch.chdir(files)
    done = penult("join", "both.h5", "-o", "j.h5", "-l", "mean", "-l", "logits", "-q")
    assert done.out == "j.h5: 36 rows of 5 float32, joined of 2 sets of rows\n"
    done = penult("reduce", "j.h5", "-o", "s.h5", "--pca", 2)
    first, second = done.out.splitlines()
    assert first == "s.h5: 36 rows of 2 float32, from 5 numbers"
    assert second.endswith("% of the variance of 36 rows is left")
    assert done.err.splitlines()[-2:] == [
        "project: 36 of 36 rows",
        "next: penult train s.h5 -o s.skops",
    ]
    told = json.loads(penult("reduce", "j.h5", "-o", "t.h5", "--pca", 2, "--json").out)
    assert (told["fit_on"], told["fit_rows"], told["whiten"]) == ("all", 36, False)
    assert told["shape"] == [36, 2]
    assert sum(told["explained_variance"]) / told["total_variance"] == pytest.approx(
        told["explained_variance_ratio"]
    )


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "join a.h5 -o x.h5",
            "a.h5 has one set of rows; give a second feature file to join it with",
        ),
        ("join both.h5 -o x.h5", "as --layer mean and --layer logits"),
        ("join a.h5 a.h5 -o x.h5", "have one recipe"),
        ("join a.h5 b.h5 -o x.h5 --weight 1", "1 weight for 2 sets of rows"),
        ("join a.h5 b.h5 -o x.h5 --layer nothing", "unknown layer 'nothing' in a.h5"),
        ("join a.h5 b.h5 -o a.h5 --overwrite", "a.h5 is what is read"),
        ("reduce a.h5 -o x.h5", "256 principal components were asked for, but rows of 3 numbers"),
        ("reduce a.h5 -o x.h5 --pca 2 --fit-on train", "leave out --fit-on train"),
        ("reduce a.h5 -o a.h5 --pca 2 --overwrite", "a.h5 is what is read"),
    ],
)
def test_what_cannot_be_is_a_line(penult, files, monkeypatch, typed, said):
    monkeypatch.chdir(files)
    done = penult(*typed.split())
    assert (done.code, done.out) == (2, ""), done.err
    (line,) = done.err.splitlines()
    assert said in line
    assert not (files / "x.h5").exists()


def test_info_says_where_what_makes_a_joined_file_again_is_typed(penult, files, monkeypatch):
    """Where the files are that were joined; a chain of commands ends with another name there."""
    monkeypatch.chdir(files)
    assert penult("join", "a.h5", "b.h5", "-o", "ab.h5", "-q").code == 0
    *_, told, where = penult("info", "ab.h5").out.splitlines()
    assert told == "made again by: penult join a.h5 b.h5 -o ab.h5"
    assert where == "to be typed where a.h5 and b.h5 are"
    assert penult("reduce", "ab.h5", "-o", "small.h5", "--pca", 2, "-q").code == 0
    *_, told, where = penult("info", "small.h5").out.splitlines()
    assert told.endswith(" && penult reduce small_part1.h5 -o small.h5 --pca 2 --fit-on all")
    assert where == (
        "to be typed where a.h5 and b.h5 are; if small.h5 is there, choose another name, "
        "since it is not replaced"
    )


def test_an_update_of_a_joined_file_is_told_to_update_its_parts(
    penult, files, photos, toy, monkeypatch
):
    monkeypatch.chdir(files)
    assert penult("join", "a.h5", "b.h5", "-o", "ab.h5", "-q").code == 0
    done = penult("extract", photos, "-o", "ab.h5", "-m", toy, "--update", "-q")
    assert done.code != 0
    assert "ab.h5 was made by penult join of other files" in done.err
    assert "update each of those, and join them again" in done.err


def test_info_says_what_makes_a_merged_file_again(penult, photos, toy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("rose", "tulip"):
        call = ("extract", photos / name, "-o", f"{name}.h5", "-m", toy, "-q", "--labels", "none")
        assert penult(*call).code == 0
    assert penult("merge", "rose.h5", "tulip.h5", "-o", "all.h5", "-q").code == 0
    *_, told, where = penult("info", "all.h5").out.splitlines()
    assert where == "to be typed in another folder than that of all.h5, which is not replaced"
    commands = told.removeprefix("made again by: ").split(" && ")
    assert commands == [
        f"penult extract {photos / 'rose'} -o all-1.h5 --model toy:mean-colour --labels none",
        f"penult extract {photos / 'tulip'} -o all-2.h5 --model toy:mean-colour --labels none",
        "penult merge all-1.h5 all-2.h5 -o all.h5",
    ]
    before = load("all.h5")
    (tmp_path / "another").mkdir()
    monkeypatch.chdir("another")
    for command in commands:
        assert penult(*command.split()[1:], "-q").code == 0
    again = load("all.h5")
    assert (list(again.ids), again.origin) == (list(before.ids), before.origin)
    assert np.array_equal(again.features[:], before.features[:])


def test_of_many_runs_info_says_how_many_were_merged(penult, photos, toy, tmp_path):
    names = [f"rose_0{k}.jpg" for k in range(1, 5)]
    for name in names:
        extract(photos / "rose" / name, tmp_path / f"{name}.h5", model=toy)
    merge([tmp_path / f"{name}.h5" for name in names], tmp_path / "all.h5")
    told = penult("info", tmp_path / "all.h5").out.splitlines()[-1]
    assert told.startswith("made by: penult merge, of 4 runs; ")


def test_what_was_read_with_other_options_is_told_how_to_be_made_again(
    penult, photos, toy, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    extract(photos / "rose", "rose.h5", model=toy, allow_truncated=True)
    extract(photos / "tulip", "tulip.h5", model=toy)
    said = penult("merge", "rose.h5", "tulip.h5", "-o", "all.h5").err
    assert said.endswith(
        "; type what penult info tulip.h5 says makes tulip.h5 again, but with --allow-truncated "
        "and with --overwrite\n"
    )
    said = penult("extract", photos / "rose", "-o", "rose.h5", "-m", toy, "--update").err
    assert "(--allow-truncated: True then, False now)" in said
