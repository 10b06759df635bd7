"""From decoded images to what a network takes, as the first operations of an OpenVINO graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from penult.recipe import Preprocessing

__all__ = ["image_input"]


def image_input(preprocessing: Preprocessing) -> tuple[Any, Any]:
    """Write ``(pixel / 255 - mean) / std`` as one multiplication and one addition.

    Parameters
    ----------
    preprocessing : Preprocessing
        Has the mean and the standard deviation of each channel, and their order.

    Returns
    -------
    images : openvino parameter
        uint8 (N, height, width, 3), RGB.
    pixels : openvino.Output
        float32 (N, 3, height, width).
    """
    import openvino
    from openvino import opset13 as op

    shape = openvino.PartialShape([-1, *preprocessing.input_size, 3])
    images = op.parameter(shape, openvino.Type.u8, "images")
    pixels = op.transpose(op.convert(images, "f32"), np.array([0, 3, 1, 2]))
    if preprocessing.channels == "BGR":
        pixels = op.gather(pixels, np.array([2, 1, 0]), np.array(1))
    mean, std = (np.array(x).reshape(1, -1, 1, 1) for x in (preprocessing.mean, preprocessing.std))
    scaled = op.multiply(pixels, (1 / (255 * std)).astype(np.float32))
    return images, op.add(scaled, (-mean / std).astype(np.float32)).output(0)
