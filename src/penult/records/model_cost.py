"""What a network costs on this machine."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from penult.representation import short_repr

__all__ = ["ModelCost"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class ModelCost:
    """What the rows of a network cost, up to the layer, all networks of joined rows together.

    Measured by `penult.comparison.cost`, in a process of its own, after a warm-up.

    Attributes
    ----------
    parameters : int or None
        Learned parameters of the network, as it is published, whatever the layer; None where they
        cannot be counted.
    flops : int or None
        Floating point operations for one image up to the layer: two for each multiplication and
        addition of convolutions and matrix products, as torch's ``FlopCounterMode`` counts; of
        several views, of all. None where they cannot be counted.
    images_per_second : float or None
        End to end, from the files to rows, in bulk.
    images_per_second_low, images_per_second_high : float or None
        Quartiles of that over short turns of the same measurement; None where there were too few.
    network_images_per_second : float or None
        Of the networks alone, in bulk.
    one_image_seconds : float or None
        Of the networks alone, from one decoded image to its row: the median of several.
    peak_memory : int or None
        Bytes of memory that the process took at most; on a GPU, of the GPU's memory.
    input_size : tuple of (int, int)
        (height, width) in pixels of what each network sees.
    licence : tuple of str
        Of the weights of each network, where it is known.
    engine, device, processor : str
        What ran it, on what, and its name.
    threads : int
        Cores that the process was allowed to use.
    processor_rate : float or None
        Megabytes a second that so many threads hashed (BLAKE2b) around the measurement: what other
        processes left of the processor.
    """

    parameters: int | None = None
    flops: int | None = None
    images_per_second: float | None = None
    images_per_second_low: float | None = None
    images_per_second_high: float | None = None
    network_images_per_second: float | None = None
    one_image_seconds: float | None = None
    peak_memory: int | None = None
    input_size: tuple[tuple[int, int], ...] = ()
    licence: tuple[str, ...] = ()
    engine: str = ""
    device: str = ""
    processor: str = ""
    threads: int = 0
    processor_rate: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            Its attributes, by their names.
        """
        return asdict(self)
