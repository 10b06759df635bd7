"""What a user types, as a source and a name within it; and what is said of a name that is none."""

from __future__ import annotations

import os
import re
from pathlib import Path

from penult.arguments import require_name
from penult.backbones.aliases import ALIASES, canonical, spelling
from penult.backbones.families import meant_by
from penult.backbones.registry.prefixes import BUILT_IN, load_source, sources
from penult.backbones.source import BackboneSource, missing_extra
from penult.errors import MissingExtraError, UnknownNameError
from penult.file_kinds import refuse_other_kind
from penult.interface import at_command_line, command, option

__all__ = ["DEFAULT_MODEL", "names_hint", "resolve", "unknown_model"]

DEFAULT_MODEL = "efficientnet_lite0"


def resolve(name: str) -> tuple[BackboneSource, str]:
    """Turn what the user typed into a source and the name within it.

    A name with a prefix is looked for in that source alone. A bare name is one of the bundled
    models, a file, one of the names of `penult.backbones.aliases`, or one that a source knows, in
    this order.

    Parameters
    ----------
    name : str
        As the user typed it.

    Returns
    -------
    source : BackboneSource
        The source.
    name : str
        The name within it.

    Raises
    ------
    UnknownNameError
        With close suggestions.
    """
    require_name("model", name)
    prefix, colon, rest = name.partition(":")
    # One letter is a drive: C:\\model.ckpt. A path may have a colon further on.
    if colon and len(prefix) > 1 and not os.path.dirname(prefix):  # noqa: PTH120 - of no file
        return load_source(prefix.lower()), rest
    for first in ("bundled", "checkpoint", "onnx"):
        if load_source(first).knows(name):
            return load_source(first), name
    if target := canonical(name):
        return resolve(target)
    for prefix in sources():
        if load_source(prefix).knows(name):
            return load_source(prefix), name
    raise unknown_model(name)


def unknown_model(name: str, *, hint: str | None = None) -> UnknownNameError:
    """Make the error of a name that is none, with what may have been meant.

    Parameters
    ----------
    name : str
        As the user typed it, without a source.
    hint : str, optional
        What to type next, in place of how to list all names.
    """
    refuse_other_kind(Path(name), "network")
    known = [*ALIASES, *(known for prefix in sources() for known in load_source(prefix).names())]
    once = {known.lower(): known for known in reversed(known)}.values()
    if "," in name:  # what the nearest one name lacks would not help
        hint = f"of several, give each by itself: {_one_by_one(name)}"
        return UnknownNameError("model", name, once, hint=hint)
    alike = spelling(name, once)
    meant = [alike] if alike else meant_by(name)
    habit = re.match(rf"({'|'.join(sources())})[./](?:(?:applications|models)[./])?(.+)", name)
    if habit is not None:  # keras.applications.VGG16, torchvision/vgg16
        meant = [f"{habit[1]}:{habit[2]}", *meant]
    if os.path.isfile(os.path.join(name, "config.json")):  # noqa: PTH113, PTH118 - False, see below
        meant, hint = [f"hf:./{Path(name).as_posix()}"], "if it is a checkpoint of Hugging Face's"
    elif os.path.isfile(name):  # noqa: PTH113 - False where no file can have that name
        meant, hint = [f"checkpoint:{name}"], "if it is a file of weights"
    elif hint is None and len(name) > 2 and any(name.lower() in one for one in once):
        hint = f"{command('models', name.lower())} lists all with that in their names"
    elif hint is None:
        hint = names_hint("lists them all")
        if not meant and not UnknownNameError("model", name, once).suggestions:
            forms = "timm:NAME, hf:OWNER/NAME, torchvision:NAME, checkpoint:FILE"
            hint = f"others are given as {forms}; {hint}"
    error = UnknownNameError("model", name, once, hint=hint, meant=meant)
    if error.suggestions and (missing := _missing_for(error.suggestions[0])):
        hint = f"for it, type: {missing.install}"
        return UnknownNameError("model", name, once, hint=hint, meant=error.suggestions)
    return error


def names_hint(of_all: str) -> str:
    """Say how the names of models are listed; where extras are missing, not all of them are.

    Parameters
    ----------
    of_all : str
        What the command does where none is missing: ``"lists them all"``.
    """
    if any(missing_extra(load_source(prefix)) for prefix in BUILT_IN):
        of_all = "lists those that run here, and what to install for the others"
    return f"{command('models')} {of_all}"


def _missing_for(name: str) -> MissingExtraError | None:
    """The refusal of what a name stands for, where that needs an extra."""
    prefix, colon, rest = (canonical(name) or name).partition(":")
    if not colon:
        prefix, rest = next((one for one in sources() if load_source(one).knows(name)), ""), name
    if prefix not in sources():
        return None
    source = load_source(prefix)
    if error := missing_extra(source):
        return error
    extra = source.lacking().get(rest)
    return MissingExtraError(name, extra) if extra else None


def _one_by_one(name: str) -> str:
    models = [one.strip() for one in name.split(",") if one.strip()]
    if at_command_line():
        return " ".join(option("model", one) for one in models)
    return option("model", models)
