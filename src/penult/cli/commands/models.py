"""``penult models``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from penult.cli import options as o
from penult.cli.console import Table, say, say_json, table_width
from penult.wording import count

if TYPE_CHECKING:
    from penult.backbones.catalogue import SourceInExtra
    from penult.backbones.info import ModelInfo

_COLUMNS = ("model", "parameters", "input", "features", "top-1", "licence", "weights")
_NUMBERS = ("parameters", "input", "features", "top-1")


def run(
    pattern: Annotated[
        str,
        typer.Argument(
            metavar="PATTERN",
            help="Part of a name in any spelling, a glob, or a source: resnet, 'vgg*', timm:",
        ),
    ] = "*",
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """List networks, what is known of each, and whether its weights are on this machine.

    No network is loaded. A pattern that begins with a source (timm:resnet) is answered fastest.

    Examples
    --------
    penult models
    penult models resnet
    penult models 'timm:vit_small*'
    """
    from penult.backbones.aliases import canonical
    from penult.backbones.catalogue import left_out
    from penult.backbones.families import meant_by
    from penult.tasks.models import models

    cards = models(pattern)
    if as_json:
        say_json([dataclasses.asdict(card) for card in cards])
        return
    shown = _fitting(cards)
    table = Table(shown, right=_NUMBERS)
    for card in cards:
        row = _row(card)
        table.add_row(*(row[name] for name in shown))
    table.show()
    here = sum(card.on_this_machine for card in cards)
    hidden = "" if shown == _COLUMNS else "; a wider terminal, or --json, shows more of each"
    say(f"{count(len(cards), 'model')}; the weights of {here:,} are on this machine{hidden}")
    if extras := left_out(pattern):
        say(f"more with an extra: {', '.join(_in_extra(extras))}")
    if target := canonical(pattern):
        say(f"--model {pattern} takes {target}")
    if unlisted := [name for name in meant_by(pattern) if name.startswith("hf:")]:
        say(f"not listed, but there as well: {', '.join(unlisted)}")


def _in_extra(sources: Sequence[SourceInExtra]) -> Iterator[str]:
    for install, group in groupby(sources, key=lambda source: source.install):
        yield f"{' '.join(f'{source.prefix}:' for source in group)} ({install})"


def _fitting(cards: Sequence[ModelInfo]) -> tuple[str, ...]:
    """The columns, without the widest ones where a terminal has no room beside the names."""
    columns: tuple[str, ...] = _COLUMNS
    room = table_width() - max(len(card.name) for card in cards)
    if room < 76:
        columns = tuple(name for name in columns if name != "licence")
    if room < 56:
        columns = tuple(name for name in columns if name not in ("parameters", "input"))
    return columns


def _row(card: ModelInfo) -> dict[str, str]:
    size = card.input_size
    return {
        "model": card.name,
        "parameters": "" if card.parameters is None else f"{card.parameters / 1e6:,.1f} M",
        "input": "" if size is None else f"{size[0]} × {size[1]}",
        "features": "" if card.features is None else f"{card.features:,}",
        "top-1": "" if card.top1 is None else f"{card.top1:.1f}%",
        "licence": card.licence or "",
        "weights": "here" if card.on_this_machine else "",
    }
