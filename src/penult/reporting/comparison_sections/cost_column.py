"""What the models cost, as columns of tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from penult.records import ComparedModel
from penult.records.comparison_words import in_units, per_second
from penult.reporting.formatting import brief_time
from penult.wording import count

__all__ = ["COSTS", "CostColumn", "cost_columns"]


@dataclass(frozen=True)
class CostColumn:
    """A measured cost: how to read it of a model, and how to write it.

    Attributes
    ----------
    name : str
        Of the attribute of `ModelCost`, or of `ComparedModel`.
    title : str
        Above its column.
    meaning : str
        What it is, in a line.
    read : callable
        From a model to the number; None where it was not measured.
    write : callable
        From the number to text, with its unit.
    more_is_better : bool
        As of a speed.
    """

    name: str
    title: str
    meaning: str
    read: Callable[[ComparedModel], float | None]
    write: Callable[[Any], str]
    more_is_better: bool = False

    def text(self, row: ComparedModel) -> tuple[str, float | None]:
        """The cost of a model as it is written, a dash where there is none, and the number."""
        value = self.read(row)
        return ("–" if value is None else self.write(value), value)


_EVERY = (
    CostColumn(
        "images_per_second",
        "images/s",
        "images in a second end to end, from the files to their features, many at once",
        lambda row: row.cost.images_per_second,
        per_second,
        more_is_better=True,
    ),
    CostColumn(
        "network_images_per_second",
        "images/s, network alone",
        "the same of the network alone, whose images are decoded already",
        lambda row: row.cost.network_images_per_second,
        per_second,
        more_is_better=True,
    ),
    CostColumn(
        "one_image_seconds",
        "one image",
        "time of the network alone, from one decoded image to its features: the median of several",
        lambda row: row.cost.one_image_seconds,
        brief_time,
    ),
    CostColumn(
        "parameters",
        "parameters",
        "learned numbers of the whole network, in millions (M)",
        lambda row: row.cost.parameters,
        in_units,
    ),
    CostColumn(
        "flops",
        "FLOPs",
        "floating point operations for one image, in billions (GFLOP); a multiplication and an "
        "addition are two",
        lambda row: row.cost.flops,
        lambda number: in_units(number, "FLOP"),
    ),
    CostColumn(
        "peak_memory",
        "peak memory",
        "the most memory that the process took; on a GPU, of the GPU’s memory",
        lambda row: row.cost.peak_memory,
        lambda size: in_units(size, "B"),
    ),
    CostColumn(
        "features",
        "features",
        "numbers that stand for an image: the length of its feature vector",
        lambda row: row.features,
        count,
    ),
    CostColumn(
        "bytes",
        "feature file",
        "size of the file of all images’ features",
        lambda row: row.bytes or None,
        lambda size: in_units(size, "B"),
    ),
)
COSTS = {column.name: column for column in _EVERY}


def cost_columns(rows: Iterable[ComparedModel], names: Iterable[str]) -> list[CostColumn]:
    """Those that are known of some model."""
    every = list(rows)
    columns = [COSTS[name] for name in names]
    return [one for one in columns if any(one.read(row) is not None for row in every)]
