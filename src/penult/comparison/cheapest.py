"""Which of several networks costs least."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from penult.wording import percent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from penult.records.compared_model import ComparedModel
    from penult.records.model_cost import ModelCost

__all__ = ["Choice", "cheapest"]

_MARGIN = 1.25  # times as fast, or as few: what differs by less is no reason to take another
_AGREED = 1.1  # times as fast, where all that is known of the cost agrees
_STEADY = 1.1  # times the processor that was left: what differs by less is noise


@dataclass(frozen=True)
class Choice:
    """The network that costs least, and what that means.

    Attributes
    ----------
    row : ComparedModel
        Which it is.
    advantage : str
        What it has compared to the first, as ``"2.0 times as fast"``; where it is the first
        itself, what no other is or has: ``"is clearly faster"``. Empty where it is the first and
        nothing is known of what they cost.
    most : str
        What it is among all of them, as ``"is the fastest"``.
    """

    row: ComparedModel
    advantage: str
    most: str


def cheapest(rows: Sequence[ComparedModel]) -> Choice:
    """Find the one that is worth taking for what it costs; the first, unless another costs less.

    Another costs clearly less if it is at least 1.25 times as fast from end to end. A smaller
    advantage counts from 1.1 times on if the network alone is as much faster and has no more
    FLOPs: speeds on a busy machine swing by that much, but not together with what is counted.
    None counts that may be the machine's doing: the quartiles of both have to lie apart; where less
    of the processor was left when the first was measured, the advantage is divided by that; and one
    with more FLOPs and more parameters has to be as much faster without the photos, too.
    Speeds count only where all are known, and were measured on the same device with as many
    threads. Two of the same network with other weights, as one is that was fine-tuned, are equally
    fast, whatever was measured.
    Otherwise FLOPs decide, then parameters, as far as all have them counted: at least 1.25 times
    fewer. Of those that none is clearly cheaper than, it is the one that ranks first.

    The length of the rows, which is what they take on a disk, is the last and weakest criterion: it
    decides only between networks of which neither is clearly cheaper and none of whose scores is
    lower.

    Parameters
    ----------
    rows : sequence of ComparedModel
        Best first; at least one.

    Returns
    -------
    Choice
    """
    first = rows[0]
    if _measured_alike(rows):
        place = _least(rows, _is_faster)
        speeds = [row.cost.images_per_second or 0.0 for row in rows]
        if place:
            times = _times_as_fast(rows[place].cost, first.cost)
            advantage = f"{times:.1f} times as fast"
            extreme = speeds[place] == max(speeds)
            most = "is the fastest" if extreme else "is fast, and none is clearly faster"
            return Choice(rows[place], advantage, most)
        return _smaller(rows, [_is_faster]) or Choice(
            first, "is clearly faster", "scores best, and none is clearly faster"
        )
    known = {
        name: sizes
        for name, sizes in (
            ("FLOPs", [row.cost.flops for row in rows]),
            ("parameters", [row.cost.parameters for row in rows]),
        )
        if None not in sizes
    }
    earlier: list[Callable[[ComparedModel, ComparedModel], bool]] = []
    for name in known:
        less = _has_fewer(name.lower())
        allowed = [row for row in rows if not any(other(first, row) for other in earlier)]
        place = _least(allowed, less)
        if place:
            size, least = (getattr(row.cost, name.lower()) for row in (first, allowed[place]))
            fewest = least == min(one for one in known[name] if one is not None)
            most = f"has {'the fewest' if fewest else 'few'} {name}"
            return Choice(allowed[place], f"with {percent(least / size, 0)} of its {name}", most)
        earlier.append(less)
    names = " or ".join(known)
    return _smaller(rows, earlier) or Choice(
        first,
        f"has clearly fewer {names}" if names else "",
        f"scores best, and none has clearly fewer {names}" if names else "scores best",
    )


def _least(
    rows: Sequence[ComparedModel], less: Callable[[ComparedModel, ComparedModel], bool]
) -> int:
    """Find the place of the first that costs less than the first of all, and none less than it."""
    cheaper = [k for k, row in enumerate(rows) if less(row, rows[0])]
    return next((k for k in cheaper if not any(less(rows[other], rows[k]) for other in cheaper)), 0)


def _measured_alike(rows: Sequence[ComparedModel]) -> bool:
    costs = [row.cost for row in rows]
    alike = len({(cost.device, cost.processor, cost.threads) for cost in costs}) == 1
    return alike and all(cost.images_per_second for cost in costs)


def _is_faster(a: ComparedModel, b: ComparedModel) -> bool:
    one, other = a.cost, b.cost
    if not one.images_per_second or not other.images_per_second:
        return False
    if _is_same_network(a, b):
        return False
    times = _times_as_fast(one, other)
    if times < _AGREED or not _is_clear(one, other):
        return False
    alone = (one.network_images_per_second or 0.0, other.network_images_per_second or 0.0)
    counted = [
        (getattr(one, name), getattr(other, name))
        for name in ("flops", "parameters")
        if None not in (getattr(one, name), getattr(other, name))
    ]
    if times >= _MARGIN:
        # What computes more is faster only if both timings say so.
        computes_more = len(counted) == 2 and all(size > least for size, least in counted)
        return not computes_more or alone[0] >= _MARGIN * _busier(one, other) * alone[1] > 0
    if not all(alone) or one.flops is None or other.flops is None:
        return False
    return alone[0] >= _AGREED * _busier(one, other) * alone[1] and one.flops <= other.flops


def _times_as_fast(one: ModelCost, other: ModelCost) -> float:
    """How many times as fast one is, of which nothing is due to what else the machine did."""
    return (one.images_per_second or 0.0) / (other.images_per_second or 1.0) / _busier(one, other)


def _busier(one: ModelCost, other: ModelCost) -> float:
    """How many times less of the processor there was for the other, where that is not small."""
    if not one.processor_rate or not other.processor_rate:
        return 1.0
    times = one.processor_rate / other.processor_rate
    return times if times >= _STEADY else 1.0


def _is_clear(one: ModelCost, other: ModelCost) -> bool:
    """Whether the timings lie apart: most turns of the one are faster than most of the other."""
    if one.images_per_second_low is None or other.images_per_second_high is None:
        return True
    return one.images_per_second_low > other.images_per_second_high * _busier(one, other)


def _is_same_network(a: ComparedModel, b: ComparedModel) -> bool:
    """Whether they compute the same, up to the weights: by all that is counted and was chosen."""
    one, other = a.cost, b.cost
    if None in (one.flops, one.parameters):
        return False
    return (a.precision, a.views, a.features) == (b.precision, b.views, b.features) and (
        (one.flops, one.parameters, one.input_size, one.engine)
        == (other.flops, other.parameters, other.input_size, other.engine)
    )


def _has_fewer(field: str) -> Callable[[ComparedModel, ComparedModel], bool]:
    def less(a: ComparedModel, b: ComparedModel) -> bool:
        return bool(_MARGIN * getattr(a.cost, field) <= getattr(b.cost, field))

    return less


def _smaller(
    rows: Sequence[ComparedModel],
    less: Sequence[Callable[[ComparedModel, ComparedModel], bool]],
) -> Choice | None:
    """Find the one with the shortest rows, of those that lose nothing against the first."""
    first = rows[0]
    equal = [
        row
        for row in rows[1:]
        if _MARGIN * row.features <= first.features
        and not any(is_less(first, row) for is_less in less)
        and _scores_as_well(row, first)
    ]
    if not equal:
        return None
    row = min(equal, key=lambda one: one.features)
    advantage = f"with {percent(row.features / first.features, 0)} of its features"
    return Choice(row, advantage, "has the fewest features for the same scores")


def _scores_as_well(one: ComparedModel, other: ComparedModel) -> bool:
    return all(
        name in one.scores
        and (
            one.scores[name].mean <= score.mean
            if name == "calibration_error"
            else one.scores[name].mean >= score.mean
        )
        for name, score in other.scores.items()
    )
