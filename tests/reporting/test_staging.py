"""A report appears once all of it is there, wherever it was killed before."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from penult.errors import OutputError, OutputExistsError
from penult.reporting.staging import is_complete, staged, staging_folder

pytestmark = pytest.mark.light

PARTS = {"rows": "rows.h5", "files": ["scores", "chart", "page"], "optional": ["chart"]}

# Forks a child a step and kills it there: one before each removal and each renaming.
KILLED = """
import json, os, signal, sys
from pathlib import Path
from penult.reporting.staging import is_complete, staged

root, parts = Path(sys.argv[1]), json.loads(sys.argv[2])

def make(directory, steps_to_live):
    taken = 0
    def counted(function):
        def step(*args, **options):
            nonlocal taken
            if taken == steps_to_live:
                os.kill(os.getpid(), signal.SIGKILL)
            taken += 1
            return function(*args, **options)
        return step
    for name in ("replace", "unlink", "rmdir"):
        setattr(os, name, counted(getattr(os, name)))
    with staged(directory, **parts) as folder:
        for name in [parts["rows"], *parts["files"]]:
            (folder / name).write_text("new")

for steps in range(100):
    directory = root / str(steps)
    child = os.fork()
    if not child:
        make(directory, steps)
        os._exit(0)
    if not os.WIFSIGNALED(os.waitpid(child, 0)[1]):
        break
print(steps)
"""


def write(directory, text="new", names=("rows.h5", "scores", "chart", "page")):
    with staged(directory, **PARTS) as folder:
        for name in names:
            (folder / name).write_text(text)


def texts(directory):
    return {p.name: p.read_text() for p in directory.iterdir() if p.is_file()}


def test_killed_at_any_step_it_is_whole_or_goes_on_from_its_rows(tmp_path):
    arguments = [sys.executable, "-c", KILLED, tmp_path, json.dumps(PARTS)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=60)
    steps = int(done.stdout)
    assert steps > 6
    whole = dict.fromkeys([PARTS["rows"], *PARTS["files"]], "new")
    for directory in (tmp_path / str(step) for step in range(steps)):
        there = texts(directory)
        if "page" in there:
            assert there == whole
        elif there:  # then the next run may replace what is there without being told
            assert is_complete(directory, "page")
        else:
            assert (staging_folder(directory) / "rows.h5").read_text() == "new"
        write(directory)
        assert texts(directory) == whole
        assert [p.name for p in directory.iterdir() if p.is_dir()] == []


def test_one_that_fails_keeps_its_rows_and_nothing_else(tmp_path):
    def fail():
        with staged(tmp_path, **PARTS) as folder:
            (folder / "rows.h5").write_text("new")
            (folder / "scores").write_text("new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert texts(tmp_path) == {}
    kept = {path.name for path in staging_folder(tmp_path).iterdir()}
    assert kept - {"lock", "owner"} == {"rows.h5"}


def test_one_whose_files_cannot_all_be_put_into_place_is_tried_again_unasked(tmp_path):
    (tmp_path / "chart").mkdir()
    with pytest.raises(OutputError):
        write(tmp_path)
    assert set(texts(tmp_path)) == {"rows.h5", "scores"}
    assert is_complete(tmp_path, "page")
    (tmp_path / "chart").rmdir()
    write(tmp_path, "newer")
    assert texts(tmp_path) == dict.fromkeys([PARTS["rows"], *PARTS["files"]], "newer")
    assert not staging_folder(tmp_path).exists()


def test_one_that_fails_without_rows_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), staged(tmp_path / "r" / "s", **PARTS):
        1 / 0  # noqa: B018
    assert not (tmp_path / "r" / "s").exists()


def test_a_report_that_replaces_another_leaves_none_of_its_files_and_all_others(tmp_path):
    write(tmp_path, "old")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "page").chmod(0o600)
    write(tmp_path, "new", ("scores", "page"))
    assert texts(tmp_path) == {
        "rows.h5": "old",
        "scores": "new",
        "page": "new",
        "notes.txt": "mine",
    }
    assert (tmp_path / "page").stat().st_mode & 0o777 == 0o600


def test_two_at_once_are_one_too_many(tmp_path):
    with staged(tmp_path, **PARTS), pytest.raises(OutputExistsError, match="another run"):
        write(tmp_path)


def test_a_file_is_no_folder_to_write_to(tmp_path):
    (tmp_path / "r").write_text("")
    with pytest.raises(OutputExistsError, match="is a file; give a folder"):
        write(tmp_path / "r")


def test_a_file_where_the_report_is_put_together_is_called_so(tmp_path):
    staging_folder(tmp_path).write_text("mine")
    with pytest.raises(
        OutputExistsError, match=r"report\.parts is a file, in the place of a folder"
    ):
        write(tmp_path)
    assert staging_folder(tmp_path).read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_no_output(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file/r cannot be written: "):
        write(tmp_path / "file" / "r")


def test_what_is_mended_and_typed_again_goes_on_from_the_rows_which_is_said_once(tmp_path):
    def fail(told):
        with staged(tmp_path, **PARTS) as folder:
            (folder / "rows.h5").write_text("new")
            raise OutputError(told)

    safe = f"the rows are safe in {staging_folder(tmp_path)}: once that is mended, the same call"
    with pytest.raises(OutputError) as caught:
        fail("the disk is full")
    assert str(caught.value) == f"the disk is full; {safe} goes on from there"
    with pytest.raises(OutputError, match=r"^the same call goes on from there$"):
        fail("the same call goes on from there")
