"""Help and usage: what a command takes, in groups, as wide as the terminal, with examples.

Written here rather than by rich, which would take longer to import than all of the rest.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from functools import partial, update_wrapper
from pathlib import Path
from textwrap import wrap
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import typer.main
from typer.core import TyperCommand, TyperGroup

from penult.cli.colors import in_color, paint
from penult.cli.console import terminal_width
from penult.cli.options import HEADINGS
from penult.cli.short_of_memory import too_little_memory
from penult.cli.usage import (
    COMMANDS_ELSEWHERE,
    require_no_file,
    require_once,
    require_usable,
    with_address,
)
from penult.errors import PenultError, UnknownNameError
from penult.extras import unloadable
from penult.spelling import closest

__all__ = ["Command", "Group", "Topic", "examples", "paragraphs", "summary", "topics", "unread"]

_WIDEST = 110  # longer lines are hard to read
_NO_BREAK = "\xa0"
_EXAMPLES = "\n\nExamples\n--------\n"

Topic = tuple[str, list[tuple[str, str]]]
"""A heading, and below it terms (an option with its metavar), each with what it means."""


class _Described:
    """What a command and the group of all commands have in common."""

    def get_params(self: Any, ctx: Any) -> Any:
        """Give each parameter a metavar: see `click.Command.get_params`."""
        bare = [p for p in self.params if p.metavar is None and not getattr(p, "is_flag", False)]
        hints = get_type_hints(inspect.unwrap(self.callback)) if bare else {}
        for param in bare:
            param.metavar = _metavar(param, hints.get(param.name, str))
        return super().get_params(ctx)  # type: ignore[misc]

    def get_short_help_str(self, limit: int = 0) -> str:
        """What a shell says of a command that it offers; it cuts it as it sees fit."""
        return summary(self)

    def collect_usage_pieces(self: Any, ctx: Any) -> list[str]:
        """Name what has to be given first: see `click.Command.collect_usage_pieces`."""
        given = []
        for param in self.get_params(ctx):
            if param.param_type_name == "argument":
                given.append(param.metavar if param.required else f"[{param.metavar}]")
            elif param.required:
                given.append(f"{param.opts[0]} {param.metavar}")
        return [*given, "[OPTIONS]"]

    def format_help(self: Any, ctx: Any, formatter: Any) -> None:
        """Write the help page: see `click.Command.format_help`."""
        ctx.color = in_color(sys.stdout)
        formatter.write("\n".join(_page(self, ctx)))


class Command(_Described, TyperCommand):
    """A command whose help is grouped by the headings of its options.

    It is registered by `unread`, and made of its function's signature only when its parameters are
    asked for: to make all commands takes longer than most of them run.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._function = inspect.unwrap(given["callback"])
        del self.params, self.callback

    def __getattr__(self, name: str) -> Any:
        """Make ``params`` and ``callback``, which are not there at first."""
        if name not in ("params", "callback"):
            raise AttributeError(f"{type(self).__name__} has no attribute {name}")
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command()(self._function)
        made: Any = typer.main.get_command(alone)
        for param in made.params:
            param.type_descriptor.parameter_info.readable = False  # who opens a file says why not
        self.params, self.callback = made.params, made.callback
        return getattr(self, name)

    def parse_args(self: Any, ctx: Any, args: list[str]) -> Any:
        """See `click.Command.parse_args`.

        An empty path, which would be the folder, is refused, and so is an option of one value that
        is given several.
        """
        args = with_address(args)
        if not ctx.resilient_parsing:  # nothing is run, only completed
            require_no_file(self.get_params(ctx), args)
            given, _, typed = self.make_parser(ctx).parse_args(args=list(args))
            require_once(typed)
            require_usable(self, ctx, given)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """See `click.Command.invoke`; what is no fault of ours ends in one line.

        It is too little memory, whichever library finds that out, or a library that is broken.
        """
        try:
            return super().invoke(ctx)
        except PenultError:
            raise
        except Exception as error:
            told = too_little_memory(error, {param.name for param in self.params})
            if (told := told or unloadable(error)) is None:
                raise
            raise PenultError(told) from error


class Group(_Described, TyperGroup):
    """All commands, each with the whole first sentence of its help."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """See `click.Group.collect_usage_pieces`."""
        return ["COMMAND [ARGUMENTS] [OPTIONS]"]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """See `click.Group.resolve_command`; of an unknown name, say which ones are like it."""
        name = args[0]
        if name not in self.commands and name[:1] != "-" and not ctx.resilient_parsing:
            known = [name for name, one in self.commands.items() if not one.hidden]
            hint = f"{ctx.command_path} --help lists them"
            like = [] if closest(name, known, 1) else closest(name, COMMANDS_ELSEWHERE, 1)
            like.insert(0, name.lower().replace("_", "-"))
            meant = [COMMANDS_ELSEWHERE.get(one, "") for one in like]
            meant = [one for one in meant if one in known][:1]  # not of a group's own commands
            raise UnknownNameError("command", name, known, hint=hint, meant=meant)
        return super().resolve_command(ctx, args)


def unread(run: Callable[..., None]) -> Callable[[], None]:
    """Return a function without parameters that stands for a command's until `Command` reads it."""

    def stand_in() -> None: ...

    update_wrapper(stand_in, run, assigned=("__name__", "__doc__"))
    stand_in.__signature__ = inspect.Signature()  # type: ignore[attr-defined]  # not that of `run`
    return stand_in


def paragraphs(command: Any) -> list[str]:
    """What a command's docstring says, a line a paragraph, without its examples."""
    told = (command.help or "").partition(_EXAMPLES)[0]
    return [" ".join(paragraph.split()) for paragraph in told.split("\n\n")]


def summary(command: Any) -> str:
    """The first paragraph of it."""
    return paragraphs(command)[0]


def examples(command: Any) -> list[str]:
    """The lines of a command's examples: comments, and under each of them what to type."""
    return (command.help or "").partition(_EXAMPLES)[2].splitlines()


def _metavar(param: Any, hint: Any) -> str:
    """What stands for a value: the choices there are, or its kind in capitals."""
    if get_origin(hint) not in (list, Literal):  # int | None, say
        hint = next((one for one in get_args(hint) if one is not NoneType), hint)
    several = get_origin(hint) is list
    if param.param_type_name == "argument":
        return f"{param.name.upper()}{'...' * several}"
    kind = get_args(hint)[0] if several else hint
    if get_origin(kind) is Literal:
        return f"[{'|'.join(map(str, get_args(kind)))}]"
    return {int: "INTEGER", float: "NUMBER", Path: "FILE"}.get(kind, "TEXT")


def topics(command: Any, ctx: Any) -> Iterator[Topic]:
    """Yield what a command takes: its arguments, its main options, and the others by heading."""
    # A group that only holds commands has no function of its own.
    own_function = command.callback and inspect.unwrap(command.callback)
    defaults = inspect.signature(own_function).parameters if own_function else {}
    found: dict[str, list[tuple[str, str]]] = {
        heading: [] for heading in ("Commands", "Arguments", "Options", *HEADINGS)
    }
    for param in command.get_params(ctx):
        if getattr(param, "hidden", False):
            continue
        default = defaults[param.name].default if param.name in defaults else None
        meaning = f"{param.help or ''}{_default(param, default)}".strip()
        if param.param_type_name == "argument":
            found["Arguments"].append((param.metavar, meaning))
            continue
        heading = getattr(param, "rich_help_panel", None)
        if heading is None:
            own = param.name in defaults and not hasattr(command, "commands")
            heading = "Options" if own else HEADINGS[-1]
        found.setdefault(heading, []).append((_spelled(param), meaning))
    if hasattr(command, "commands"):
        known = command.commands.items()
        found["Commands"] = [(name, summary(one)) for name, one in known if not one.hidden]
    return ((heading, terms) for heading, terms in found.items() if terms)


def _default(param: Any, default: Any) -> str:
    if param.required:
        return "  [required]" if param.param_type_name == "option" else ""
    shown = param.show_default
    if not isinstance(shown, str):
        if not shown or default is None or default is False or default is inspect.Parameter.empty:
            return ""
        shown = param.opts[0] if default is True else str(default)
    # A line is not broken inside a short one.
    note = f"[default: {shown}]"
    return f"  {note.replace(' ', _NO_BREAK) if len(note) < 40 else note}"


def _spelled(param: Any) -> str:
    """An option as it is typed, the long names below each other."""
    names = sorted(param.opts, key=len)
    text = ", ".join(names)
    if names[0].startswith("--"):
        text = f"    {text}"
    if param.secondary_opts:
        text += f"/{'/'.join(param.secondary_opts)}"
    return text if param.is_flag else f"{text} {param.metavar}"


def _page(command: Any, ctx: Any) -> Iterator[str]:
    """Yield the lines of the help page."""
    width = min(terminal_width(), _WIDEST)
    shade = partial(paint, on=sys.stdout)
    usage = " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)])
    first, *more = wrap(usage, width, initial_indent="Usage: ", subsequent_indent=" " * 7)
    yield f"{shade('Usage:', 'bold')}{first[6:]}"
    yield from more
    for paragraph in paragraphs(command):
        yield ""
        yield from wrap(paragraph, width)
    if lines := examples(command):
        yield ""
        yield shade("Examples:", "bold")
        yield from (f"  {shade(line, 'dim') if line.startswith('#') else line}" for line in lines)
    found = list(topics(command, ctx))
    room = width // 3
    for heading, terms in found:
        # Names of commands are shorter than options are.
        beside = [(heading, terms)] if hasattr(command, "commands") else found
        lengths = [len(term) for _, terms in beside for term, _ in terms]
        column = max([length for length in lengths if length <= room], default=0) + 2
        yield ""
        yield shade(f"{heading}:", "bold")
        for term, meaning in terms:
            lines = wrap(meaning, width - column - 2, break_on_hyphens=False) or [""]
            lines = [line.replace(_NO_BREAK, " ") for line in lines]
            if len(term) > room:
                yield f"  {shade(term, 'cyan')}"
            else:
                yield f"  {shade(term, 'cyan')}{' ' * (column - len(term))}{lines.pop(0)}".rstrip()
            yield from (" " * (column + 2) + line for line in lines)
