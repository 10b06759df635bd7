"""Standard output that is full, closed, or not read to its end; and what a shell is told of it."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from feature_files import record, write

from penult import load_classifier

PENULT = f"{shlex.quote(sys.executable)} -m penult"

full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
posix = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")


def shell(line, folder):
    return subprocess.run(
        ["/bin/bash", "-c", f"penult() {{ {PENULT} \"$@\"; }}; {line}"],
        cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


@pytest.fixture
def rows(photos, toy, tmp_path, extracted):
    extracted(photos, tmp_path / "f.h5", toy)
    return tmp_path


@full
@pytest.mark.parametrize(
    "call", ["--help", "--version", "info f.h5", "info f.h5 --json", "models bundled: --json",
             "train f.h5 -o c.skops -q --grid C=1", "export-rows f.h5 -o f.csv -q",
             "train --help"],
)  # fmt: skip
def test_a_full_disk_behind_stdout_is_one_line(rows, call):
    done = shell(f"penult {call} >/dev/full", rows)
    said = "penult: standard output cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, said)


@full
def test_a_run_goes_on_where_its_messages_find_no_space(rows):
    assert shell("penult info f.h5 2>/dev/full", rows).returncode == 0
    assert shell("penult info none.h5 2>/dev/full", rows).returncode == 2
    done = shell("penult export-rows f.h5 -o f.csv 2>/dev/full", rows)
    assert (done.returncode, len((rows / "f.csv").read_text().splitlines())) == (0, 1 + 36)


@full
def test_training_goes_on_where_its_messages_find_no_space(penult, rows, monkeypatch):
    messages = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), line_buffering=True)
    monkeypatch.setattr(sys, "stderr", messages)
    kept, disk = os.dup(2), os.open("/dev/full", os.O_WRONLY)
    os.dup2(disk, 2)
    try:
        done = penult("train", rows / "f.h5", "-o", rows / "c.skops", "--grid", "C=1")
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(disk)
    assert (done.code, done.err) == (0, "")
    assert load_classifier(rows / "c.skops").label_names == ("daisy", "rose", "tulip")


@posix
def test_a_closed_stdout_is_one_line_and_no_file_gets_its_place(rows):
    done = shell("penult export-rows f.h5 -o f.csv -q >&-", rows)
    assert (done.returncode, done.stderr) == (1, "penult: standard output cannot be written: it is closed\n")  # fmt: skip
    lines = (rows / "f.csv").read_text().splitlines()
    assert [line.split("/")[0] for line in lines[1:]] == ["daisy"] * 12 + ["rose"] * 12 + ["tulip"] * 12  # fmt: skip


@posix
def test_closed_stdin_and_stderr_are_in_nobodys_way(rows):
    assert shell("penult info f.h5 <&- 2>&-", rows).returncode == 0
    done = shell("penult extract - -o g.h5 <&-", rows)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert shell("penult info none.h5 2>&-", rows).returncode == 2


@posix
def test_a_pipe_that_nobody_reads_any_more_ends_a_command_as_sigpipe_would(tmp_path):
    # More than a pipe holds, so that the writer meets its end whoever is quicker.
    records = [record(f"{k}.jpg", f"class {k:0100}") for k in range(1000)]
    write(tmp_path / "f.h5", records, [np.ones((1000, 1), np.float32)], blocks=1000)
    done = shell("penult info f.h5 --json | head -c 1 >/dev/null; echo ${PIPESTATUS[0]}", tmp_path)
    assert (done.stdout, done.stderr) == ("141\n", "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_line_of_a_log_is_there_at_once(tmp_path, unbuffered):
    code = (
        "import os, sys\nfrom penult.cli.streams import standard_streams\n"
        "with standard_streams():\n    sys.stderr.write('now\\n')\n    os._exit(0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    )  # fmt: skip
    assert done.stderr == "now\n"
