"""From decoded images to what a network takes, as the first operations of an OpenVINO graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.recipe import Preprocessing

__all__ = ["image_input", "normalized", "scale_and_shift"]


def image_input(preprocessing: Preprocessing, batch: int | None = None) -> tuple[Any, Any]:
    """Write ``(pixel / 255 - mean) / std`` as one multiplication and one addition.

    Parameters
    ----------
    preprocessing : Preprocessing
        Has the mean and the standard deviation of each channel, and their order.
    batch : int or None
        N; None for any.

    Returns
    -------
    images : openvino parameter
        uint8 (N, height, width, 3), RGB.
    pixels : openvino.Output
        float32 (N, 3, height, width).
    """
    import openvino
    from openvino import opset13 as op

    shape = openvino.PartialShape([batch or -1, *preprocessing.input_size, 3])
    images = op.parameter(shape, openvino.Type.u8, "images")
    is_bgr = preprocessing.channels == "BGR"
    # Whole lines, before the colours are taken apart: vectors are as long as the processor has,
    # and the convolution takes what is left as it lies.
    height, width = preprocessing.input_size
    scale, shift = (
        op.constant(np.tile(each.ravel()[::-1] if is_bgr else each.ravel(), width))
        for each in scale_and_shift(preprocessing)
    )
    lines = op.convert(op.reshape(images, np.array([-1, height, 3 * width]), False), "f32")
    lines = op.reshape(
        op.add(op.multiply(lines, scale), shift), np.array([-1, height, width, 3]), False
    )
    pixels = op.transpose(lines, np.array([0, 3, 1, 2]))
    if is_bgr:
        pixels = op.gather(pixels, np.array([2, 1, 0]), np.array(1))
    return images, pixels.output(0)


def normalized(images: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.float32]:
    """The same of an array.

    Parameters
    ----------
    images : uint8 array, shape (N, height, width, 3)
        RGB.
    preprocessing : Preprocessing
        As for `image_input`.

    Returns
    -------
    float32 array, shape (N, 3, height, width)
    """
    pixels = images.transpose(0, 3, 1, 2).astype(np.float32)
    if preprocessing.channels == "BGR":
        pixels = pixels[:, ::-1]
    scale, shift = scale_and_shift(preprocessing)
    return np.ascontiguousarray(pixels * scale + shift)


def scale_and_shift(
    preprocessing: Preprocessing,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What pixels are multiplied by, and what is added then.

    Parameters
    ----------
    preprocessing : Preprocessing
        As for `image_input`.

    Returns
    -------
    scale, shift : float32 array, shape (1, C, 1, 1)
        Worked out in float64.
    """
    mean, std = (np.array(x).reshape(1, -1, 1, 1) for x in (preprocessing.mean, preprocessing.std))
    return (1 / (255 * std)).astype(np.float32), (-mean / std).astype(np.float32)
