"""Too little memory ends a command in one line, whichever library finds it out."""

import feature_files
import numpy as np
import pytest

from penult.cli import app
from penult.errors import PenultError

pytestmark = pytest.mark.light

NUMPYS = MemoryError("Unable to allocate 61.0 MiB for an array with shape (4000, 2000)")
TORCHS = RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried")
LOADERS = ImportError("\n\nPLEASE READ THIS\nlibx.so: failed to map segment from shared object\n")
REST = "close other programs, or raise the limit that this one has\n"


@pytest.fixture
def rows(tmp_path):
    records = [feature_files.record(f"{k}.jpg", "ab"[k % 2]) for k in range(8)]
    values = np.arange(16, dtype=np.float32).reshape(8, 2)
    return feature_files.write(tmp_path / "rows.h5", records, [values])


def failing(error):
    def call(*_, **__):
        raise error

    return call


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (MemoryError(), "; give"),
        (NUMPYS, f" ({NUMPYS}); give"),
        (TORCHS, f" ({TORCHS}); give"),
        (LOADERS, " (libx.so: failed to map segment from shared object); close"),
    ],
)
def test_it_is_one_line_that_says_what_was_wanted(penult, rows, monkeypatch, error, what):
    monkeypatch.setattr("penult.tasks.clusters.cluster", failing(error))
    done = penult("cluster", rows)
    assert done.code == 1
    assert done.err.startswith(f"penult: there is too little memory{what}")
    assert done.err.endswith(REST)
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("typed", "less"),
    [
        ("cluster {rows}", "give it fewer rows, or shorter ones"),
        ("evaluate-search {rows}", "give it fewer rows, or shorter ones"),
        ("train {rows} -o {rows}.skops", "give a smaller --max-memory"),
    ],
)
def test_what_helps_is_what_the_command_takes(penult, rows, monkeypatch, typed, less):
    name = typed.split()[0].replace("-", "_")
    monkeypatch.setattr(
        {"cluster": "penult.tasks.clusters.cluster"}.get(name, f"penult.tasks.{name}.{name}"),
        failing(NUMPYS),
    )
    done = penult(*typed.format(rows=rows).split())
    assert done.err == f"penult: there is too little memory ({NUMPYS}); {less}, {REST}"


def test_where_it_was_is_its_cause_which_debug_shows(rows, monkeypatch):
    monkeypatch.setattr("penult.tasks.clusters.cluster", failing(NUMPYS))
    with pytest.raises(PenultError, match="too little memory") as raised:
        app(standalone_mode=False, args=["cluster", str(rows), "--debug"])
    assert raised.value.__cause__ is NUMPYS


def test_any_other_fault_of_ours_is_still_a_traceback(penult, rows, monkeypatch):
    monkeypatch.setattr("penult.tasks.clusters.cluster", failing(RuntimeError("a fault")))
    with pytest.raises(RuntimeError, match="a fault"):
        penult("cluster", rows)


def test_a_library_that_is_broken_is_one_line_too(penult, rows, monkeypatch):
    monkeypatch.setattr("penult.cli.help.unloadable", lambda error: f"torch is broken ({error})")
    monkeypatch.setattr("penult.tasks.clusters.cluster", failing(OSError("libcudart.so.12")))
    done = penult("cluster", rows)
    assert (done.code, done.err) == (1, "penult: torch is broken (libcudart.so.12)\n")
