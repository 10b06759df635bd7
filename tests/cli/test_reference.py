"""The command line is described: by its own help, by the generated reference, by the guides."""

import pkgutil
import re
import runpy
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typed_commands import COMMANDS

from penult.cli import app, commands, options
from penult.cli.console import say
from penult.errors import UsageError
from penult.interface import command_name

ROOT = Path(__file__).parent.parent.parent


def test_the_commands_were_found():
    assert {"extract", "train", "predict", "info", "report"} <= set(COMMANDS)


def test_every_module_of_commands_is_a_command():
    modules = {command_name(module.name) for module in pkgutil.iter_modules(commands.__path__)}
    assert modules == set(COMMANDS)


def count(folder: Annotated[Path, typer.Argument(help="Folder.")], debug: options.Debug = False):
    """Count the files of a folder."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; give one")
    say(f"{len(list(folder.iterdir()))} files")


def test_a_command_is_one_function_whose_errors_are_one_line(penult, tmp_path, monkeypatch):
    monkeypatch.setattr(app, "registered_commands", [*app.registered_commands])
    app.command(name="count")(count)
    (tmp_path / "a.txt").touch()
    assert penult("count", tmp_path).out == "1 files\n"
    done = penult("count", tmp_path / "a.txt")
    assert (done.code, done.err) == (2, f"penult: {tmp_path}/a.txt is no folder; give one\n")
    assert "Count the files of a folder." in penult("--help").out


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
    reference = (ROOT / "docs" / "cli.md").read_text()
    script = runpy.run_path(str(ROOT / "docs" / "write_cli.py"))
    assert reference == script["reference"]() + "\n", "out of date; type: make docs"
