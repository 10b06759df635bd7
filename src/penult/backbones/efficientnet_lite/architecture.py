"""The modules of EfficientNet-Lite, as timm names them, in the order in which they finish.

Mingxing Tan and Quoc V. Le: "EfficientNet: Rethinking Model Scaling for Convolutional Neural
Networks", ICML 2019; the Lite variants have no squeeze-and-excitation, ReLU6 for swish, and a stem
and a head of one size (github.com/tensorflow/tpu, models/official/efficientnet/lite).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from penult.backbones.layer import Layer

__all__ = [
    "CLASSES",
    "FEATURES",
    "NORMALIZATION",
    "NORMALIZATION_EPSILON",
    "SCALES",
    "Step",
    "layers",
    "steps",
    "steps_to",
]

FEATURES, CLASSES, _STEM = 1280, 1000, 32

NORMALIZATION = ("weight", "bias", "running_mean", "running_var")
"""The arrays of a batch normalization, in the order in which runtimes take them."""

NORMALIZATION_EPSILON = 1e-3
"""TensorFlow's default."""

SCALES = {"efficientnet_lite0": (1.0, 1.0), "efficientnet_lite1": (1.0, 1.1),
          "efficientnet_lite2": (1.1, 1.2)}  # fmt: skip
"""Name to how many times the width (channels) and the depth (blocks of a stage) of Lite0 it has."""

# Of each stage: blocks, side of the depthwise kernel, stride of the first block, how many times its
# input's channels a block is wide inside, and its channels.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)

Operation = Literal["convolution", "normalization", "relu6", "same", "add", "average", "flatten",
                    "linear"]  # fmt: skip


@dataclass(frozen=True)
class Step:
    """A module that finishes.

    Attributes
    ----------
    name : str
        Its path.
    type : str
        Its class in timm.
    operation : str
        What its output is beyond that of the step before; ``"add"`` adds the output of `shortcut`.
    channels : int
        Of its output.
    kernel, stride : int
        Of a convolution.
    depthwise : bool
        Whether each channel of a convolution has a kernel of its own.
    shortcut : str
        Name of an earlier step.
    """

    name: str
    type: str
    operation: Operation
    channels: int
    kernel: int = 1
    stride: int = 1
    depthwise: bool = False
    shortcut: str = ""


def steps(name: str, classes: int = CLASSES) -> Iterator[Step]:
    """Every module of a network, in the order in which timm's run.

    Parameters
    ----------
    name : str
        One of `SCALES`.
    classes : int, default=1000
        How many logits there are.

    Yields
    ------
    Step
    """
    width, depth = SCALES[name]
    yield _convolution("conv_stem", _STEM, kernel=3, stride=2)
    yield from _normalization("bn1", _STEM, "ReLU6")
    before, last = _STEM, "bn1"
    for stage, (blocks, kernel, stride, expansion, channels) in enumerate(_STAGES):
        channels = _rounded(channels * width)
        if stage not in (0, len(_STAGES) - 1):
            blocks = math.ceil(blocks * depth)
        for block in range(blocks):
            path = f"blocks.{stage}.{block}"
            once = stride if block == 0 else 1
            shortcut = last if once == 1 and before == channels else ""
            yield from _block(path, before, channels, expansion, kernel, once, shortcut)
            before, last = channels, path
        yield Step(f"blocks.{stage}", "Sequential", "same", channels)
    yield Step("blocks", "Sequential", "same", before)
    yield _convolution("conv_head", FEATURES)
    yield from _normalization("bn2", FEATURES, "ReLU6")
    yield Step("global_pool.pool", "AdaptiveAvgPool2d", "average", FEATURES)
    yield Step("global_pool.flatten", "Flatten", "flatten", FEATURES)
    yield Step("global_pool", "SelectAdaptivePool2d", "same", FEATURES)
    yield Step("classifier", "Linear", "linear", classes)


def steps_to(name: str, layers: Iterable[str]) -> Iterator[Step]:
    """As `steps`, as far as some layers need them.

    Parameters
    ----------
    name : str
        One of `SCALES`.
    layers : iterable of str
        Names of steps, or ``"penultimate"`` or ``"logits"``.

    Yields
    ------
    Step
    """
    wanted = set(layers)
    for step in steps(name):
        if step.operation == "linear":
            wanted.discard("penultimate")
        if not wanted:
            return
        yield step
        wanted.discard(step.name)


def _block(
    path: str,
    before: int,
    channels: int,
    expansion: int,
    kernel: int,
    stride: int,
    shortcut: str,
) -> Iterator[Step]:
    inside = _rounded(before * expansion)
    numbers = iter((1, 2, 3))
    if expansion > 1:
        yield _convolution(f"{path}.conv_pw", inside)
        yield from _normalization(f"{path}.bn{next(numbers)}", inside, "ReLU6")
    yield _convolution(f"{path}.conv_dw", inside, kernel=kernel, stride=stride, depthwise=True)
    yield from _normalization(f"{path}.bn{next(numbers)}", inside, "ReLU6")
    yield Step(f"{path}.aa", "Identity", "same", inside)
    yield Step(f"{path}.se", "Identity", "same", inside)
    yield _convolution(f"{path}.conv_pw" + "l" * (expansion > 1), channels)
    yield from _normalization(f"{path}.bn{next(numbers)}", channels, "Identity")
    kind = "InvertedResidual" if expansion > 1 else "DepthwiseSeparableConv"
    if shortcut:
        yield Step(f"{path}.drop_path", "Identity", "same", channels)
        yield Step(path, kind, "add", channels, shortcut=shortcut)
    else:
        yield Step(path, kind, "same", channels)


def _convolution(
    name: str, channels: int, *, kernel: int = 1, stride: int = 1, depthwise: bool = False
) -> Step:
    kind = "Conv2d" if stride == 1 else "Conv2dSame"
    return Step(name, kind, "convolution", channels, kernel, stride, depthwise)


def _normalization(path: str, channels: int, activation: str) -> Iterator[Step]:
    yield Step(f"{path}.drop", "Identity", "normalization", channels)
    yield Step(f"{path}.act", activation, "relu6" if activation == "ReLU6" else "same", channels)
    yield Step(path, "BatchNormAct2d", "same", channels)


def _rounded(channels: float) -> int:
    """To a multiple of 8, and never down by more than a tenth."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def layers(name: str, input_size: tuple[int, int], classes: int = CLASSES) -> tuple[Layer, ...]:
    """Every layer a user may name, in execution order.

    Parameters
    ----------
    name : str
        One of `SCALES`.
    input_size : (int, int)
        (height, width) of the images.
    classes : int, default=1000
        How many logits there are.

    Returns
    -------
    tuple of Layer
        The steps, and the two ends.
    """
    height, width = input_size
    found = []
    vector = False
    for step in steps(name, classes):
        # Padded as TensorFlow does, so that each stride, and nothing else, divides the size.
        height, width = (-(-side // step.stride) for side in (height, width))
        if step.operation == "average":
            height = width = 1
        vector = vector or step.operation == "flatten"
        shape = (step.channels,) if vector else (step.channels, height, width)
        found.append(Layer(step.name, step.type, shape, "vector" if vector else "NCHW"))
    return (
        *found,
        Layer("penultimate", "input of classifier", (FEATURES,), "vector"),
        Layer("logits", "output of the network", (classes,), "vector"),
    )
