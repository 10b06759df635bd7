"""``penult predict``: what it prints, writes and sorts."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from PIL import Image

from penult.cli.predictions import to_stdout
from penult.records import Prediction

pytestmark = pytest.mark.light


@pytest.fixture
def classifier(photos, toy, tmp_path, extracted, trained):
    extracted(photos, tmp_path / "features.h5", toy)
    trained(tmp_path / "features.h5", tmp_path / "flowers.skops", grid={"C": [100]})
    return tmp_path / "flowers.skops"


@pytest.fixture
def mixed(tmp_path):
    """Two reds, one colour that is like none of the classes, and one that is no image."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    Image.new("RGB", (20, 20), (170, 20, 40)).save(folder / 'a, "red".png')
    Image.new("RGB", (20, 20), (170, 22, 40)).save(folder / "red.png")
    Image.new("RGB", (20, 20), (230, 205, 130)).save(folder / "unclear.png")
    (folder / "zero.png").touch()
    return folder


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_the_unsure_and_the_unlike_ones_are_marked_and_the_best_guess_is_told(
    penult, classifier, mixed
):
    lines = penult("predict", classifier, mixed, "--threshold", 0.9, "-q").out.splitlines()
    assert re.fullmatch(r"rose    9\d\.\d%          red\.png", lines[1])
    assert re.fullmatch(r"(daisy|rose |tulip)   [4-8]\d\.\d%  unlike  unclear\.png", lines[2])
    told = penult("predict", classifier, mixed, "--threshold", 0.9, "--json", "-q").out
    objects = [json.loads(line) for line in told.splitlines()]
    assert [o.get("unsure") for o in objects] == [False, False, True, None]
    assert [o.get("unlike") for o in objects] == [False, False, True, None]
    assert objects[2]["similarity"] < objects[1]["similarity"] <= 1
    assert objects[2]["label"] in ("daisy", "rose", "tulip")
    assert objects[3].keys() == {"id", "reason"}


def test_columns_of_lines_are_aligned_for_names_of_any_width(capsys):
    write = to_stdout("lines", classes=["lily", "花"], marks=["unsure"])
    tops = [[("lily", 1.0), ("花", 0.0)], [("花", 0.5), ("lily", 0.5)]]
    for number, top in enumerate(tops):
        label, probability = top[0]
        unsure = probability < 0.9
        write(Prediction(f"{number}.jpg", label, probability, tuple(top), unsure=unsure))
    assert capsys.readouterr().out.splitlines() == [
        "lily  100.0%  花      0.0%          0.jpg",
        "花     50.0%  lily   50.0%  unsure  1.jpg",
    ]


def test_several_labels_of_an_image_stand_before_its_name(capsys):
    write = to_stdout("lines", classes=["a", "b"])
    for labels, name in ((("a", "b"), "1.jpg"), ((), "2.jpg")):
        write(Prediction(name, "a", 0.5, (("a", 0.5),), labels=labels))
    assert capsys.readouterr().out == "a   50.0%  a | b  1.jpg\na   50.0%  (no label)  2.jpg\n"


@pytest.mark.parametrize("way", ["--csv", "-o"])
def test_a_name_that_a_spreadsheet_would_run_is_escaped_where_that_is_asked_for(
    penult, classifier, tmp_path, way
):
    name = "=cmd|' C calc'!A0.png"
    (tmp_path / "p").mkdir()
    Image.new("RGB", (20, 20), (170, 20, 40)).save(tmp_path / "p" / name)
    (tmp_path / "p" / "-1.png").touch()
    for options, prefix in (((), ""), (("--escape-formulas",), "'")):
        out = [way] if way == "--csv" else [way, tmp_path / "out.csv", "--overwrite"]
        printed = penult("predict", classifier, tmp_path / "p", *out, *options).out
        table = rows(printed if way == "--csv" else (tmp_path / "out.csv").read_text())
        assert {row["id"] for row in table} == {prefix + name, prefix + "-1.png"}


def test_csv_has_a_header_and_quotes_what_needs_it(penult, classifier, mixed):
    done = penult("predict", classifier, mixed, "--csv", "--top", 2, "--threshold", 0.9, "-q")
    assert done.out.startswith(
        "id,label,probability,unsure,unlike,similarity,label_2,probability_2,reason\n"
    )
    first, second, third, bad = rows(done.out)
    assert first["id"] == 'a, "red".png'
    assert (second["label"], second["unsure"]) == ("rose", "false")
    assert float(second["probability"]) > float(second["probability_2"])
    assert (third["unsure"], third["unlike"], second["unlike"]) == ("true", "true", "false")
    assert "1 of 3 are unlike anything that the classifier was trained on" in done.err
    assert bad["reason"]
    assert not bad["label"]
    assert "1 of 4 images could not be read" in done.err


@pytest.mark.parametrize("name", ["p.csv", "p.jsonl"])
def test_a_file_holds_what_would_be_printed_and_the_counts_are_printed(
    penult, classifier, mixed, tmp_path, name
):
    style = "--csv" if name.endswith("csv") else "--json"
    printed = penult("predict", classifier, mixed, style, "-q").out
    done = penult("predict", classifier, mixed, "-o", tmp_path / name, "-q")
    assert (tmp_path / name).read_text("utf-8") == printed
    assert "p.csv: 3 predictions" in done.out or "p.jsonl: 3 predictions" in done.out
    assert penult("predict", classifier, mixed, "-o", tmp_path / name).code == 2
    again = penult("predict", classifier, mixed, "-o", tmp_path / name, "--overwrite", "--json")
    told = json.loads(again.out)
    assert (told["images"], len(told["failures"]), told["unsure"]) == (3, 1, 0)
    assert (sum(one["images"] for one in told["classes"]), told["unlike"]) == (2, 1)


def test_photos_are_sorted_and_what_got_a_number_is_told(penult, classifier, mixed, tmp_path):
    (mixed / "more").mkdir()
    Image.new("RGB", (20, 20), (171, 20, 40)).save(mixed / "more" / "red.png")
    call = ("predict", classifier, mixed, "--copy-to", tmp_path / "s", "--threshold", 0.9, "--csv")
    first, second = penult(*call), penult(*call)
    assert rows(first.out)[1]["copied_to"] == str(tmp_path / "s" / "rose" / "red.png")
    assert sorted(p.name for p in (tmp_path / "s" / "rose").iterdir()) == [
        'a, "red".png', "red (2).png", "red.png",
    ]  # fmt: skip
    assert [p.name for p in (tmp_path / "s" / "unlike").glob("*/*")] == ["unclear.png"]
    assert (
        "3 photos put into the folders of their classes, 1 photo put into unlike, in folders of "
        "what they may be"
    ) in first.err
    assert "1 photo got a number, for another one has the name:" in first.err
    assert "s: 0 new, 4 photos were there already" in second.err
    assert len(list(mixed.rglob("*.png"))) == 5
    # What is sure of what lies aside would have it in two folders.
    done = penult(*call, "--unlike", "off", "--threshold", 0.01)
    assert done.code == 2
    assert "unclear.png is the photo unclear.png, which is to go to" in done.err.splitlines()[-1]
    assert len(list((tmp_path / "s").rglob("*.png"))) == 4


def test_photos_are_moved_and_moved_back(penult, classifier, mixed, tmp_path):
    before = {p.name: p.read_bytes() for p in mixed.iterdir()}
    call = ("predict", classifier, mixed, "-q", "--copy-mode", "move", "--copy-to", tmp_path / "s")
    done = penult(*call)
    assert done.code == 0, done
    assert [p.name for p in mixed.iterdir()] == ["zero.png"]  # which could not be read
    assert f"they were moved there; 'penult move-back {tmp_path / 's'}' moves them back" in done.err
    back = penult("move-back", tmp_path / "s", "--json")
    assert json.loads(back.out) == {"folder": str(tmp_path / "s"), "photos": 3, "failures": []}
    assert {p.name: p.read_bytes() for p in mixed.iterdir()} == before
    again = penult("move-back", tmp_path / "s")
    assert (again.code, again.err.count("\n")) == (2, 1)


def test_a_photo_that_cannot_go_back_is_named_and_the_exit_code_says_so(
    penult, classifier, mixed, tmp_path
):
    call = ("predict", classifier, mixed, "-q", "--copy-mode", "move", "--copy-to", tmp_path / "s")
    assert penult(*call).code == 0
    (mixed / "red.png").touch()
    done = penult("move-back", tmp_path / "s")
    assert done.code == 1
    assert "2 photos are back" in done.out
    assert "red.png is another file by now" in done.out


def test_the_first_photo_that_cannot_be_read_stops_the_run_where_that_is_asked_for(
    penult, classifier, mixed
):
    assert penult("predict", classifier, mixed, "-q").code == 0
    done = penult("predict", classifier, mixed, "-q", "--on-error", "fail")
    assert done.code == 1
    assert done.err.splitlines() == ["penult: zero.png: is empty (0 bytes)"]


@pytest.fixture
def of_several_labels(penult, photos, toy, tmp_path):
    lines = [f"{p.relative_to(photos)},{p.parent.name}|plant" for p in photos.rglob("*.jpg")]
    lines[::2] = [line.removesuffix("|plant") for line in lines[::2]]
    (tmp_path / "labels.csv").write_text("\n".join(["path,label", *lines]))
    features, path = tmp_path / "several.h5", tmp_path / "several.skops"
    labels = ("--labels", tmp_path / "labels.csv")
    assert penult("extract", photos, "-o", features, "--model", toy, "-q", *labels).code == 0
    done = penult("train", features, "-o", path, "--grid", "C=100", "-q")
    assert done.code == 0, done
    return path


def test_to_a_classifier_of_one_class_several_labels_are_none(
    penult, classifier, of_several_labels, tmp_path
):
    done = penult("evaluate", classifier, tmp_path / "several.h5", "-q")
    assert done.code == 0, done
    assert re.search(r"\n\d+ images have no single label\n", done.out)


def test_several_labels_are_told_together(penult, of_several_labels, mixed):
    call = ("predict", of_several_labels, mixed / "red.png", "-q")
    told = json.loads(penult(*call, "--json").out)
    assert "rose" in told["labels"]
    assert rows(penult(*call, "--csv").out)[0]["labels"] == "|".join(told["labels"])
    assert re.search(rf"%  {re.escape(' | '.join(told['labels']))} +red\.png\n$", penult(*call).out)
    for options in (["--copy-to", mixed / "s"], ["--threshold", "0.9"]):
        done = penult(*call, *options)
        assert done.code == 2
        assert "several labels" in done.err


@pytest.mark.torch
def test_the_exported_graph_says_of_each_label_whether_the_image_has_it(
    penult, of_several_labels, mixed
):
    assert "labels, bool (N, 4)" in penult("export", of_several_labels, "-o", mixed / "m.onnx").out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--csv", "--json"], "--json excludes it"),
        (["--csv", "-o", "x.csv"], "--output excludes it"),
        (["-o", "x.txt"], "name it x.csv or x.jsonl"),
        (["--copy-mode", "symlink"], "--copy-to DIR"),
        (["--threshold", "0"], "above 0 and up to 1"),
        (["-o", "none/x.csv"], "there is no folder none"),
    ],
)
def test_options_that_cannot_be_meant_are_one_line_and_leave_nothing(
    penult, classifier, mixed, tmp_path, monkeypatch, options, message
):
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.rglob("*"))
    done = penult("predict", classifier, mixed, "-q", *options)
    assert done.code == 2
    assert message in done.err
    assert done.err.count("\n") == 1
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(("unlike", "marked"), [("auto", 1), ("off", 0), ("1", 3), ("-1", 0)])
def test_the_level_of_the_unlike_ones_is_an_option(penult, classifier, mixed, unlike, marked):
    done = penult("predict", classifier, mixed, "--unlike", unlike, "-q")
    assert done.out.count("  unlike  ") == marked


def test_a_level_that_there_cannot_be_is_one_line(penult, classifier, mixed):
    for given in ("none", "90", "nan"):
        done = penult("predict", classifier, mixed, "--unlike", given)
        assert done.code == 2
        assert "is no similarity; give auto, off, or a cosine from -1 to 1" in done.err


def test_swapped_arguments_and_percentages_are_told(penult, classifier, mixed):
    done = penult("predict", mixed, classifier)
    assert (done.code, done.out) == (2, "")
    assert f"classifier comes first, and then the photos: penult predict {classifier}" in done.err
    done = penult("predict", classifier, mixed, "--threshold", "90")
    assert (done.code, "did you mean 0.9?" in done.err) == (2, True)


def test_what_was_moved_is_said_in_the_right_number(penult, classifier, tmp_path):
    folder, target = tmp_path / "one", tmp_path / "s"
    folder.mkdir()
    Image.new("RGB", (20, 20), (170, 20, 40)).save(folder / "red.png")
    (folder / "zero.png").touch()
    call = ("predict", classifier, folder, "--copy-to", target, "--copy-mode", "move")
    done = penult(*call)
    assert "s: 1 photo put into the folders of their classes\n" in done.err
    assert f"it was moved there; 'penult move-back {target}' moves it back" in done.err
    again = penult(*call)
    assert "s: no photo to put there" in again.err
    assert "moved there" not in again.err


@pytest.mark.parametrize("way", [("--json",), ("--csv",), ("-o", "p.csv"), ("-o", "p.jsonl", "--json"), ()])  # fmt: skip
def test_images_that_cannot_be_read_are_named_whatever_is_printed(
    penult, classifier, tmp_path, monkeypatch, way
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p").mkdir()
    Image.new("RGB", (20, 20), (170, 20, 40)).save(tmp_path / "p" / "good.png")
    for number in range(12):
        (tmp_path / "p" / f"bad_{number:02}.png").touch()
    said = penult("predict", classifier, "p", "-q", *way).err.splitlines()
    named = [line.split(":")[0].strip() for line in said if "bad_" in line]
    shown = 10 if way else 12  # in their places
    assert named == [f"bad_{number:02}.png" for number in range(shown)]
    assert any(line.startswith("12 of 13 images could not be read") for line in said)
    assert ("  and 2 more" in said) == bool(way)
