"""Names of files and classes on a terminal: they are shown, and neither obeyed nor interpreted."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys

import pytest
from PIL import Image

import penult as library
from penult.cli.console import Table, fail, note, to_json, warn

EVIL = "on [/off]\x1b]0;owned\x07\n\u202e:smile: [bold]"
SHOWN = r"on [/off]\x1b]0;owned\x07\n\u202e:smile: [bold]"


def folder(root, *labels):
    for level, label in enumerate(labels):
        for number in range(4):
            path = root / label.replace("/", "∕") / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 8), (60 * level + number,) * 3).save(path)
    return root


def test_a_cell_of_a_table_is_text_and_no_markup(capsys):
    table = Table(("class [x]",), title="[red]:cat:")
    table.add_row(EVIL)
    table.show()
    shown = capsys.readouterr().out
    assert "[red]:cat:" in shown
    assert "class [x]" in shown
    assert SHOWN in shown


@pytest.mark.parametrize("way", [(), ("--json",), ("--csv",)], ids=["lines", "json", "csv"])
def test_names_pass_through_train_info_and_predict_whole_and_tame(
    penult, toy, tmp_path, monkeypatch, way
):
    label = EVIL.replace("/", "∕")
    photos = folder(tmp_path / "p", label, "bird [male]")
    (photos / "bad\x1b.png").write_bytes(b"")
    rows, classifier = tmp_path / "r.h5", tmp_path / "c.skops"
    said = [penult("extract", photos, "-o", rows, "--model", toy)]
    said.append(penult("train", rows, "-o", classifier, "--folds", 2))
    said += [penult("info", file) for file in (rows, classifier)]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    said.append(penult("predict", classifier, photos, *way))
    assert [done.code for done in said] == [0] * 5
    for done in said:
        assert not {"\x1b", "\u202e", "\x07"} & {*done.out, *done.err}
    assert "bird [male]" in said[2].out
    assert SHOWN.replace("/", "∕")[:20] in said[2].out


def test_json_lines_hold_the_very_name(penult, toy, tmp_path):
    photos = folder(tmp_path / "p", "a\x1b\u202e", "b")
    classifier = tmp_path / "c.skops"
    library.train(library.extract(photos, model=toy), folds=2).save(classifier)
    done = penult("predict", classifier, photos, "--json")
    assert "\x1b" not in done.out
    assert {json.loads(line)["id"] for line in done.out.splitlines()} == {
        f"{label}/{number}.png" for label in ("a\x1b\u202e", "b") for number in range(4)
    }


@pytest.mark.parametrize(
    "arguments",
    [("info", "a\x1b\nb"), ("info", "a", "b\x1b\nc"), ("inf\x1bo",), ("info", "--a\x1b")],
)
def test_what_was_typed_is_no_exception(penult, arguments):
    done = penult(*arguments)
    assert done.code == 2
    assert "\x1b" not in done.err
    assert r"\x1b" in done.err


def test_what_a_library_logs_is_tame(penult, monkeypatch):
    monkeypatch.setattr(logging.root, "handlers", [])
    penult("--version")
    import io

    monkeypatch.setattr(sys, "stderr", io.StringIO())
    logging.getLogger("a.library").warning("cannot read %s", "x\x1b.png")
    assert sys.stderr.getvalue() == "cannot read x\\x1b.png\n"


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1:strict"])
def test_an_output_that_lacks_characters_gets_them_escaped(toy, tmp_path, encoding):
    photos = folder(tmp_path / "p", "żółw", "花")
    library.extract(photos, tmp_path / "r.h5", model=toy)
    done = subprocess.run(
        [sys.executable, "-c", "from penult.cli import main; main()", "info", tmp_path / "r.h5"],
        env=os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        capture_output=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\u82b1" in done.stdout


@pytest.mark.parametrize(("encoding", "line"), [("ascii", r'"\u82b1"'), ("utf-8", '"花"')])
def test_json_is_valid_in_any_encoding(monkeypatch, encoding, line):
    import io

    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding))
    assert to_json("花") == line


RED, YELLOW = "\x1b[1;31mpenult:\x1b[0m ", "\x1b[33mpenult:\x1b[0m "


@pytest.mark.parametrize(
    ("variables", "terminal", "colored"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
    ],
    ids=["terminal", "pipe", "NO_COLOR", "a dumb terminal", "FORCE_COLOR", "both"],
)
def test_errors_and_warnings_begin_in_colour_where_it_is_wanted(
    capsys, monkeypatch, variables, terminal, colored
):
    for name, value in ({"TERM": "xterm", "NO_COLOR": "", "FORCE_COLOR": ""} | variables).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    fail("penult: a\x1b.png: no such file")
    warn("penult: warning: few images")
    note("extract: 3 images")
    red, yellow = (RED, YELLOW) if colored else ("penult: ", "penult: ")
    assert capsys.readouterr().err == (
        f"{red}a\\x1b.png: no such file\n{yellow}warning: few images\nextract: 3 images\n"
    )
    table = Table(("class",))
    table.add_row("rose")
    table.show()
    assert ("\x1b[" in capsys.readouterr().out) == colored


def test_help_is_coloured_on_a_terminal_alone(penult, monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b" not in penult("train", "--help").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    told = penult("train", "--help").out
    assert "\x1b[1mUsage:\x1b[0m penult train" in told
    assert "\x1b[36m-o, --output FILE\x1b[0m" in told
