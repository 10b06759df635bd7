"""What is said of a command line that cannot be right: what is wrong, and what was likely meant."""

from __future__ import annotations

import inspect
import re
import shlex
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from penult.arguments import is_path, require_texts
from penult.cli.console import fail
from penult.errors import UnknownNameError
from penult.errors import UsageError as NotUsable
from penult.interface import as_argument, shell_quote
from penult.messages import printable

__all__ = [
    "COMMANDS_ELSEWHERE",
    "SEVERAL_ELSEWHERE",
    "UsageError",
    "require_no_file",
    "require_once",
    "require_usable",
    "show_usage_error",
    "with_address",
]

SEVERAL_ELSEWHERE = {
    *("--classifier", "--images", "--k", "--layer", "--model"),
    *("--output", "--precision", "--sample", "--views", "--weights"),
}
"""Options that take several values in some commands, and one in others."""

# typer shows it without a public name: a command line that cannot be right.
UsageError: Any = typer.BadParameter.__base__

# What may stand behind --ray: not a path, nor the address of images.
_ADDRESS = re.compile(r"[^/\s-][^/\s]*:\d+|\[[\da-f:]+\]:\d+|ray://\S+|auto|local")

_LIMITS = {"ge": "{} or more", "le": "{} or less", "gt": "more than {}", "lt": "less than {}"}


_ELSEWHERE = {
    "--cv": ("--folds",),
    "--include-top": ("--layer",),
    "--no-top": ("--layer",),
    "--epochs": ("--grid",),
}


COMMANDS_ELSEWHERE = {
    **dict.fromkeys(("cam", "explain", "gradcam", "grad-cam", "heatmap", "saliency"), "look"),
    **dict.fromkeys(("classify", "infer", "label", "sort"), "predict"),
    **dict.fromkeys(("dedup", "dedupe", "deduplicate", "leaks"), "duplicates"),
    **dict.fromkeys(("embed", "embeddings", "encode", "features", "featurize"), "extract"),
    **dict.fromkeys(("eval", "score", "test"), "evaluate"),
    **dict.fromkeys(("fine-tune", "retrain"), "finetune"),
    **dict.fromkeys(("download", "get"), "fetch"),
    **dict.fromkeys(("nearest", "query", "retrieve", "similar"), "search"),
    **dict.fromkeys(("pca", "plot", "tsne", "t-sne", "umap", "visualize"), "map"),
    **dict.fromkeys(("benchmark", "rank"), "compare"),
    **dict.fromkeys(("describe", "inspect", "show"), "info"),
    **dict.fromkeys(("list", "networks"), "models"),
    **dict.fromkeys(("anomalies", "anomaly"), "outliers"),
    **dict.fromkeys(("groups", "kmeans"), "cluster"),
    "fit": "train",
}
"""What others call what a command does, to its name here."""


_OF_ROWS = {
    *("--architecture", "--decode", "--layer", "--model", "--normalize", "--pool", "--pooling"),
    *("--precision", "--resize", "-l", "-m"),
}
_CLASSIFIER = "the classifier carries how rows are made; leave it out"
_FEATURES = "the feature file carries how its rows were made; leave it out"
_GIVEN_ROWS = {
    **dict.fromkeys(
        (
            *("cluster", "duplicates", "evaluate-search", "export-rows", "index", "join", "map"),
            *("merge", "outliers", "reduce", "summarize"),
        ),
        _FEATURES,
    ),
    "evaluate": _CLASSIFIER,
    "export": _CLASSIFIER,
    "predict": _CLASSIFIER,
    "search": "the gallery carries how rows are made; leave it out",
    "report": "give it to penult extract, and the feature file to penult report",
    "train": _FEATURES,
    "verify": _FEATURES,
}
"""What is said of these options where a command lacks them."""


def show_usage_error(error: Any) -> None:
    """Print to stderr, in one line, what is wrong and what to type."""
    if hasattr(error, "possibilities"):
        fail(f"penult: {_meant_file(error) or _carried(error) or _unknown_option(error)}")
    elif type(error).__name__ == "NoArgsIsHelpError":
        error.show()  # it is the help page
    else:
        fail(f"penult: {printable(_in_words(error))}")


def require_usable(command: Any, ctx: Any, given: Mapping[str, Any]) -> None:
    """Refuse texts that can be no path and no name, as they were typed.

    Raises
    ------
    penult.UsageError
    """
    annotations = inspect.get_annotations(inspect.unwrap(command.callback))
    for param in command.get_params(ctx):
        value = given.get(param.name)
        if isinstance(value, str | list | tuple) and value != []:
            is_option = param.param_type_name == "option"
            require_texts(
                param.name,
                value,
                path=is_path(param.name, str(annotations.get(param.name))),
                called=max(param.opts, key=len) if is_option else param.metavar.rstrip("."),
                needed=param.required,
            )


def require_once(typed: Sequence[Any]) -> None:
    """Refuse several values of an option that takes several in other commands, and one in this.

    The last alone would count, and whoever typed them wants all. Of any other option the last one
    counts, as is usual, so that a script's options can be overridden by more behind them.

    Parameters
    ----------
    typed : the parameters of a command as often as they were typed

    Raises
    ------
    penult.UsageError
    """
    for param, times in Counter(typed).items():
        name = max(param.opts, key=len)
        if times > 1 and name in SEVERAL_ELSEWHERE and not param.multiple:
            several = f"{name} takes one value here, and is given {times} times"
            raise NotUsable(f"{several}; leave out all but one")


def require_no_file(params: Sequence[Any], typed: Sequence[str]) -> None:
    """Refuse the name of a file that would be read as an option with its value.

    ``-lead.jpg``, as a shell makes it of ``*.jpg``, is ``-l`` with ``ead.jpg`` to the parser.

    Parameters
    ----------
    params : of the command
    typed : what stands behind its name

    Raises
    ------
    penult.UsageError
    """
    valued = {name for one in params if not getattr(one, "is_flag", True) for name in one.opts}
    before = typed[: typed.index("--")] if "--" in typed else typed
    for last, one in zip(["", *before], before, strict=False):
        short = one[:1] == "-" and one[1:2] != "-" and len(one) > 2
        if short and last not in valued and Path(one).exists():
            raise NotUsable(_for_file(one))


def _meant_file(error: Any) -> str | None:
    """Say how a file is named whose name begins as an option does, if there is one."""
    before = sys.argv[1 : sys.argv.index("--")] if "--" in sys.argv else sys.argv[1:]
    for typed in before:
        # -dash.jpg is -d, -a and so on, of which one is unknown.
        begins = typed[:2] == "--" or error.option_name[1:] in typed[1:]
        if typed[:1] == "-" and begins and Path(typed).exists():
            return _for_file(typed)
    return None


def _for_file(typed: str) -> str:
    there = shlex.join([as_argument(typed)])
    return (
        f"{typed!r} would be an option; type {there} for the {_kind(typed)} of that name, "
        "or -- before it"
    )


def _kind(path: str) -> str:
    return "folder" if Path(path).is_dir() else "file"


def with_address(typed: list[str]) -> list[str]:
    """Put ``auto`` behind a ``--ray`` that has no address behind it: Typer knows no such option."""
    ends = typed.index("--") if "--" in typed else len(typed)
    if "--ray" not in typed[:ends]:
        return typed
    at = typed.index("--ray") + 1
    # An empty word is an address that is refused, as of a variable that was never set.
    given = at < len(typed) and (not typed[at] or _ADDRESS.fullmatch(typed[at]))
    return typed if given else [*typed[:at], "auto", *typed[at:]]


def _carried(error: Any) -> str | None:
    """Say where an option belongs that says how rows are made, to a command that is given them."""
    command = error.ctx.info_name
    if error.option_name not in _OF_ROWS or command not in _GIVEN_ROWS:
        return None
    return f"{error.option_name} is no option of penult {command}: {_GIVEN_ROWS[command]}"


def _unknown_option(error: Any) -> UnknownNameError:
    """Name the options that are spelled like what was typed; retired ones are not advertised."""
    params = error.ctx.command.get_params(error.ctx)
    shown = [one for one in params if one.param_type_name == "option" and not one.hidden]
    names = [name for one in shown for name in (*one.opts, *one.secondary_opts) if name[:2] == "--"]
    begun = [name for name in names if name.startswith(error.option_name)]
    if error.option_name in _ELSEWHERE:  # what other libraries call it
        meant = [name for name in _ELSEWHERE[error.option_name] if name in names]
        return UnknownNameError("option", error.option_name, names, meant=meant)
    hint = f"{error.ctx.command_path} --help lists them"
    return UnknownNameError("option", error.option_name, begun or names, hint=hint)


def _in_words(error: Any) -> str:
    """Say what is wrong as penult does, whoever found it: click, Typer, or pydantic for Typer."""
    message, usage = str(error.message).rstrip("."), ""
    if error.ctx is not None:
        pieces = error.ctx.command.collect_usage_pieces(error.ctx)
        usage = f"; type: {error.ctx.command_path} {' '.join(pieces)}"
    option = getattr(error, "option_name", None)
    if option is not None:
        return f"{option} has no value; give it one, or leave it out"
    param = getattr(error, "param", None)
    if param is None:
        extra = re.fullmatch(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", message)
        if extra and error.ctx.info_name == "verify":
            given = [extra[1]] if Path(extra[1]).exists() else extra[1].split()
            now = " ".join(f"--images {shell_quote(one)}" for one in given)
            return f"{extra[1]!r} is too much; type {now} for where the images are now"
        if extra and _prints_csv(error.ctx.command) and extra[1].lower().endswith(".csv"):
            file = shell_quote(extra[1])
            return f"{extra[1]!r} is too much: --csv prints the table; type --csv > {file}"
        return f"{extra[1]!r} is too much{usage}" if extra else f"{message}{usage}"
    name = max(param.opts, key=len) if param.param_type_name == "option" else param.metavar
    if type(error).__name__ == "MissingParameter":
        return f"{name} is missing{usage}"
    about = f" ({error.ctx.command_path} --help)" if error.ctx is not None else ""
    if not hasattr(error.__cause__, "errors"):
        return f"{name}: {message}{about}"
    found = error.__cause__.errors()[0]
    if found["type"] == "value_error":
        return f"{name}: {str(found['ctx']['error']).rstrip('.')}{about}"
    return f"{name} is {_typed(found['input'])}; {_what_to_give(found)}{about}"


def _prints_csv(command: Any) -> bool:
    """Whether its --csv stands alone, where that of other commands has a file."""
    return any("--csv" in one.opts and getattr(one, "is_flag", False) for one in command.params)


def _typed(value: Any) -> str:
    return str(value) if re.fullmatch(r"-?[\d.,]+", str(value)) else repr(value)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


def _what_to_give(found: Any) -> str:
    """What pydantic would have taken."""
    limits = found.get("ctx", {})
    if limits.get("le") == 1 and 1 < (given := _number(found["input"])) <= 100:
        return f"give 1.0 or less; did you mean {given / 100:g}?"
    for limit, words in _LIMITS.items():
        if limit in limits:
            return f"give {words.format(limits[limit])}"
    if found["type"].startswith("int_"):
        return "give a whole number"
    if found["type"].startswith("float_"):
        point = str(found["input"]).replace(",", ".")
        meant = re.fullmatch(r"-?\d*\.\d+", point)
        return f"did you mean {point}?" if meant else "give a number"
    return str(found["msg"]).partition(", unable")[0].replace("Input should", "it should")
