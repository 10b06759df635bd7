"""The backbones there are."""

from __future__ import annotations

from penult.backbones.aliases import canonical
from penult.backbones.catalogue import left_out, list_models
from penult.backbones.info import ModelInfo
from penult.backbones.registry import names_hint, unknown_model
from penult.checking import checked
from penult.errors import UnknownNameError, UsageError
from penult.interface import command
from penult.representation import Records

__all__ = ["models"]


@checked
def models(pattern: str = "*") -> list[ModelInfo]:
    """List backbones, what is known of each, and whether its weights are on this machine.

    No network is loaded. Those that need an extra which is not installed are left out.

    Parameters
    ----------
    pattern : str, default='*'
        Part of a name in any spelling, a glob, or a source: ``"resnet"``, ``"vgg*"``, ``"timm:"``.
        One that begins with a source is answered fastest.

    Returns
    -------
    list of ModelInfo
        One a backbone, source after source.

    Raises
    ------
    UnknownNameError
        If none matches; suggests what was meant, or close names.
    MissingExtraError
        If all that match need an extra.
    UsageError
        If it begins with a source whose models cannot be listed: ``"hf:"``, files.
    """
    found = list(list_models(pattern))
    if found:
        columns = ("name", "parameters", "input_size", "features", "top1", "licence")
        return Records(found, "model", (*columns, "on_this_machine"))
    prefix, colon, name = pattern.partition(":")
    wanted = pattern if colon else canonical(pattern) or f"each model that matches {pattern!r}"
    for source in left_out(pattern):
        if colon or source.names:
            source.require(wanted)
    everything = names_hint("lists all names")
    if not colon:
        raise unknown_model(pattern, hint=everything)
    listed = [model.name for model in list_models(f"{prefix}:")]
    if not listed:
        shown = command("layers", f"{prefix}:{name or 'NAME'}")
        raise UsageError(f"the models of {prefix}: are not listed; {shown} shows one of them")
    raise UnknownNameError("model", pattern, listed, hint=everything)
