"""What penult relies on in a source of backbones."""

from __future__ import annotations

import pickle
import re
from dataclasses import replace
from itertools import islice

from penult.backbones.backbone import Backbone
from penult.backbones.info import ModelInfo
from penult.backbones.layer import ENDS
from penult.backbones.metadata import BackboneMetadata
from penult.backbones.source import BackboneSource
from penult.backbones.weights.choice import WeightsChoice
from penult.backbones.weights.info import sha256_of
from penult.errors import PenultError
from penult.testing.expect import expect, expecting

__all__ = ["check_source"]

MOST_LISTED = 100


def check_source(source: BackboneSource, name: str, choice: WeightsChoice | None = None) -> None:
    """Check that a source of backbones keeps what `BackboneSource` promises.

    One of its backbones is opened twice; where it can be had as a torch module, it is run.

    Parameters
    ----------
    source : BackboneSource
        The source; it need not be registered.
    name : str
        A small backbone of it, without the prefix.
    choice : WeightsChoice, optional
        With which weights it is opened: ``WeightsChoice("random")``, say.

    Raises
    ------
    AssertionError
        If it does not; says what was expected.
    """
    with expecting("a source has to keep what BackboneSource promises, and raised"):
        _check_source(source, name, choice or WeightsChoice())


def _check_source(source: BackboneSource, name: str, choice: WeightsChoice) -> None:
    expect(
        isinstance(getattr(source, "prefix", None), str),
        f"{type(source).__name__} has to have a prefix",
    )
    expect(
        source.prefix.isidentifier() and source.prefix.islower(),
        f"a prefix has to be lower-case letters, and not {source.prefix!r}",
    )
    without = "a source has to be made without arguments"
    with expecting(without):
        expect(type(source)().prefix == source.prefix, without)
    _check_names(source)
    with expecting(f"open() has to open {name!r}"):
        backbone, again = source.open(name, choice), source.open(name, choice)
    expect(isinstance(backbone, Backbone), f"open() has to give a Backbone, and not {backbone!r}")
    expect(
        backbone.metadata == again.metadata,
        f"a name has to mean the same each time; first {backbone.metadata}, then {again.metadata}",
    )
    _check_metadata(source, backbone.metadata)
    _check_choice(source, name, choice, backbone.metadata)
    _check_layers(backbone)
    if "torch" in backbone.metadata.forms:
        _check_torch(backbone, again)


def _check_names(source: BackboneSource) -> None:
    with expecting("names() has to list names"):
        names = list(islice(source.names(), MOST_LISTED))
    for name in names:
        expect(isinstance(name, str), f"names() has to list str, and lists {name!r}")
    expect(len(set(names)) == len(names), "names() has to list each name once")
    for name in names:
        expect(
            not name.startswith(f"{source.prefix}:"),
            f"names() are without the prefix, and {name!r} has it",
        )
        expect(source.knows(name), f"names() lists {name!r}, but knows() denies it")
    nonsense = "no such backbone"
    expect(not source.knows(nonsense), f"knows() claims to know {nonsense!r}")
    try:
        source.open(nonsense, WeightsChoice(offline=True))
    except PenultError as error:
        expect("\n" not in str(error), "a message has to be one line")
    except Exception as error:
        raise AssertionError(
            f"open() has to raise UnknownNameError or another PenultError for a name that there is "
            f"not, and raised {error!r}"
        ) from error
    else:
        raise AssertionError(f"open() opened {nonsense!r}")
    with expecting("models() has to list ModelInfo"):
        models = list(islice(source.models(), MOST_LISTED))
    for model in models:
        expect(isinstance(model, ModelInfo), f"models() has to give ModelInfo, and not {model!r}")
    expect(
        len({model.name for model in models}) == len(models), "models() has to list each name once"
    )
    for model in models:
        expect(
            model.name.startswith(f"{source.prefix}:"),
            f"models() names are with the prefix, and {model.name!r} is without",
        )


def _check_metadata(source: BackboneSource, metadata: BackboneMetadata) -> None:
    expect(
        metadata.name.startswith(f"{source.prefix}:"),
        f"the metadata's name is what to give as a model, and {metadata.name!r} has no prefix "
        f"{source.prefix}:",
    )
    expect(metadata.forms, f"{metadata.name} has no form that an engine could run")
    expect(
        BackboneMetadata.from_json(metadata.to_json()) == metadata
        and pickle.loads(pickle.dumps(metadata)) == metadata,
        "metadata have to come back from JSON and from pickle as they were",
    )
    weights, channels = metadata.weights, metadata.preprocessing
    expect(
        re.fullmatch(r"[0-9a-f]{64}", weights.sha256),
        f"the weights' digest has to be 64 hex digits, and is {weights.sha256!r}",
    )
    if weights.path is not None:
        expect(weights.path.is_file(), f"the weights file {weights.path} is not there")
        expect(
            sha256_of(weights.path) == weights.sha256,
            f"the weights file {weights.path} has another digest than the metadata say",
        )
    expect(
        len(channels.mean) == len(channels.std) == 3 and all(channels.std),
        "preprocessing has to have a mean and a standard deviation for each of three channels",
    )
    height, width = channels.input_size
    expect(height > 0 and width > 0, f"images of {width} × {height} pixels cannot be")


def _check_choice(
    source: BackboneSource, name: str, choice: WeightsChoice, metadata: BackboneMetadata
) -> None:
    """Open it with other weights: untrained, or where it is untrained, what is on this machine."""
    if choice.weights == "random":
        other = replace(choice, weights=None, offline=True)
    else:
        other = replace(choice, weights="random")
    with expecting("open() has to honour the choice of weights or to refuse it with a PenultError"):
        try:
            weights = source.open(name, other).metadata.weights
        except PenultError:
            return
    expect(
        (weights.name, weights.sha256) != (metadata.weights.name, metadata.weights.sha256),
        f"open() has to honour the choice of weights or to refuse it with a PenultError, and with "
        f"weights={other.weights!r} gave the same as with weights={choice.weights!r}",
    )


def _check_layers(backbone: Backbone) -> None:
    layers = {layer.name: layer for layer in backbone.layers}
    expect(len(layers) == len(backbone.layers), "a layer's name has to be its own")
    expect("penultimate" in layers, "there has to be a layer penultimate")
    for name in ENDS:
        expect(
            name not in layers or layers[name].layout == "vector",
            f"{name} has to give a vector an image",
        )
    for layer in backbone.layers:
        expect(
            layer.shape and all(size > 0 for size in layer.shape),
            f"the layer {layer.name} has the shape {layer.shape}",
        )


def _check_torch(backbone: Backbone, again: Backbone) -> None:
    import torch

    generator = torch.Generator().manual_seed(0)
    images = torch.randn((3, 3, *backbone.preprocessing.input_size), generator=generator)
    chosen = [layer for layer in backbone.layers if layer.layout != "other"]
    names = [layer.name for layer in chosen]
    with expecting("the network has to be built, and cut at its layers"):
        module, reopened = backbone.cut(names), again.cut(names)
    expect(
        not any(part.training for part in module.modules() if part is not module),
        "the network has to be in eval mode",
    )
    expect(
        not any(parameter.requires_grad for parameter in module.parameters()),
        "the network's parameters must not ask for gradients",
    )
    with torch.inference_mode():
        together = [activation.clone() for activation in module(images)]
        second = [activation.clone() for activation in module(images)]
        alone = [activation.clone() for activation in module(images[1:2])]
        anew = [activation.clone() for activation in reopened(images[1:2])]
    for layer, a, b, c, d in zip(chosen, together, second, alone, anew, strict=True):
        expect(
            tuple(a.shape) == (3, *layer.shape),
            f"{layer.name} says shape {layer.shape}, and gives {tuple(a.shape[1:])}",
        )
        expect(torch.isfinite(a).all(), f"{layer.name} gives numbers that are not finite")
        expect(torch.equal(a, b), f"{layer.name} gives other numbers the second time")
        expect(
            torch.allclose(a[1:2], c, rtol=1e-3, atol=1e-4),
            f"{layer.name} gives an image other numbers in a batch than alone",
        )
        expect(
            torch.allclose(c, d, rtol=1e-3, atol=1e-4),
            f"{layer.name} gives other numbers when the backbone is opened again",
        )
