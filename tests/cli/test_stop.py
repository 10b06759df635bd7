"""Ctrl-C and SIGTERM: what is computed is kept, and the way to go on is said."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from importlib import import_module
from itertools import islice
from pathlib import Path
from types import ModuleType

import pytest

from penult import samples


@pytest.fixture(autouse=True)
def _heard():
    """A signal is heard where these tests run as a job in the background of a script, too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def signalled(monkeypatch):
    """`signalled(signum, at)`: this process gets a signal when the engine runs for that time."""

    def arrange(signum: int, at: int) -> None:
        from penult.engines.torch import TorchEngine

        run, calls = TorchEngine.run, []

        def run_and_signal(self, images):
            calls.append(len(images))
            if len(calls) == at:
                os.kill(os.getpid(), signum)
            return run(self, images)

        monkeypatch.setattr(TorchEngine, "run", run_and_signal)

    return arrange


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_after_the_batch_in_hand_and_the_next_goes_on(
    penult, photos, toy, tmp_path, signalled, signum, code
):
    before = signal.getsignal(signum)
    signalled(signum, at=4)
    command = ("extract", photos, "-o", tmp_path / "f.h5", "-m", toy, "--engine", "torch")
    done = penult(*command, "--batch-size", 4)
    assert done.code == code
    assert "of 36 images are safe in" in done.err
    assert "f.h5.parts: the same command goes on from there" in done.err
    assert "Traceback" not in done.err
    assert signal.getsignal(signum) is before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f.h5.parts", "photos"]

    done = penult(*command)
    assert done.code == 0
    assert "going on where it stopped" in done.err
    assert "36 rows" in done.out
    assert re.search(r"\d+ of 36 images were done before, \d+ now", done.out)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f.h5", "photos"]


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (
            2,
            "no part of 10 images was finished yet, so nothing of this run is kept; with smaller "
            "parts, less is lost: --part-images",
        ),
        (
            6,
            "20 of 36 images are safe in {}, in 2 parts: the same command goes on from there",
        ),
    ],
)
def test_a_signal_during_a_folder_of_rows_says_which_parts_are_kept(
    penult, photos, toy, tmp_path, signalled, at, said
):
    folder = tmp_path / "f.rows"
    signalled(signal.SIGINT, at=at)
    command = ("extract", photos, "-o", folder, "-m", toy, "--engine", "torch", "-q")
    done = penult(*command, "--part-images", 10, "--batch-size", 5)
    assert done.code == 130
    assert done.err.splitlines()[-1] == f"penult: stopped; {said.format(folder)}"
    assert folder.exists() == ("nothing" not in said)


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("interrupted", [False, True])
def test_a_signal_before_the_first_image_is_one_line(
    penult, photos, toy, tmp_path, monkeypatch, signum, code, interrupted
):
    before, parts = signal.getsignal(signum), tmp_path / "f.h5.parts"
    if interrupted:
        parts.mkdir()
    monkeypatch.setattr("penult.extraction.Extraction._job", lambda *_: signal.raise_signal(signum))
    done = penult("extract", photos, "-o", tmp_path / "f.h5", "-m", toy)
    stays = f"; what is safe in {parts} stays there" * interrupted
    assert (done.code, done.err) == (code, f"penult: stopped before the first image{stays}\n")
    assert signal.getsignal(signum) is before


def test_ctrl_c_where_python_throws_away_what_is_raised_is_not_lost(penult, monkeypatch):
    class Gone:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    def models(_pattern):
        Gone()  # the collection of garbage calls such code at any moment
        for _ in range(1000):
            time.sleep(0.01)
        pytest.fail("the signal was lost")

    monkeypatch.setattr("penult.tasks.models.models", models)
    done = penult("models")
    assert (done.code, done.out, done.err) == (130, "", "penult: stopped\n")


def test_ctrl_c_in_any_command_is_one_line(penult, monkeypatch):
    monkeypatch.setattr("penult.tasks.models.models", lambda _: signal.raise_signal(signal.SIGINT))
    done = penult("models")
    assert (done.code, done.out, done.err) == (130, "", "penult: stopped\n")


class _Interrupted(ModuleType):
    def __getattr__(self, name):
        raise KeyboardInterrupt


def test_a_signal_while_the_command_line_is_imported_is_one_line(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "penult.cli", _Interrupted("penult.cli"))
    with pytest.raises(SystemExit) as ended:
        import_module("penult.__main__").main()
    assert (ended.value.code, capsys.readouterr().err) == (130, "penult: stopped\n")


def test_the_program_begins_where_such_a_signal_is_told():
    found = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert tomllib.loads(found)["project"]["scripts"] == {"penult": "penult.__main__:main"}


def test_a_second_signal_ends_the_process_at_once(photos, tmp_path):
    code = f"""
import os, signal, sys, time
sys.path.insert(0, {str(Path(__file__).parent.parent)!r})
from toys import GraphOfMeans
from penult.backbones.registry import register
from penult.engines.openvino.engine import OpenVinoEngine
from penult.cli import main
register(GraphOfMeans())
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it

def run(self, images):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)

OpenVinoEngine.run = run
sys.argv = ["penult", "extract", {str(photos)!r}, "-o", {str(tmp_path / "f.h5")!r},
            "-m", "graph:means", "--engine", "openvino", "-q"]
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == 130
    assert "once more stops at once" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_signal_while_the_file_is_put_together_ends_it_and_keeps_all(
    penult, photos, toy, tmp_path, monkeypatch
):
    from penult.features.write import FeatureWriter

    finish = FeatureWriter.finish

    def stopped(self, failures):
        if isinstance(self._raw, io.BytesIO):  # only to see how large the file will be
            return finish(self, failures)
        return signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(FeatureWriter, "finish", stopped)
        done = penult("extract", photos, "-o", tmp_path / "f.h5", "-m", toy, "-q")
    assert done.code == 143
    assert "36 of 36 images are safe" in done.err
    assert not (tmp_path / "f.h5").exists()
    assert penult("extract", photos, "-o", tmp_path / "f.h5", "-m", toy, "-q").code == 0


def test_update_says_how_much_it_kept(penult, photos, toy, tmp_path):
    command = ("extract", photos, "-o", tmp_path / "f.h5", "-m", toy, "-q")
    assert "before" not in penult(*command).out
    (photos / "rose" / "rose_01.jpg").write_bytes((photos / "tulip" / "tulip_01.jpg").read_bytes())
    (photos / "rose" / "rose_02.jpg").write_bytes(b"no image")
    done = penult(*command, "--update")
    assert "0 of 36 images computed now; the bytes of 35 had rows before" in done.out
    assert json.loads(penult(*command, "--update", "--json").out)["kept"] == 35
    (photos / "rose" / "rose_03.jpg").write_bytes(
        (photos / "rose" / "rose_04.jpg").read_bytes()[:-1]
    )
    done = penult(*command, "--update")
    assert "1 of 36 images computed now; the bytes of 34 had rows before" in done.out
    assert penult(*command, "--shuffle", "-1").code == 2


@pytest.mark.usefixtures("without_looks")
def test_a_report_that_is_stopped_goes_on_and_one_made_again_computes_nothing(
    penult, photos, toy, tmp_path, signalled, monkeypatch
):
    folder = tmp_path / "report"
    command = ("report", photos, "-o", folder, "-m", toy, "--engine", "torch", "-q")
    signalled(signal.SIGINT, at=1)
    done = penult(*command)
    assert done.code == 130
    assert "features.h5.parts: the same command goes on" in done.err
    assert penult(*command).code == 0

    from penult.engines.torch import TorchEngine

    def run(self, images):
        raise AssertionError("computed again")

    monkeypatch.setattr(TorchEngine, "run", run)
    assert penult(*command, "--overwrite").code == 0


OUTPUTS = [
    "train f.h5 -o d.skops -q --grid C=1",
    "predict c.skops photos -o p.csv -q",
    "predict c.skops photos -o p.jsonl -q",
    "evaluate c.skops photos --results r -q",
    "export-rows f.h5 -o f.csv -q",
    "show-input toy:mean-colour photos/rose/rose_01.jpg -o seen.png",
    "report photos -o r -m toy:mean-colour -q",
    "sample digits digits",
]


@pytest.mark.parametrize(
    ("typed", "signum", "code"),
    [
        *[(one, signal.SIGTERM, 143) for one in OUTPUTS],
        (OUTPUTS[0], signal.SIGINT, 130),
        (OUTPUTS[0], signal.SIGHUP, 129),
    ],
)
def test_a_signal_leaves_nothing_of_an_output_in_any_command(
    penult, photos, toy, tmp_path, monkeypatch, extracted, trained, typed, signum, code
):
    monkeypatch.chdir(tmp_path)
    extracted(photos, "f.h5", toy)
    trained("f.h5", "c.skops", grid={"C": [1]})
    monkeypatch.setattr(
        "penult.samples._digits", lambda digits=samples._digits: islice(digits(), 20)
    )
    there, before = {p.name for p in tmp_path.iterdir()}, signal.getsignal(signum)
    # All is written, but has not got its name.
    monkeypatch.setattr("penult.output._sync", lambda _: signal.raise_signal(signum))
    rename = Path.rename
    monkeypatch.setattr(Path, "rename", lambda *_: signal.raise_signal(signum))
    done = penult(*typed.split())
    monkeypatch.setattr(Path, "rename", rename)
    assert (done.code, done.err.startswith("penult: stopped")) == (code, True)
    assert signal.getsignal(signum) is before
    left = {p.name for p in tmp_path.iterdir()} - there
    assert left <= {"r"}
    in_parts = "the same command goes on from there" in done.err  # a report keeps its rows
    assert [p.name for p in tmp_path.glob("r/*")] == ["report.parts"] * in_parts


@pytest.mark.parametrize("command", ["extract photos -o g.h5 -m toy:mean-colour", "predict c.skops photos"])  # fmt: skip
def test_a_signal_that_the_shell_has_set_to_be_ignored_stays_ignored(
    penult, photos, toy, tmp_path, monkeypatch, extracted, trained, command
):
    """SIGINT is, for a job in the background of a script: Ctrl-C is not meant for it."""
    monkeypatch.chdir(tmp_path)
    extracted(photos, "f.h5", toy)
    trained("f.h5", "c.skops", grid={"C": [1]})
    from penult.extractor import Extractor

    blocks = Extractor.blocks

    def signalled(self, *arguments, **options):
        signal.raise_signal(signal.SIGINT)
        return blocks(self, *arguments, **options)

    monkeypatch.setattr(Extractor, "blocks", signalled)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        done = penult(*command.split(), "-q")
    finally:
        signal.signal(signal.SIGINT, before)
    assert (done.code, "stop" in done.err) == (0, False)
