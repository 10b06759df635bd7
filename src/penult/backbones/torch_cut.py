"""Listing the layers of a torch module, and cutting it at some of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from penult.backbones.axes import Axes, noise, unmoved
from penult.backbones.forked import torch_in_one_thread
from penult.backbones.layer import Layer
from penult.errors import BackboneError, PenultError
from penult.messages import first_line

__all__ = ["TorchCut", "list_layers"]


class _AllCaptured(Exception):  # noqa: N818 - not an error: the way out of a forward pass
    """All layers asked for have been captured."""


class TorchCut(nn.Module):
    """A network that stops as soon as the layers asked for have been computed.

    Parameters
    ----------
    network : any module; put into eval mode
    calls : the layers to capture, in the order of the outputs, each with the number of times
        that its module runs in one forward pass (the last output is kept)
    head : module path of the classifier, whose *input* is ``penultimate``; None where the
        network's own output is
    """

    def __init__(self, network: nn.Module, calls: Mapping[str, int], head: str | None) -> None:
        super().__init__()
        self.network = network.eval()
        self._calls = dict(calls)
        self._head = head

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Run float (N, 3, H, W) up to the last layer asked for."""
        captured: dict[str, torch.Tensor] = {}
        remaining = dict(self._calls)

        def capture(name: str, value: Any) -> None:
            tensor = _tensor_in(value)
            if tensor is None:
                raise BackboneError(f"layer {name!r} gives no tensor that could become a row")
            if name == "penultimate" and tensor.ndim != 2:
                raise BackboneError(
                    f"the network gives no row an image, but {tuple(tensor.shape[1:])}; name a "
                    f"layer, or choose another model"
                )
            remaining[name] -= 1
            if not any(remaining.values()):
                captured[name] = tensor
                raise _AllCaptured
            # What follows may work in place (ReLU(inplace=True)) on what was captured.
            captured[name] = tensor.clone()

        # Hooks live for one forward pass, so that two cuts of one network never meet.
        handles = []
        output_is = "penultimate" if self._head is None else "logits"
        for name in remaining:
            if name == "penultimate" and self._head is not None:
                head = self.network.get_submodule(self._head)
                handles.append(
                    head.register_forward_pre_hook(
                        lambda _m, args: capture("penultimate", _vector(args[0]))
                    )
                )
            elif name != output_is:
                handles.append(
                    self.network.get_submodule(name).register_forward_hook(
                        lambda _m, _args, out, name=name: capture(name, out)
                    )
                )
        try:
            with _in_one_line(images):
                output = self.network(images)
            if output_is in remaining:
                capture(output_is, output)
        except _AllCaptured:
            pass
        finally:
            for handle in handles:
                handle.remove()
        return tuple(captured[name] for name in self._calls)


def list_layers(
    network: nn.Module, input_size: tuple[int, int], *, head: str | None
) -> tuple[Layer, ...]:
    """Run the network once on two images and note every module that gives a row for each.

    In the order in which they finish their last call, containers therefore after their parts;
    ``penultimate`` and ``logits`` come last.

    Raises
    ------
    BackboneError
        If the network does not take such images.
    """
    torch_in_one_thread()
    axes = Axes(input_size, (name for name, _ in network.named_parameters()))
    seen: dict[str, tuple[str, tuple[int, ...], int]] = {}

    def note(name: str, kind: str, value: Any) -> None:
        tensor = _tensor_in(value)
        if tensor is None or not tensor.is_floating_point():
            return
        if tensor.ndim == 4:
            axes.see_map(tensor.shape[1:])
        # Attention within windows works on more "images" than there are, a table of positions on
        # one: neither is a row an image, which two images show.
        if tensor.ndim not in (2, 3, 4) or tensor.shape[0] != 2:
            return
        if tensor.ndim == 3:
            axes.see_tokens(tensor.shape[2], unmoved(tensor.float().cpu().numpy()))
        calls = seen.pop(name)[2] + 1 if name in seen else 1
        seen[name] = kind, tuple(tensor.shape[1:]), calls

    handles = [
        module.register_forward_hook(
            lambda module, _args, out, name=name: note(name, type(module).__name__, out)
        )
        for name, module in network.named_modules()
        if name
    ]
    ends: dict[str, Layer] = {}
    if head is not None:

        def note_head(module: nn.Module, args: Any) -> None:
            shape = tuple(_vector(args[0]).shape[1:])
            ends["penultimate"] = Layer("penultimate", "input of " + head, shape, "vector")

        handles.append(network.get_submodule(head).register_forward_pre_hook(note_head))
    training = network.training
    # An engine may have taken the network to a GPU.
    place = next((tensor.device for tensor in network.parameters()), None)
    images = torch.from_numpy(noise(*input_size)).to(place)
    try:
        with torch.inference_mode(), _in_one_line(images):
            output = _tensor_in(network.eval()(images))
    finally:
        network.train(training)
        for handle in handles:
            handle.remove()
    if output is not None:
        name = "logits" if head is not None else "penultimate"
        ends[name] = axes.layer(name, "output of the network", tuple(output.shape[1:]))
    # A module that goes by the name of an end gives way to it.
    layers = [axes.layer(name, *what) for name, what in seen.items() if name not in ends]
    return (*layers, *ends.values())


@contextmanager
def _in_one_line(images: torch.Tensor) -> Iterator[None]:
    """Say in one line that a network does not take what it was given."""
    try:
        yield
    except (PenultError, _AllCaptured, torch.OutOfMemoryError):
        raise
    except Exception as error:
        _, channels, height, width = images.shape
        cause = first_line(error)
        raise BackboneError(
            f"the network cannot be run on images of {channels} channels, {height} × {width}: "
            f"{cause}"
        ) from error


def _tensor_in(value: Any) -> torch.Tensor | None:
    """The tensor that a module's output is, or holds first (blocks that also return weights)."""
    if isinstance(value, torch.Tensor):
        return value
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple | list) and value:
        return _tensor_in(value[0])
    return None


def _vector(value: Any) -> Any:
    """What goes into a classifier, as a row: where it is a convolution (SqueezeNet, ResNetV2), the
    average over the map."""
    return value.mean((2, 3)) if isinstance(value, torch.Tensor) and value.ndim == 4 else value
