"""What is said of a command line that cannot be right: what is wrong, and what was likely meant."""

from __future__ import annotations

import sys
from typing import Any

import typer

from penult.cli.console import fail
from penult.errors import UnknownNameError
from penult.messages import printable

__all__ = ["UsageError", "show_usage_error"]

# typer shows it without a public name: a command line that cannot be right.
UsageError: Any = typer.BadParameter.__base__


def show_usage_error(error: Any) -> None:
    """Print to stderr what is wrong, and how the command is used."""
    if hasattr(error, "possibilities"):
        fail(f"penult: {_unknown_option(error)}")
    elif type(error).__name__ == "NoArgsIsHelpError":
        error.show()  # it is the help page
    else:
        error.message = printable(_in_words(error))
        if error.ctx is not None:
            sys.stderr.write(
                f"{error.ctx.get_usage()}\n"
                f"`{error.ctx.command_path} --help` says what each of them is.\n\n"
            )
        fail(f"penult: {error.format_message()}")


def _unknown_option(error: Any) -> UnknownNameError:
    """Name the options that are spelled like what was typed; retired ones are not advertised."""
    params = error.ctx.command.get_params(error.ctx)
    shown = [one for one in params if one.param_type_name == "option" and not one.hidden]
    names = [name for one in shown for name in (*one.opts, *one.secondary_opts) if name[:2] == "--"]
    begun = [name for name in names if name.startswith(error.option_name)]
    hint = f"{error.ctx.command_path} --help lists them"
    return UnknownNameError("option", error.option_name, begun or names, hint=hint)


def _in_words(error: Any) -> str:
    """Say what is wrong with an option as penult does, where pydantic found it for Typer."""
    if not hasattr(error.__cause__, "errors"):
        return str(error.message)
    found = error.__cause__.errors()[0]
    if found["type"] == "value_error":
        return str(found["ctx"]["error"])
    allowed = found["msg"].partition(", unable")[0].replace("Input should", "it should")
    return f"{found['input']!r} was given; {allowed}"
