"""A layer of a network, and finding layers by the names and globs a user types."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

from penult.backbones.layer_names import layer_here, source_that_has
from penult.errors import UnknownNameError
from penult.interface import at_command_line, command, option
from penult.representation import short_repr

__all__ = ["ENDS", "Layer", "Layout", "find_layer", "is_pattern", "match_layers"]

ENDS = ("penultimate", "logits")
"""The two layers every classifier has; in every backbone each gives a vector an image."""

Layout = Literal["vector", "NCHW", "NHWC", "NTD", "other"]
"""How an activation is laid out: (N, D); maps (N, C, H, W) or (N, H, W, C); tokens (N, T, D); or
otherwise, so that nothing can be said of its axes."""


@short_repr
@dataclass(frozen=True)
class Layer:
    """A layer that a user may name.

    Attributes
    ----------
    name : str
        Module path, or ``"penultimate"`` or ``"logits"``.
    type : str
        The module's class.
    shape : tuple of int
        Of the activation of one image, without the batch axis.
    layout : Layout
        What the axes mean.
    calls : int
        How often the module runs in one forward pass; its last output is what is captured.
    prefix_tokens : int
        Of tokens, how many in front are no patches (class, distillation, registers).
    has_class_token : bool
        Whether the first of them is a class token.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    layout: Layout
    calls: int = 1
    prefix_tokens: int = 0
    has_class_token: bool = False

    @property
    def length(self) -> int:
        """The number of values when flattened."""
        return prod(self.shape)

    @property
    def channels(self) -> int:
        """The number of values when pooled over space or tokens."""
        return self.shape[0] if self.layout == "NCHW" else self.shape[-1]

    @property
    def default_pooling(self) -> str:
        """What turns the activation into a row when the user does not say.

        Vectors stay, and so does what cannot be told; maps and tokens are averaged, as the
        networks' own heads do; where there is a class token in front, it is taken.
        """
        if self.layout in ("vector", "other"):
            return "none"
        return "cls" if self.has_class_token else "avg"

    def pooled_shape(self, pooling: str) -> tuple[int, ...]:
        """The shape of one row, without the batch axis."""
        if self.layout == "vector":
            return self.shape
        if pooling == "none":
            # Maps are stored channels first, whatever the network computes with.
            return (self.shape[2], *self.shape[:2]) if self.layout == "NHWC" else self.shape
        return (self.length,) if pooling == "flatten" else (self.channels,)


def one_by_one(asked: str, known: Iterable[str], *, every: str = "*") -> str:
    """What to type in place of a name that is none, but is several or all; "" where it is not.

    Parameters
    ----------
    asked : as it was typed
    known : the layers there are
    every : what stands for all of them
    """
    if asked == "all" != every:
        return f"{option('layer', every)} takes all"
    names, layers = [name.strip() for name in asked.split(",")], list(known)
    if len(names) < 2 or not all(
        any(fnmatch.fnmatchcase(layer, name) for layer in layers) for name in names
    ):
        return ""
    if at_command_line():
        return f"of several, each has its own: {' '.join(option('layer', n) for n in names)}"
    return f"several are a list: layer={names!r}"


def find_layer(
    layers: Iterable[Layer], name: str, *, backbone: str, architecture: str = ""
) -> Layer:
    """The layer of that exact name.

    Raises
    ------
    UnknownNameError
        With close suggestions, and what the layer is called here, where that is another library's
        name of it.
    """
    by_name = {layer.name: layer for layer in layers}
    if name in by_name:
        return by_name[name]
    here = layer_here(architecture, name, list(by_name))
    other, hint = source_that_has(architecture, name), command("layers", backbone)
    if several := one_by_one(name, by_name):
        hint = f"{several}; {hint}"
    elif other:
        hint = f"{other} has layers of such names; {hint}"
    raise UnknownNameError(
        f"layer of {backbone}", name, by_name, hint=hint, meant=[here] if here else []
    )


def is_pattern(name: str) -> bool:
    """Whether a name stands for several, as the shell's patterns do."""
    return any(sign in name for sign in "*?[")


def match_layers(
    layers: Sequence[Layer], patterns: Sequence[str], *, backbone: str, architecture: str = ""
) -> list[Layer]:
    """The layers that exact names and globs ask for, in execution order, each once.

    Raises
    ------
    UnknownNameError
        If a name or glob matches none; names it and what is close.
    """
    selected: set[str] = set()
    names = {layer.name for layer in layers}
    for pattern in patterns:
        if pattern not in names and is_pattern(pattern):
            matched = {x.name for x in layers if fnmatch.fnmatchcase(x.name, pattern)}
            if not matched:
                find_layer(layers, pattern, backbone=backbone)
            selected |= matched
        else:
            found = find_layer(layers, pattern, backbone=backbone, architecture=architecture)
            selected.add(found.name)
    return [layer for layer in layers if layer.name in selected]
