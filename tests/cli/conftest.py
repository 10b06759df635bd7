"""Run the command line in this process, as a shell would see it."""

from __future__ import annotations

import dataclasses
import logging
import sys
import warnings
from dataclasses import dataclass
from functools import cache
from itertools import islice

import pytest
import typer.main

from penult.cli import main, options


@cache
def _made(app: typer.Typer, _commands: int, make=typer.main.get_command):
    return make(app)


def _get_command(app: typer.Typer):
    """Made of all functions' signatures, which takes longer than most commands: once a process, then."""
    return _made(app, len(app.registered_commands))


@dataclass
class Done:
    code: int
    out: str
    err: str


@pytest.fixture
def penult(capsys, monkeypatch):
    """`penult("info", path)` gives the exit code and what was printed."""

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["penult", *map(str, arguments)])
        monkeypatch.setattr(typer.main, "get_command", _get_command)
        # Of `python -m pytest`, click would make a name of the program.
        monkeypatch.setattr(sys.modules["__main__"], "__package__", None, raising=False)
        monkeypatch.setattr(options, "show_traceback", False)
        for module, name in ((warnings, "showwarning"), (logging, "lastResort")):
            monkeypatch.setattr(module, name, getattr(module, name))  # `main` sets them for good
        level = logging.getLogger("penult").level  # which --debug lowers for good
        capsys.readouterr()
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            logging.getLogger("penult").setLevel(level)
        code = ended.value.code
        said = capsys.readouterr()
        blank = [line for line in (said.out + said.err).splitlines() if line != line.rstrip()]
        assert not blank, f"penult {arguments[0]} prints trailing blanks to a pipe"
        return Done(code if isinstance(code, int) else int(code is not None), *said)

    return run


@pytest.fixture
def without_looks(monkeypatch):
    """A report leaves out its map, clusters and outliers, which take a second."""
    from penult.reporting import make

    def look_at(made, looks, *others, look=make.look_at, **given):
        less = dataclasses.replace(looks, map=False, clusters=False, outliers=False)
        return look(made, less, *others, **given)

    monkeypatch.setattr(make, "look_at", look_at)


@pytest.fixture
def few_digits(monkeypatch):
    """`penult sample digits` writes 20 of the 1,797, which take a second; test_commands.py has it write all."""
    from penult import samples

    digits = samples._digits
    monkeypatch.setattr(samples, "_digits", lambda: islice(digits(), 20))
