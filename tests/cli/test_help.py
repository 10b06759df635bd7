"""Help as a newcomer reads it: what is typed first, in groups, as wide as the terminal."""

from __future__ import annotations

import inspect
import re
import shlex
from pathlib import Path
from typing import get_type_hints

import pytest
from typed_commands import COMMANDS
from typer.main import get_command
from typer.models import OptionInfo

from penult.cli import app, completion, options
from penult.cli.help import examples
from penult.engines.registry import ENGINES
from penult.samples import SAMPLES

pytestmark = pytest.mark.light

GROUP = get_command(app)


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch):
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_the_terminal_and_uses_it(penult, monkeypatch, name, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = penult(*name.split(), "--help").out.splitlines()
    shown = {line.strip() for line in examples(COMMANDS[name])}
    longest = max(len(line) for line in lines if line.strip() not in shown)
    assert longest <= columns
    if name == "extract":
        assert longest > 0.85 * min(columns, 110)


@pytest.mark.parametrize("name", COMMANDS)
def test_values_are_named_as_people_know_them(penult, name):
    text = penult(*name.split(), "--help").out.partition("Arguments:")[2]
    assert not re.search(r"<(?!label>)|\{| range|list\[", text)
    for line in re.findall(r"^ +(?:-\w, )?--[\w-]+ ([^a-z ]\S*)", text, re.MULTILINE):
        assert re.fullmatch(r"[A-Z]+(=\S+|\|\w+)?|\[\S+(\|\S+)*\]", line), line


def test_usage_begins_with_what_has_to_be_given(penult):
    usage = penult("extract", "--help").out.splitlines()[0]
    assert usage == "Usage: penult extract IMAGES... --output FILE [OPTIONS]"
    usage = penult("layers", "--help").out.splitlines()[0]
    assert usage == "Usage: penult layers MODEL [PATTERN] [OPTIONS]"


def test_what_matters_most_stands_first_and_the_rest_under_headings(penult):
    text = penult("extract", "--help").out
    headings = re.findall(r"^(\w[\w ]*):$", text, re.MULTILINE)
    assert headings == ["Examples", "Arguments", "Options", *options_shown(headings)]
    first = re.findall(r"^ +(?:-\w, )?(--[\w-]+)", text.partition("Labels:")[0], re.MULTILINE)
    assert first == ["--output", "--model", "--layer"]


def options_shown(headings):
    return [heading for heading in options.HEADINGS if heading in headings]


def test_a_default_that_depends_is_told_in_words(penult):
    text = " ".join(penult("extract", "--help").out.split())
    assert (
        "Threads that decode images; on twelve cores and more, processes. [default: what suits "
        "cores and photos]" in text
    )
    assert "-l, --layer LAYER" in text
    assert "[default: penultimate]" in text
    assert "[default: --curve]" in " ".join(penult("report", "--help").out.split())


@pytest.mark.parametrize("columns", [60, 200])
def test_summaries_of_commands_are_whole(penult, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    text = " ".join(penult("--help").out.split())
    assert "..." not in text
    assert "Train a classifier on a feature file and score it on a part held out." in text


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_examples_that_can_be_typed(name):
    lines = [line for line in examples(COMMANDS[name]) if not line.startswith("#")]
    assert lines
    for line in lines:
        assert len(line) <= 78
        program, *arguments = shlex.split(line)
        assert program == "penult"
        typed = max((one for one in COMMANDS if f"{line} ".startswith(f"penult {one} ")), key=len)
        with GROUP.make_context(program, [], resilient_parsing=True) as context:
            COMMANDS[typed].make_context(typed, arguments[len(typed.split()) :], context)


def test_the_names_that_are_offered_are_those_there_are():
    assert completion.engines("") == ["auto", *ENGINES]
    assert completion.samples("") == [*SAMPLES]


def test_no_option_gets_its_name_from_what_stands_for_its_value():
    # typer 0.27 takes --DEVICE for an option device whose value is called DEVICE.
    for name, command in COMMANDS.items():
        hints = get_type_hints(inspect.unwrap(command.callback), include_extras=True)
        for argument, hint in hints.items():
            for told in getattr(hint, "__metadata__", ()):
                if isinstance(told, OptionInfo) and (told.metavar or "").lower() == argument:
                    # Where it is in an annotation, the first name lies in the default.
                    assert str(told.default)[:2] == "--", (
                        f"{name}: name the option {argument} explicitly"
                    )


def test_only_the_command_that_is_typed_is_made_of_its_signature():
    group = get_command(app)
    with group.make_context("penult", ["info", "rows.h5"]) as context:
        _, command, rest = group.resolve_command(context, ["info", "rows.h5"])
        assert command.make_context("info", rest, context).params["file"] == Path("rows.h5")
    each = {**group.commands, **group.commands["labels"].commands}
    assert [name for name, one in each.items() if "params" in vars(one)] == ["info", "labels"]
