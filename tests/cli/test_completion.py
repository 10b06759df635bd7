"""What a shell is told when Tab is pressed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.light


@pytest.fixture
def offered(penult, monkeypatch):
    """`offered("extract", "-m", "vg")` gives what bash may put for the last of its words."""
    # Blocking rich is for a process that ends at once.
    import rich

    monkeypatch.setitem(sys.modules, "rich", rich)

    def ask(*words):
        monkeypatch.setenv("_PENULT_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", "\n".join(["penult", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        return penult().out.split()

    return ask


def test_commands_and_options(offered):
    assert offered("ex") == ["extract", "export", "export-rows"]
    assert offered("extract", "--ov") == ["--overwrite"]
    assert offered("extract", "--poo") == ["--pooling"]


@pytest.mark.parametrize(
    ("words", "some"),
    [
        pytest.param(["extract", "-m", "vgg1"], "vgg16", id="networks"),
        pytest.param(["layers", "mobilenet_v"], "mobilenet_v2", id="networks of an argument"),
        pytest.param(["extract", "--pooling", "g"], "gem", id="choices"),
        pytest.param(["extract", "--engine", "o"], "openvino", id="engines"),
        pytest.param(["extract", "--device", "c"], "cuda", id="devices"),
        pytest.param(["train", "r.h5", "--classifier", "k"], "knn", id="kinds of classifiers"),
        pytest.param(["sample", "d"], "digits", id="samples"),
    ],
)
def test_values(offered, words, some):
    assert some in offered(*words)


@pytest.mark.parametrize(
    "words", [["-m", "timm", ":", "resnet51"], ["--model", "=", "timm", ":", "resnet51"]]
)
def test_bash_takes_a_colon_for_the_end_of_a_word(offered, words):
    assert offered("extract", *words) == ["resnet51q"]


def test_where_a_file_is_meant_bash_offers_files_itself(offered):
    assert offered("info", "row") == []
    assert offered("extract", "-m", "my_checkpoint") == []


@pytest.mark.twice
def test_completing_imports_nothing_heavy():
    program = (
        "import atexit, sys\n"
        "heavy = lambda: [n for n in ('numpy', 'rich.console', 'torch') if n in sys.modules]\n"
        "atexit.register(lambda: print(heavy(), file=sys.stderr))\n"
        "from penult.cli import main\n"
        "sys.argv = ['penult']\n"
        "main()\n"
    )
    words = {"_PENULT_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "penult extract -m vgg1"}

    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | words,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "vgg16" in done.stdout
    assert done.stderr == "[]\n"


def test_python_m_penult_is_the_command_line():
    done = subprocess.run(
        [sys.executable, "-m", "penult", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("penult ")
