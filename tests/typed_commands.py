"""Every command of the command line, by what is typed after ``penult``."""

from __future__ import annotations

import typer.main

from penult.cli import app


def walk(group=None, prefix=()):
    """Every command with its full name; groups are walked into."""
    group = group or typer.main.get_command(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from walk(command, (*prefix, name))
        elif not command.hidden:
            yield " ".join((*prefix, name)), command


COMMANDS = dict(walk())
