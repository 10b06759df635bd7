"""What an opened extractor costs, measured in the process that asks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from penult.comparison.cost.flops import flops_of
from penult.comparison.cost.parameters import count_parameters
from penult.comparison.cost.peak_memory import peak_memory
from penult.comparison.cost.published import published_licence
from penult.comparison.cost.speed import (
    end_to_end_rate,
    network_rate,
    one_image_seconds,
    processor_rate,
)
from penult.engines.measure import processor_name
from penult.machine import cores
from penult.records.model_cost import ModelCost

if TYPE_CHECKING:
    from penult.backbones.backbone import Backbone
    from penult.extractor import Extractor
    from penult.records import ImageRecord

__all__ = ["count", "licences_of", "measure"]


def measure(
    extractor: Extractor,
    images: Sequence[ImageRecord],
    *,
    readers: int | None = None,
    alone: bool = True,
) -> ModelCost:
    """Measure speed and memory, then count.

    Parameters
    ----------
    extractor : Extractor
        Opened.
    images : sequence of ImageRecord
        A sample; without one, nothing is known end to end.
    readers : int, optional
        As for `Extractor.blocks`.
    alone : bool
        Whether this process does nothing else, so that its memory is the extractor's.

    Returns
    -------
    ModelCost
        Of all networks together.

    Raises
    ------
    PenultError
        Where a network cannot be run.
    """
    networks = extractor.engine
    in_bulk = network_rate(networks)
    one = one_image_seconds(networks)
    before = processor_rate()
    from_files = end_to_end_rate(extractor, images, in_bulk, readers=readers)
    around = (before + processor_rate()) / 2
    device = networks.engines[0].device
    most = peak_memory(device) if alone else None  # before what counts is imported
    return replace(
        count(extractor),
        images_per_second=None if from_files is None else from_files.mean,
        images_per_second_low=None if from_files is None else from_files.low,
        images_per_second_high=None if from_files is None else from_files.high,
        network_images_per_second=in_bulk,
        one_image_seconds=one,
        peak_memory=most,
        engine=" + ".join(_distinct(engine.name for engine in networks.engines)),
        device=" + ".join(_distinct(engine.device for engine in networks.engines)),
        processor=_name_of(device),
        threads=cores(),
        processor_rate=around,
    )


def count(extractor: Extractor) -> ModelCost:
    """Count what depends on the networks alone, whatever runs them; nothing is measured.

    Parameters
    ----------
    extractor : Extractor
        Opened.

    Returns
    -------
    ModelCost
        ``parameters``, ``flops``, ``input_size`` and ``licence`` of all networks together.
    """
    return ModelCost(
        parameters=count_parameters(extractor.backbones),
        flops=flops_of(extractor),
        input_size=tuple(x.preprocessing.input_size for x in extractor.backbones),
        licence=licences_of(extractor.backbones),
    )


def licences_of(backbones: Iterable[Backbone]) -> tuple[str, ...]:
    """List the licences of the weights of some networks, each once, as far as they are known."""
    return tuple(_distinct(map(published_licence, backbones)))


def _distinct(names: Iterable[str | None]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name]


def _name_of(device: str) -> str:
    if device.partition(":")[0] == "cuda":
        from penult.engines.torch_device import name_of_gpu

        return name_of_gpu(device)
    return processor_name()
