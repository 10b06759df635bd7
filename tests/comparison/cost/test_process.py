from __future__ import annotations

import dataclasses
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from toys import ChannelMeans, GraphOfMeans

from penult.backbones.registry import register, unregister
from penult.comparison.cost import measure_cost, process, speed, wire
from penult.comparison.cost.job import CostJob
from penult.comparison.cost.peak_memory import STATUS, peak_memory
from penult.engines.registry import ENGINES, EngineEntry
from penult.errors import EngineError, UnknownNameError, UsageError
from penult.extractor import EngineOptions, ExtractorSpec, ModelRows
from penult.images.in_memory import as_records
from penult.images.listing import list_images
from penult.interface import serving_command_line
from penult.machine import cores
from penult.progress import following

pytestmark = pytest.mark.light

QUICK = [sys.executable, "-P", str(Path(__file__).parent / "quick.py")]
MEANS = ExtractorSpec(rows=ModelRows(models=("graph:means",)))


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch):
    monkeypatch.setattr(wire, "_relayed", set())
    monkeypatch.setattr(process, "_command", lambda: QUICK)
    for name in ("ROUND_SECONDS", "BULK_SECONDS", "ALONE_SECONDS"):
        monkeypatch.setattr(speed, name, 0.01)


@pytest.fixture
def means():
    register(GraphOfMeans())
    yield MEANS
    unregister("graph")


@pytest.fixture
def stand_in(monkeypatch):
    """Have another program in the place of the process that measures."""

    def put(code: str) -> None:
        program = f"import json, os, signal, sys, time\n{code}"
        command = [sys.executable, "-S", "-c", program]
        monkeypatch.setattr(process, "_command", lambda: command)

    return put


def says(kind: str, content: str) -> str:
    return f"print(json.dumps({{{kind!r}: {content}}}), flush=True)\n"


def colours(number=2):
    return as_records([np.full((8, 8, 3), k, np.uint8) for k in range(number)])


COST = "{'parameters': 7, 'input_size': [[8, 9]], 'licence': ['cc0-1.0']}"


def test_the_bundled_network_is_measured_in_a_process_of_its_own(photos):
    found = measure_cost(ExtractorSpec(), list_images([photos]).records)
    assert found.parameters == 4_652_008
    assert found.flops == 767_815_104
    assert found.images_per_second > 0
    assert found.network_images_per_second > 0
    assert 0 < found.one_image_seconds < 60
    assert 50e6 < found.peak_memory < 2e9
    assert found.input_size == ((224, 224),)
    assert found.licence == ("apache-2.0",)
    assert (found.engine, found.device, found.threads) == ("openvino", "cpu", cores())
    assert found.processor


def test_a_source_and_an_engine_of_this_process_are_known_in_that_one(means, monkeypatch):
    entry = EngineEntry(ChannelMeans, devices=("cpu",), forms=("openvino",))
    monkeypatch.setitem(ENGINES, "means", entry)
    spec = dataclasses.replace(means, engine=EngineOptions(engine="means"))
    found = measure_cost(spec, colours())
    assert found.engine == "means"
    assert found.peak_memory > 0
    assert found.flops == 0
    assert found.licence == ()


def test_what_cannot_be_pickled_is_measured_in_this_process(stand_in):
    class OfAFunction(GraphOfMeans):
        pass

    stand_in("raise SystemExit('nothing is started')")
    register(OfAFunction())
    try:
        found = measure_cost(MEANS, colours())
    finally:
        unregister("graph")
    assert found.network_images_per_second > 0
    assert found.peak_memory is None


def test_what_that_process_cannot_read_is_measured_in_this_one(means, stand_in):
    stand_in(says("unreadable", "'No module named toys'"))
    assert measure_cost(means, colours()).peak_memory is None


def test_what_a_script_defines_itself_is_of_no_use_to_another_process(means, stand_in, monkeypatch):
    stand_in("raise SystemExit('nothing is started')")
    monkeypatch.setattr(GraphOfMeans, "__module__", "__main__")
    monkeypatch.setattr(sys.modules["__main__"], "GraphOfMeans", GraphOfMeans, raising=False)
    assert measure_cost(means, colours()).peak_memory is None


def test_a_process_that_is_killed_has_run_out_of_memory(stand_in):
    stand_in("os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(
        EngineError, match=r"^ran out of memory: the process was killed \(SIGKILL\)"
    ):
        measure_cost(ExtractorSpec(), colours())


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("os.abort()", "crashed: the process was ended by SIGABRT"),
        ("raise SystemExit(3)", "crashed: the process ended with exit code 3"),
        ("sys.exit('a\\nlast \\x1b words')", r"crashed: the process ended with exit code 1: last \x1b words"),
        (
            "print('std::bad_alloc', file=sys.stderr, flush=True); os.abort()",
            "ran out of memory: the process was ended by SIGABRT: std::bad_alloc",
        ),
        (
            "print('hello')",
            "the process that measured the cost of efficientnet_lite0 gave an answer that cannot be "
            r"read: b'hello\n' is no line of it",
        ),
        (
            says("cost", "{'speed': 7}"),
            "the process that measured the cost of efficientnet_lite0 gave an answer that cannot be "
            "read: it has the unknown speed",
        ),
    ],
)  # fmt: skip
def test_a_process_that_fails_is_one_clear_line(stand_in, code, message):
    stand_in(code)
    with pytest.raises(EngineError) as raised:
        measure_cost(ExtractorSpec(), colours())
    assert str(raised.value).startswith(message)


def test_a_process_that_never_answers_is_ended(stand_in, monkeypatch):
    monkeypatch.setattr(process, "LIMIT", 0.2)
    stand_in("time.sleep(600)")
    with pytest.raises(EngineError, match="gave no answer"):
        measure_cost(ExtractorSpec(), colours())


def test_ctrl_c_ends_that_process_too(stand_in, monkeypatch):
    started = []

    def interrupted(_kind, content):
        started.append(content)
        raise KeyboardInterrupt

    monkeypatch.setattr(process, "relay", interrupted)
    stand_in(says("stage", "os.getpid()") + "time.sleep(600)")
    with pytest.raises(KeyboardInterrupt):
        measure_cost(ExtractorSpec(), colours())
    assert not psutil.pid_exists(started[0])


def test_a_process_ends_when_the_one_that_asked_is_gone():
    # Whatever has become of it: its end of the pipe is closed.
    code = (
        "import time; from penult.comparison.cost import child; "
        "child.measure = lambda *_, **__: time.sleep(600); child.main()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as left:
        left.stdin.write(CostJob.here(ExtractorSpec(), (), None).pickled())
        left.stdin.flush()
        assert b"loading efficientnet_lite0" in left.stdout.readline()
        left.stdin.close()
        assert left.wait(timeout=60) == 1
        assert left.stderr.read() == b""


def test_an_error_of_penult_is_the_same_error_here():
    lite9 = ExtractorSpec(rows=ModelRows(models=("bundled:efficientnet_lite9",)))
    with pytest.raises(UnknownNameError) as here:
        lite9.open()
    with pytest.raises(UnknownNameError) as raised:
        measure_cost(lite9, colours())
    assert str(raised.value) == str(here.value)
    assert raised.value.suggestions == here.value.suggestions


def test_what_a_process_logs_and_warns_of_is_said_here_once(stand_in, caplog):
    stand_in(
        says("log", "['penult', 30, '7% slower']")
        + says("warning", "['FutureWarning', 'soon no more']")
        + says("stage", "{'stage': 'converting', 'brief': False}")
        + "print('of a library', file=sys.stderr)\n"
        + says("cost", COST)
    )
    stages = []
    with pytest.warns(FutureWarning, match="soon no more") as warned, following(stages.append):
        found = [measure_cost(ExtractorSpec(), colours()) for _ in range(2)]
    assert [(x.levelno, x.getMessage()) for x in caplog.records] == [(logging.WARNING, "7% slower")]
    assert len(warned) == 1
    assert [now.stage for now in stages] == ["converting", "converting"]
    assert (found[0].parameters, found[0].input_size) == (7, ((8, 9),))


def test_what_was_converted_is_measured_by_another_process(stand_in):
    stand_in(
        "if 'again' not in sys.argv:\n    "
        + says("again", "True")
        + "else:\n    "
        + says("cost", COST)
    )
    assert measure_cost(ExtractorSpec(), colours()).parameters == 7


def test_the_images_of_a_sample_are_drawn_by_the_seed():
    images = colours(200)
    drawn = process._drawn(images, 1)
    assert len(drawn) == process.SAMPLE == len({record.id for record in drawn})
    assert drawn == process._drawn(images, 1) != process._drawn(images, 2)


def test_options_are_named_as_whoever_asked_types_them():
    spec = ExtractorSpec(engine=EngineOptions(engine="openvino", device="cuda"))
    with serving_command_line(), pytest.raises(UsageError, match="--device cuda"):
        measure_cost(spec, colours())


@pytest.mark.skipif(not STATUS.exists(), reason="read from /proc")
def test_the_memory_of_a_process_is_not_that_of_the_one_that_began_it():
    ours = np.ones(200_000_000, np.uint8)  # which fork hands on, and getrusage tells
    before = peak_memory("cpu")
    code = "from penult.comparison.cost.peak_memory import peak_memory; print(peak_memory('cpu'))"
    theirs = int(
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    )
    assert 10e6 < theirs < before - ours.nbytes / 2
