"""Whether a choice at the edge of its grid is worth a line, and what that says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from penult.classify.kinds.base import Params, accuracy_margin
from penult.classify.kinds.registry import find_kind
from penult.classify.settings import GridResult, TrainingSettings
from penult.interface import at_command_line, option

__all__ = ["edge_lines", "find_edges", "rising_edges"]

_CLEAR_FALL = 0.1
"""Nats of log-loss; the probability of the true class then still grows by a tenth."""


def find_edges(
    candidates: Mapping[str, Sequence[Params]], classifier: str, chosen: Params
) -> dict[str, str]:
    """Say whether the chosen penalty is the "largest" or "smallest" tried.

    Of penalties only: nothing is beyond one neighbour, or all features.
    """
    penalty = find_kind(classifier).penalty
    if penalty is None:
        return {}
    values = {params[penalty] for params in candidates[classifier]}
    for edge, value in (("smallest", min(values)), ("largest", max(values))):
        if len(values) > 1 and chosen[penalty] == value:
            return {penalty: edge}
    return {}


def rising_edges(settings: TrainingSettings) -> dict[str, str]:
    """Return those of ``settings.edges`` beyond which there may be more to gain.

    A grid that ends before the default one does is likely to end too early. One that goes as far
    does not, unless the chosen value is better than the one before it: more accurate by more than
    chance (`accuracy_margin`), or with a log-loss that is less by a tenth of a nat.
    """
    return {
        name: edge
        for name, edge in settings.edges.items()
        if _further(settings, name, edge) or _still_rises(settings, name)
    }


def edge_lines(settings: TrainingSettings) -> list[str]:
    """Return where a wider grid may gain something, and what to type."""
    lines = []
    for name, edge in rising_edges(settings).items():
        value = settings.params[name]
        further = _further(settings, name, edge)
        if edge == "largest":
            beyond = [value, *(further or [value * 10])]
        else:
            beyond = [*(further or [value / 10]), value]
        if at_command_line():
            wider = option("grid", f"{name}={','.join(f'{number:.15g}' for number in beyond)}")
        else:
            wider = option("grid", {name: [_plain(number) for number in beyond]})
        lines.append(f"{name} is the {edge} of those tried; {wider} goes further")
    return lines


def _plain(number: float) -> float:
    return int(number) if float(number).is_integer() else number


def _further(settings: TrainingSettings, name: str, edge: str) -> list[float]:
    """The values of the default grid that are beyond the edge."""
    value = settings.params[name]
    default = find_kind(settings.classifier).grid.get(name, ())
    return [one for one in default if (one > value if edge == "largest" else one < value)]


def _still_rises(settings: TrainingSettings, name: str) -> bool:
    chosen, before = settings.chosen, _before(settings, name)
    if before is None:
        return True
    if None not in (chosen.log_loss, before.log_loss) and (
        before.log_loss - chosen.log_loss > _CLEAR_FALL  # type: ignore[operator]
    ):
        return True
    margin = accuracy_margin(min(chosen.mean, 1.0), max(1, settings.train_images))
    return chosen.mean - before.mean > margin


def _before(settings: TrainingSettings, name: str) -> GridResult | None:
    """The result with the nearest other value of a parameter, and all others the same."""
    chosen = settings.chosen
    others = [
        one
        for one in settings.grid
        if one.classifier == chosen.classifier
        and one.params[name] != chosen.params[name]
        and {**one.params, name: None} == {**chosen.params, name: None}
    ]
    return min(
        others,
        key=lambda one: abs(math.log(one.params[name] / chosen.params[name])),
        default=None,
    )
