"""Python and the command line are twins: the same names, parameters and defaults on both sides.

Where they differ, a line below says why.
"""

from __future__ import annotations

import inspect
import re

import pytest
import typed_commands

import penult
from penult.interface import command_name

COMMANDS = {name.replace("-", "_"): command for name, command in typed_commands.COMMANDS.items()}
OTHER_NAMES = {"labels apply": "apply_labels", "plan": "plan_machines"}
"""A verb comes last where it is typed after a group's name, and first in Python.

`penult.plan` has long been the twin of `penult extract --dry-run`."""
COMMANDS = {OTHER_NAMES.get(name, name): command for name, command in COMMANDS.items()}
FUNCTIONS = {
    name: value for name in penult.__all__ if inspect.isfunction(value := getattr(penult, name))
}

WITHOUT_A_COMMAND = {
    "cka": "is of arrays, which nobody types; `penult compare` shows it of networks",
    "rsa": "is of arrays, which nobody types; `penult compare` shows it of networks",
    "load": "opens a file for a program to compute with; `penult info` shows what is in it",
    "load_classifier": "opens a file for a program to compute with; `penult info` shows it",
    "plan": "is `penult extract --dry-run`",
}
PRINTING = {
    "as_json": "how results are printed; a function returns them",
    "as_csv": "how results are printed; a function returns them",
    "quiet": "what is shown meanwhile; a function has callbacks",
    "debug": "a program has the traceback anyway",
}
OF_THE_COMMAND_ALONE = {
    ("compare", "open"): "a program has the page's path",
    ("extract", "dry_run"): "is penult.plan",
    ("outliers", "limit"): "how many are printed; a function returns all",
}
OF_THE_FUNCTION_ALONE: dict[tuple[str, str], str] = {}
OPTIONAL_IN_PYTHON = {
    ("extract", "output"): "without it, the rows stay in memory",
    ("join", "output"): "without it, the rows stay in memory",
    ("reduce", "output"): "without it, the rows stay in memory",
    ("train", "output"): "without it, the classifier stays in memory",
}


def options_of(command):
    """The parameters of a command that help shows, but those of printing."""
    shown = {p.name: p for p in command.params if not getattr(p, "hidden", False)}
    return {name: p for name, p in shown.items() if name not in PRINTING and name != "help"}


def parameters_of(function):
    """The parameters of a function, but callbacks, in whose place a command shows a bar."""
    found = inspect.signature(function).parameters
    return {name: p for name, p in found.items() if not re.match(r"on_(?!error)|progress$", name)}


def test_a_command_of_another_name_is_named_in_messages_as_it_is_typed():
    assert {command_name(function): function for function in OTHER_NAMES.values()} == OTHER_NAMES


def test_each_command_is_a_function_and_each_function_a_command():
    assert COMMANDS.keys() == FUNCTIONS.keys() - WITHOUT_A_COMMAND.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_both_take_the_same(name):
    typed, called = options_of(COMMANDS[name]).keys(), parameters_of(FUNCTIONS[name]).keys()
    assert typed - called == {option for one, option in OF_THE_COMMAND_ALONE if one == name}
    assert called - typed == {option for one, option in OF_THE_FUNCTION_ALONE if one == name}


@pytest.mark.parametrize("name", COMMANDS)
def test_both_have_the_same_defaults(name):
    called = parameters_of(FUNCTIONS[name])
    differ = {}
    for option, typed in options_of(COMMANDS[name]).items():
        if option not in called:
            continue
        theirs = called[option].default
        if typed.required:
            needed = theirs is inspect.Parameter.empty or (name, option) in OPTIONAL_IN_PYTHON
            ours = theirs if needed else "required"
        elif typed.multiple and not typed.default:
            ours = theirs  # an option that may be given several times, and was not given at all
        else:
            ours = typed.default
        if ours != theirs:
            differ[option] = (ours, theirs)
    assert not differ


def test_a_plan_takes_what_the_extraction_takes():
    extract = inspect.signature(penult.extract).parameters
    for name, planned in inspect.signature(penult.plan).parameters.items():
        assert planned.default == extract[name].default, name


def test_exceptions_are_needed():
    for name, option in OF_THE_COMMAND_ALONE | OPTIONAL_IN_PYTHON:
        assert option in options_of(COMMANDS[name])
    for name, option in OF_THE_FUNCTION_ALONE | OPTIONAL_IN_PYTHON:
        assert option in parameters_of(FUNCTIONS[name])
