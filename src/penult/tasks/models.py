"""The backbones there are."""

from __future__ import annotations

from penult.backbones.info import ModelInfo
from penult.backbones.registry import list_models
from penult.checking import checked
from penult.errors import UnknownNameError
from penult.interface import command
from penult.representation import Records

__all__ = ["models"]


@checked
def models(pattern: str = "*") -> list[ModelInfo]:
    """List backbones, what is known of each, and whether its weights are on this machine.

    No network is loaded.

    Parameters
    ----------
    pattern : str, default='*'
        Part of a name, a glob, or a source: ``"resnet"``, ``"vgg*"``, ``"timm:"``. One that begins
        with a source is answered fastest.

    Returns
    -------
    list of ModelInfo
        One a backbone, source after source.

    Raises
    ------
    UnknownNameError
        If none matches; suggests close names.
    """
    found = list(list_models(pattern))
    if not found:
        names = [model.name for model in list_models()]
        raise UnknownNameError("model", pattern, names, hint=f"{command('models')} lists them all")
    columns = ("name", "parameters", "input_size", "features", "top1", "licence", "on_this_machine")
    return Records(found, "model", columns)
