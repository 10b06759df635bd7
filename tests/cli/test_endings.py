"""Each command ends by saying what to do next, to people, and not to programs."""

import io
import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from penult import extract, load
from penult.cli.console import say_path

pytestmark = pytest.mark.light


@pytest.fixture
def made(penult, photos, toy, tmp_path):
    """A feature file, and a classifier trained with options of its own."""
    features, model = tmp_path / "my rows.h5", tmp_path / "c.skops"
    assert penult("extract", photos, "-o", features, "-m", toy, "-l", "mean", "-q").code == 0
    trained = penult("train", features, "-o", model, "-q", "--seed", 3, "--folds", 4, "--scale", "standard", "--grid", "C=1,10")  # fmt: skip
    assert trained.code == 0
    return features, model


def test_what_to_type_next_is_the_last_line_on_stderr(
    penult, few_digits, photos, toy, made, tmp_path
):
    features, model = made
    rows = tmp_path / "rows.h5"
    for typed, said in (
        (["extract", photos, "-o", rows, "-m", toy], f"penult train {rows} -o {tmp_path}/rows.skops"),
        (["train", features, "-o", tmp_path / "d.skops"], f"penult predict {tmp_path}/d.skops PHOTO_OR_FOLDER"),
        (["predict", model, photos, "-o", tmp_path / "p.csv"], f"penult predict {model} {photos} --copy-to sorted"),
        (["verify", features], f"penult train '{features}' -o '{tmp_path}/my rows.skops'"),
        (["sample", "digits", tmp_path / "digits"], f"penult extract {tmp_path}/digits -o digits.h5"),
    ):  # fmt: skip
        done = penult(*typed)
        assert done.code == 0, done.err
        assert done.err.splitlines()[-1] == f"next: {said}"
        assert "next:" not in done.out


def test_programs_and_those_who_want_quiet_are_told_nothing(penult, photos, made):
    features, model = made
    for typed in (["predict", model, photos], ["verify", features, "--json"], ["verify", features, "-q"]):  # fmt: skip
        assert "next:" not in penult(*typed).err


def test_numbers_are_explained_where_they_are_printed(penult, made):
    assert (
        "relative error: how far a row is from the one made again"
        in penult("verify", made[0], "-q").out
    )


def test_info_has_the_command_line_that_makes_it_again(penult, photos, toy, made):
    features, model = made
    said = penult("info", features).out
    assert (
        f"made again by: penult extract {photos} -o 'my rows.h5' --model {toy} --layer mean" in said
    )
    said = penult("info", model).out
    assert (
        "made again by: penult train 'my rows.h5' -o c.skops --seed 3 --layer mean "
        "--grid C=1,10 --scale standard --folds 4\n"
    ) in said
    told = json.loads(penult("info", model, "--json").out)
    assert told["settings"]["options"]["grid"] == {"C": [1, 10]}


def test_what_was_typed_in_one_folder_is_made_again_in_another(
    penult, photos, toy, tmp_path, monkeypatch
):
    table = "path,label\n" + "".join(f"{p.relative_to(photos)},{p.parent.name}!\n" for p in photos.rglob("*.jpg"))  # fmt: skip
    (photos.parent / "labels.csv").write_text(table)
    monkeypatch.chdir(photos.parent)
    call = ("extract", photos.name, "--labels", "labels.csv", "-m", toy, "-o", "f.h5", "-q")
    assert penult(*call).code == 0
    (said,) = re.findall("made again by: penult (.*)", penult("info", "f.h5").out)
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    assert penult(*shlex.split(said)).code == 0
    ours, theirs = load("f.h5"), load(photos.parent / "f.h5")
    assert (ours.ids, ours.label_names) == (theirs.ids, theirs.label_names)
    monkeypatch.chdir(photos.parent)
    assert penult("train", "f.h5", "-o", "c.skops", "-q").code == 0
    assert "to be typed where f.h5 is" in penult("info", "c.skops").out
    assert penult("report", photos.name, "--labels", "labels.csv", "-m", toy, "-o", "r", "-q").code == 0  # fmt: skip
    page = " ".join(Path("r/index.html").read_text("utf-8").split())
    assert f"penult extract {photos.name} -o features.h5 --model {toy} --labels labels.csv" in page


def test_many_sources_are_the_first_few(penult, photos, toy, tmp_path):
    every, features = sorted(photos.rglob("*.jpg")), tmp_path / "f.h5"
    assert penult("extract", *every, "-o", features, "-m", toy, "-q").code == 0
    made_from, again = penult("info", features).out.splitlines()[-2:]
    assert made_from.endswith(f"{every[4]} and {len(every) - 5} more")
    assert again.startswith("made again by: penult extract IMAGES -o f.h5")
    assert len(json.loads(penult("info", features, "--json").out)["origin"]["sources"]) == 36


def test_a_path_is_a_link_only_where_a_terminal_takes_one(capsys, monkeypatch, tmp_path):
    page = tmp_path / "my report.html"
    say_path(page)
    assert capsys.readouterr().out == f"{page}\n"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for terminal, linked in (("xterm-256color", True), ("dumb", False)):
        monkeypatch.setenv("TERM", terminal)
        say_path(page)
        out = capsys.readouterr().out
        assert (f"{page.as_uri()}\x1b\\" in out) is linked
        assert str(page) in out


@pytest.mark.torch
@pytest.mark.parametrize("pooling", ["none", "max", None])
def test_layers_are_made_again_as_they_were_pooled(penult, photos, tiny, monkeypatch, pooling):
    monkeypatch.chdir(photos.parent)
    call = [
        "extract",
        photos.name,
        "-o",
        "f.h5",
        "-l",
        "maps",
        "-l",
        "penultimate",
        "-m",
        tiny,
        "-q",
    ]
    assert penult(*call, *(["--pooling", pooling] if pooling else [])).code == 0
    (said,) = re.findall("made again by: penult (.*)", penult("info", "f.h5").out)
    assert penult(*shlex.split(said), "--update", "-q").code == 0


def test_the_command_of_a_piped_list_does_not_wait_for_one(
    penult, photos, toy, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    paths = sorted(photos.rglob("*.jpg"))[:4]
    piped = io.BytesIO("".join(f"{one}\n" for one in paths).encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(piped))
    made = extract("-", tmp_path / "std.h5", model=toy)
    assert len(made) == 4
    told = penult("info", tmp_path / "std.h5").out.splitlines()
    assert told[-2] == f"made again by: penult extract - -o std.h5 --model {toy} < LIST"
    assert told[-1] == f"LIST is a file with the paths that were piped, in {tmp_path}"
