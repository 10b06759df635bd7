"""``penult models``."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated

import typer

from penult.cli import options as o
from penult.cli.console import plain_table, say, say_json, show_table
from penult.errors import UnknownNameError

if TYPE_CHECKING:
    from penult.backbones.base import Card

_NUMBERS = ("parameters", "input", "features", "top-1")


def run(
    pattern: Annotated[
        str, typer.Argument(help="Part of a name, a glob, or a source: resnet, 'vgg*', timm:")
    ] = "*",
    as_json: o.AsJson = False,
    debug: o.Debug = False,
) -> None:
    """List backbones, what is known of each, and whether its weights are on this machine.

    No network is loaded. A pattern that begins with a source (timm:resnet) is answered fastest.
    """
    from penult.backbones.registry import list_models

    cards = list(list_models(pattern))
    if not cards:
        names = [card.name for card in list_models()]
        raise UnknownNameError("model", pattern, names, hint="penult models lists them all")
    if as_json:
        say_json([dataclasses.asdict(card) for card in cards])
        return
    table = plain_table(
        ("model", *_NUMBERS, "licence of the weights", "weights"),
        right=_NUMBERS,
    )
    for card in cards:
        table.add_row(*_row(card))
    show_table(table)
    here = sum(card.on_this_machine for card in cards)
    models = "1 model" if len(cards) == 1 else f"{len(cards):,} models"
    say(f"{models}; the weights of {here:,} are on this machine")


def _row(card: Card) -> tuple[str, ...]:
    size = card.input_size
    return (
        card.name,
        "" if card.parameters is None else f"{card.parameters / 1e6:,.1f} M",
        "" if size is None else f"{size[0]} × {size[1]}",
        "" if card.features is None else f"{card.features:,}",
        "" if card.top1 is None else f"{card.top1:.1f}%",
        card.licence or "",
        "here" if card.on_this_machine else "",
    )
