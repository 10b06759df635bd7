"""Which of several networks costs least."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penult.wording import percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penult.records.compared_model import ComparedModel

__all__ = ["cheapest"]

_FASTER = 1.1  # times as fast: speeds that differ by less are noise of the measurement


def cheapest(rows: Sequence[ComparedModel]) -> tuple[ComparedModel, str]:
    """Find the fastest from end to end, and by how much it is faster than the first.

    Of those that are less than 10% slower than the fastest, it is the one that ranks first. Speeds
    count only where all are known, and were measured on the same device with as many threads.
    Otherwise it is the one with the fewest FLOPs, of as many with the fewest parameters, as far as
    all have them counted, then with the fewest features, then the one that ranks first.

    Parameters
    ----------
    rows : sequence of ComparedModel
        Best first; at least one.

    Returns
    -------
    row : ComparedModel
        The one that costs least.
    advantage : str
        What it is compared to the first, as ``"2.0 times as fast"``; where it is the first itself,
        what no other is: ``"cheaper"``.
    """
    best = rows[0]
    if speeds := _speeds(rows):
        fastest = max(speeds)
        if fastest < _FASTER * speeds[0]:
            return best, "faster by 10% or more"
        # near the fastest, and faster than the first by more than noise
        least = max(fastest / _FASTER, _FASTER * speeds[0])
        place = next(k for k, speed in enumerate(speeds) if speed >= least)
        return rows[place], f"{speeds[place] / speeds[0]:.1f} times as fast"
    measures = _sizes(rows)
    place = min(range(len(rows)), key=lambda k: [sizes[k] for sizes in measures.values()])
    if not place:
        return best, "cheaper"
    name, sizes = next((n, sizes) for n, sizes in measures.items() if sizes[place] != sizes[0])
    return rows[place], f"with {percent(sizes[place] / sizes[0], 0)} of its {name}"


def _speeds(rows: Sequence[ComparedModel]) -> list[float]:
    """Images a second of each; none where they were not all measured alike."""
    costs = [row.cost for row in rows]
    alike = len({(cost.device, cost.processor, cost.threads) for cost in costs}) == 1
    speeds = [cost.images_per_second for cost in costs if cost.images_per_second]
    return speeds if alike and len(speeds) == len(rows) else []


def _sizes(rows: Sequence[ComparedModel]) -> dict[str, list[int]]:
    """What each has of that which makes it costly, the most telling first."""
    sizes: dict[str, list[int | None]] = {
        "FLOPs": [row.cost.flops for row in rows],
        "parameters": [row.cost.parameters for row in rows],
        "features": [*(row.features for row in rows)],
    }
    return {
        name: [size for size in each if size is not None]
        for name, each in sizes.items()
        if None not in each
    }
