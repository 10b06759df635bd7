"""The blocks of a network, in the order in which they run: what is frozen, and what learns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from penult.engines.row_network import RowNetwork

__all__ = ["Block", "find_blocks"]

_NUMBERED = re.compile(r"\d+[a-z]?")
_ENDS_IN_NUMBER = re.compile(r"\D\d+[a-z]?$")
_STAGES = (nn.Sequential, nn.ModuleList)
_LISTS = frozenset({"blocks", "layers"})


@dataclass(frozen=True, kw_only=True)
class Block:
    """Some consecutive modules with weights.

    Attributes
    ----------
    name : str
        The path of the module that it is, or of the first of several; "" for what stands in the
        network itself.
    modules : tuple of str
        Paths of the modules with parameters or buffers of their own, in execution order.
    wholes : tuple of str
        Paths of modules that are all of the block together, in execution order.
    """

    name: str
    modules: tuple[str, ...]
    wholes: tuple[str, ...]


def find_blocks(rows: RowNetwork, input_size: tuple[int, int]) -> tuple[Block, ...]:
    """Divide a network that gives rows into blocks, in execution order.

    A block is what architectures number: a residual block, a layer of a transformer; of stages of
    blocks, which are numbered, too, each block. What stands between numbered modules, as the first
    convolution and its normalisation, is a block together; a normalisation that would be one alone
    belongs to the block before. The network is run once on noise, which tells the order, and that
    what runs only after the row, as a classifier, belongs to none.

    Parameters
    ----------
    rows : RowNetwork
        In eval mode.
    input_size : (int, int)
        (height, width) of the images.

    Returns
    -------
    tuple of Block
        First to last; every parameter that leads to the row is in one of them.
    """
    network = rows.cut.get_submodule("network")
    own = [name for name, module in network.named_modules() if _has_own(module)]
    order = _execution_order(rows, network, own, input_size)
    keys = {name: _numbered_path(network, name) for name in own}
    members: dict[str, list[str]] = {}
    between = 0
    for name in order:
        key = keys[name] or f"between {between}"
        between = len(members) if keys[name] and key not in members else between
        members.setdefault(key, []).append(name)
    for name in own:  # used without being called, as the output projection of torch's attention
        if name not in order and keys[name] in members:
            members[keys[name]].append(name)
    blocks: list[Block] = []
    for key, names in members.items():
        block = _block(key, names, own)
        if blocks and not _has_matrix(network, names):
            before = blocks.pop()
            block = Block(
                name=before.name,
                modules=(*before.modules, *block.modules),
                wholes=(*before.wholes, *block.wholes),
            )
        blocks.append(block)
    return tuple(blocks)


def _block(key: str, names: list[str], own: list[str]) -> Block:
    if key.startswith("between "):
        return Block(name=names[0], modules=tuple(names), wholes=tuple(names))
    within = {name for name in own if name == key or name.startswith(f"{key}.")}
    wholes = (key,) if within <= set(names) else tuple(names)  # a stage's own downsampling
    return Block(name=key, modules=tuple(names), wholes=wholes)


def _has_matrix(network: nn.Module, names: list[str]) -> bool:
    return any(
        one.ndim > 1 for name in names for one in network.get_submodule(name).parameters(False)
    )


def _has_own(module: nn.Module) -> bool:
    own: Iterator[torch.Tensor] = iter([*module.parameters(False), *module.buffers(False)])
    return next(own, None) is not None


def _holds(module: nn.Module) -> bool:
    """Whether there are weights deeper inside."""
    return any(_has_own(one) for one in module.modules() if one is not module)


def _execution_order(
    rows: RowNetwork, network: nn.Module, own: list[str], input_size: tuple[int, int]
) -> list[str]:
    started: dict[str, None] = {}
    finished: set[str] = set()
    handles = []
    for name, module in network.named_modules():
        handles += [
            module.register_forward_pre_hook(lambda *_, name=name: started.setdefault(name)),
            module.register_forward_hook(lambda *_, name=name: finished.add(name)),
        ]
    noise = torch.randint(0, 256, (1, *input_size, 3), generator=torch.Generator().manual_seed(0))
    place = next((tensor.device for tensor in network.parameters()), None)
    try:
        with torch.no_grad():
            rows(noise.to(place, torch.uint8))
    finally:
        for handle in handles:
            handle.remove()
    # The row is what goes into the classifier, which begins and never ends; so does what holds it.
    led = {parent for name in finished for parent in _with_parents(name)}
    known = set(own)
    return [name for name in started if name in known and name in led]


def _with_parents(name: str) -> Iterator[str]:
    yield ""
    parts = name.split(".")
    yield from (".".join(parts[:k]) for k in range(1, len(parts) + 1))


def _numbered_path(network: nn.Module, name: str) -> str:
    """The path of the block that a module is in; "" where none of its parents is numbered."""
    parts = name.split(".")
    for k, part in enumerate(parts):
        here = network.get_submodule(".".join(parts[: k + 1]))
        # layer4, which holds blocks, but not bn2, with an activation inside.
        if not (_NUMBERED.fullmatch(part) or (_ENDS_IN_NUMBER.search(part) and _holds(here))):
            continue
        end = k + 1
        follows = parts[end : end + 2]
        if follows and type(here) in _STAGES and _NUMBERED.fullmatch(follows[0]):
            # A stage of blocks, and not a block that is a sequence of layers.
            end += _holds(here.get_submodule(follows[0]))
        elif len(follows) == 2 and follows[0] in _LISTS and _NUMBERED.fullmatch(follows[1]):
            end += 2
        return ".".join(parts[:end])
    return ""
