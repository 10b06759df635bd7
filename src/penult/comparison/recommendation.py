"""Which of the compared networks to take, and why, in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, isfinite, log2, nan
from typing import TYPE_CHECKING

from penult.comparison.cheapest import cheapest
from penult.comparison.differences import LEVEL
from penult.records.model_difference import find_best
from penult.wording import count, percent, points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penult.records.compared_model import ComparedModel
    from penult.records.model_difference import ModelDifference

__all__ = ["recommend"]

_LARGE = 0.03  # a loss that is named
_COARSE = 0.1  # images that show no smaller difference, whatever they show, are few


def recommend(
    rows: Sequence[ComparedModel], differences: Sequence[ModelDifference], *, score: str
) -> tuple[str | None, str]:
    """Choose the cheapest of those that cannot be told from the best, as `cheapest` finds it.

    None is recommended where the images are few and no two networks can be told apart: that says
    nothing about the networks. Images are few where a difference of ten points would not be
    separable even if no image spoke against it.

    Parameters
    ----------
    rows : sequence of ComparedModel
        Best first.
    differences : sequence of ModelDifference
        Between each two of them, as `find_differences` returns them. Of a pair that is not there
        nothing is known: the second is not taken for as good as the first.
    score : str
        What they are ranked by, a name of their scores.

    Returns
    -------
    name : str or None
        Of the one to take.
    reason : str
        Why, in one sentence.
    """
    scored = [row for row in rows if isfinite(row.score(score).mean)]
    if len(scored) < 2:
        left = f"only {scored[0].name}" if scored else "no network"
        return None, f"{left} could be scored: there is nothing to choose from."
    found = _Compared(scored, differences)
    if few := found.few():
        return None, few
    name = find_best([row.name for row in scored], differences)
    best = next(row for row in scored if row.name == name)
    level = found.level_with(best)
    chosen, advantage = cheapest(level)
    shown = percent(best.score(score).mean)
    if len(level) == 1:
        return best.name, found.alone(best, shown, score)
    if chosen is best:
        reason = f"the best ({shown}), and none within noise of it is {advantage}"
        loss, other = max((found.loss(row, best), row.name) for row in level[1:])
        doubt = f"{other} may be up to {points(loss)} points better"
    else:
        reason = f"within noise of the best ({best.name}, {shown}), and {advantage}"
        loss = found.loss(best, chosen)
        doubt = f"it may be up to {points(loss)} points worse"
    if loss > _LARGE:
        reason += f"; {doubt}: more images or runs would tell"
    return chosen.name, f"{chosen.name}: {reason}."


@dataclass(frozen=True)
class _Compared:
    rows: Sequence[ComparedModel]
    differences: Sequence[ModelDifference]

    def few(self) -> str:
        """Say that the images are too few to tell anything; empty where they are not."""
        names = {row.name for row in self.rows}
        pairs = [one for one in self.differences if one.a in names and one.b in names]
        images = max((one.images for one in pairs), default=0)
        if not images or any(one.separable for one in pairs):
            return ""
        # k images that all speak for one have a p of 2 ** (1 - k), and Holm's is m times that
        least = ceil(1 + log2(len(pairs) / LEVEL))
        if least <= _COARSE * images:
            return ""
        apart = "the two cannot" if len(names) == 2 else f"no two of the {len(names)} can"
        needed = (
            f"a difference has to be {ceil(100 * least / images)} points or more"
            if least <= images
            else "no difference could be more than noise"
        )
        given = count(images, "held-out image")
        return f"only {given}: {apart} be told apart; on so few, {needed}."

    def level_with(self, best: ComparedModel) -> list[ComparedModel]:
        """Return those that cannot be told from the best, itself first, then in their order."""
        others = [row for row in self.rows if row is not best]
        return [best, *(row for row in others if self._separable(best, row) is False)]

    def alone(self, best: ComparedModel, shown: str, score: str) -> str:
        """Say that the best is better than all others, or than all that it shares images with."""
        others = [row for row in self.rows if row is not best]
        behind = [row for row in others if self._separable(best, row)]
        if not behind:
            return f"{best.name}: the best ({shown}), on images that no other was scored on."
        whom, following = ("all others", "the next") if len(behind) > 1 else ("the other", "it")
        if len(behind) < len(others):
            whom, following = "all that share images with it", "the next"
        text = f"{best.name}: better than {whom} by more than noise"
        if behind[0].score(score).mean > best.score(score).mean:  # over all images that it has
            return f"{text}, on the images that both have."
        return f"{text} ({shown}, {following} has {percent(behind[0].score(score).mean)})."

    def loss(self, better: ComparedModel, worse: ComparedModel) -> float:
        """How much better the one may be, at the end of the interval."""
        one = self._between(better, worse)
        if one is None:
            return nan
        return one.high if one.a == better.name else -one.low

    def _separable(self, a: ComparedModel, b: ComparedModel) -> bool | None:
        one = self._between(a, b)
        return None if one is None else one.separable

    def _between(self, a: ComparedModel, b: ComparedModel) -> ModelDifference | None:
        pair = {a.name, b.name}
        return next((one for one in self.differences if {one.a, one.b} == pair), None)
