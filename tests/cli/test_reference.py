"""The command line is described: by its own help, by the generated reference, by the guides."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from penult.cli import app

ROOT = Path(__file__).parent.parent.parent


def commands(group=None, prefix=()):
    """Every command with its full name, as typed after `penult`; groups are walked into."""
    group = group or typer.main.get_command(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*prefix, name))
        elif not command.hidden:
            yield " ".join((*prefix, name)), command


COMMANDS = dict(commands())


def test_the_commands_were_found():
    assert {"extract", "train", "predict", "info", "report"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_each_of_its_options_says_what_it_does(name):
    command = COMMANDS[name]
    assert command.help
    silent = [p.name for p in command.params if p.name != "help" and not p.help]
    assert not silent, f"penult {name}: no help for {', '.join(silent)}"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_shown_in_an_example(name):
    guides = [ROOT / "README.md", *(p for p in (ROOT / "docs").glob("*.md") if p.name != "cli.md")]
    text = "".join(p.read_text() for p in guides)
    assert re.search(rf"^\$? ?penult {name}\b", text, re.MULTILINE), (
        f"no page shows `penult {name}`; an example in docs/ would"
    )


def test_the_reference_is_what_help_says():
    reference = ROOT / "docs" / "cli.md"
    asked = ["utils", "docs", "--name", "penult", "--title", "Command line"]
    done = subprocess.run(
        [sys.executable, "-m", "typer", "penult.cli", *asked],
        capture_output=True,
        text=True,
        check=True,
    )
    assert reference.read_text() == done.stdout.rstrip() + "\n", "out of date; type: make docs"
