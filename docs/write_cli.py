"""Write the reference of the command line to stdout, from what ``--help`` says."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import typer.main

from penult.cli import app
from penult.cli.help import examples, paragraphs, topics

COMMON = """
**In every command**

- Results go to standard output, everything else (progress, warnings, errors) to standard error.
  Tables fit the terminal; in a pipe they have neither colours nor trailing blanks.
- It ends with 0 where all went well, 1 where something failed, and 2 where what was typed cannot be
  right; with 130, 143 or 129 where Ctrl-C, SIGTERM or SIGHUP stopped it, and with 141 where nobody
  read its output to the end. [For scripts and pipelines](scripts.md) has more of that, and what
  `--json` prints.
- After `penult --install-completion`, and in a new shell, Tab completes commands, options, names of
  networks and other values, in bash, zsh, fish and PowerShell.
- `NO_COLOR=1` in the environment leaves colours out, `FORCE_COLOR=1` has them in a pipe too.
- `python -m penult` is the same program.
- The suffix of an output says what is in it. One that says something else is refused, such as
  `rows.csv` for a feature file, which is HDF5. Names without a suffix are fine."""


def reference() -> str:
    """Return the page."""
    return "\n".join(page())


def page() -> Iterator[str]:
    """Yield its lines."""
    group: Any = typer.main.get_command(app)
    with group.make_context("penult", [], resilient_parsing=True) as context:
        yield "# Command line\n"
        yield from described(group, context)
        yield COMMON
        yield from commands_of(group, context)


def commands_of(group: Any, context: Any) -> Iterator[str]:
    """Yield a section for each command of a group, and after a group's those of its own."""
    for name, command in group.commands.items():
        if command.hidden:
            continue
        with command.make_context(name, [], context, resilient_parsing=True) as inner:
            yield f"\n## `{inner.command_path}`\n"
            yield from described(command, inner)
            if hasattr(command, "commands"):
                yield from commands_of(command, inner)


def described(command: Any, context: Any) -> Iterator[str]:
    """Yield what a help page says, as Markdown."""
    for paragraph in paragraphs(command):
        yield f"{escaped(paragraph)}\n"
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"```console\n$ {usage}\n```"
    if lines := examples(command):
        shown = (line if line.startswith("#") or not line else f"$ {line}" for line in lines)
        yield "\nExamples:\n\n```console"
        yield from shown
        yield "```"
    for heading, terms in topics(command, context):
        yield f"\n**{heading}**\n"
        for term, meaning in terms:
            told = re.sub(r"  \[(.*)\]$", r" *(\1)*", escaped(meaning.replace("\xa0", " ")))
            term = f"`{term.strip()}`"
            if heading == "Commands":
                anchor = f"{context.command_path} {term.strip('`')}".replace(" ", "-")
                term = f"[{term}](#{anchor})"
            yield f"- {term}: {told}"


def escaped(text: str) -> str:
    """Keep Markdown from reading what is in no backticks as its own."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part[:1] == "`" else re.sub(r"([*<])", r"\\\1", part) for part in parts)


if __name__ == "__main__":
    sys.stdout.write(reference() + "\n")
