"""Which of the compared networks to take, and why, in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan
from typing import TYPE_CHECKING

from penult.comparison.cheapest import cheapest
from penult.comparison.few_images import are_few, what_would_tell
from penult.interface import option
from penult.records.model_difference import find_best
from penult.wording import count, listed, percent, points, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penult.records.compared_model import ComparedModel
    from penult.records.model_difference import ModelDifference

__all__ = ["recommend"]

_LONGEST = 40  # characters of a name beside that of the one to take
_LARGE = 0.03  # a loss that is named


def recommend(
    rows: Sequence[ComparedModel], differences: Sequence[ModelDifference], *, score: str
) -> tuple[str | None, str]:
    """Choose the cheapest of those that cannot be told from the best, as `cheapest` finds it.

    Where the images are few and no two networks can be told apart, that says nothing about the
    networks, and the reason begins with it; the cheapest of all is then chosen. Images are few
    where a difference of ten points would not be separable even if no image spoke against it.

    Networks with random weights are chosen only where there are no others. None is chosen where
    some of the held-out images trained one of the networks, whose scores then are no estimate.

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
        Of the one to take; None where there are fewer than two, none of them has the score, or some
        were trained on held-out images.
    reason : str
        Why, in one sentence.
    """
    scored = [row for row in rows if isfinite(row.score(score).mean)]
    if known := [row for row in scored if row.trained_network]:
        return None, _no_estimate(known)
    trained = [row for row in scored if not row.untrained]
    if len(rows) < 2 or not scored:
        left = f"only {scored[0].name}" if scored else "no network"
        return None, f"{left} could be scored: there is nothing to choose from."
    if len(scored) == 1:
        return scored[0].name, f"{scored[0].name}: the only one of {len(rows)} that has a score."
    if len(trained) == 1:
        name, shown = trained[0].name, percent(trained[0].score(score).mean)
        return name, f"{name}: the only one with trained weights ({shown})."
    kind = " trained one" if 0 < len(trained) < len(scored) else ""
    found = _Compared(trained or scored, differences, score, kind)
    name, reason = found.choice()
    if not trained:
        reason += "; all weights are random: no more than a baseline for trained ones"
    return name, f"{reason}."


@dataclass(frozen=True)
class _Compared:
    rows: Sequence[ComparedModel]
    differences: Sequence[ModelDifference]
    score: str
    kind: str = ""  # of the best, where others are left aside

    def choice(self) -> tuple[str, str]:
        """Return the name of the one to take, and why, without a full stop."""
        name = find_best([row.name for row in self.rows], self._pairs())
        best = next(row for row in self.rows if row.name == name)
        if few := self.few():
            return self.among_few(best, few)
        level = self.level_with(best)
        shown, top = percent(self.mean(best)), f"the best{self.kind}"
        if len(level) == 1:
            return best.name, self.alone(best, shown)
        found = cheapest(level)
        chosen, advantage = found.row, found.advantage
        others = [row for row in level if row is not chosen]
        equal = {*map(self.mean, level)} == {self.mean(best)} and len(level) == len(self.rows)
        alike = f"{'both' if len(level) == 2 else f'all {len(level)}'} have {shown}"
        if chosen is best:
            reason = alike if equal else f"{top} ({shown})"
            if advantage:
                of = "none" if equal else "none within noise of it"
                reason += f", and {of} {advantage}"
            else:
                reason += "; costs were not measured"
            loss, other = max((self.loss(row, best), self.brief(row)) for row in others)
            doubt = f"{other} may be up to {points(loss)} points better"
        else:
            reason = f"within noise of {top} ({self.brief(best)}, {shown}), and {advantage}"
            if equal:
                reason = f"as good as {self.brief(best)} ({alike}), and {advantage}"
            loss = self.loss(best, chosen)
            doubt = f"it may be up to {points(loss)} points worse"
        if loss > _LARGE:
            reason += f"; {doubt}: more images or runs would tell"
        return chosen.name, f"{chosen.name}: {reason}"

    def among_few(self, best: ComparedModel, few: str) -> tuple[str, str]:
        """Return the cheapest of all, and why; that the images are few comes first."""
        # Of pairs without a common image nothing is known, also not that they are level.
        level = self.level_with(best)
        found = cheapest(level)
        unknown = "" if found.advantage or len(level) == 1 else "; costs were not measured"
        most = found.most
        if found.row is best and {*map(self.mean, level)} == {self.mean(best)}:
            most = most.replace("scores best", "scores as well as the rest")
        would = what_would_tell(self._images(), self._distinct_pairs())
        return found.row.name, (
            f"{few}: {found.row.name} {most}{unknown}; on so few, {would}: more images or "
            f"more {option('runs')} would tell"
        )

    def few(self) -> str:
        """Say that the images are too few to tell anything; empty where they are not."""
        images = self._images()
        pairs = self._pairs()
        if not images or any(one.separable for one in pairs):
            return ""
        if not are_few(images, self._distinct_pairs()):
            return ""
        apart = "the two cannot" if len(self.rows) == 2 else f"no two of the {len(self.rows)} can"
        given = count(images, "held-out image")
        runs = max(len(row.score(self.score).runs) for row in self.rows)
        if runs > 1:
            given = f"{count(images, 'different held-out image')} over {count(runs, 'run')}"
        return f"only {given}, on which {apart} be told apart"

    def brief(self, row: ComparedModel) -> str:
        """Return its name, without its middle if it is long, as of several that are joined."""
        names = [one.name for one in self.rows]
        return shorten(names, _LONGEST)[names.index(row.name)]

    def mean(self, row: ComparedModel) -> float:
        """Mean of the score by which they are ranked."""
        return row.score(self.score).mean

    def _pairs(self) -> list[ModelDifference]:
        names = {row.name for row in self.rows}
        return [one for one in self.differences if one.a in names and one.b in names]

    def _images(self) -> int:
        return max((one.images for one in self._pairs()), default=0)

    def _distinct_pairs(self) -> int:
        """Count the pairs; one that equals another in all images adds none."""
        distinct: list[ComparedModel] = []
        for row in self.rows:
            if not any(_is_equal(self._between(row, other)) for other in distinct):
                distinct.append(row)
        return len(distinct) * (len(distinct) - 1) // 2

    def level_with(self, best: ComparedModel) -> list[ComparedModel]:
        """Return those that cannot be told from the best, itself first, then in their order."""
        others = [row for row in self.rows if row is not best]
        return [best, *(row for row in others if self._separable(best, row) is False)]

    def alone(self, best: ComparedModel, shown: str) -> str:
        """Say that the best is better than all others, or than all that it shares images with."""
        others = [row for row in self.rows if row is not best]
        behind = [row for row in others if self._separable(best, row)]
        if not behind:
            return (
                f"{best.name}: the best{self.kind} ({shown}), on images that no other was scored on"
            )
        whom, following = ("all others", "the next") if len(behind) > 1 else ("the other", "it")
        if self.kind:
            whom = "all other trained ones" if len(behind) > 1 else "the other trained one"
        if len(behind) < len(others):
            whom, following = "all that share images with it", "the next"
        text = f"{best.name}: better than {whom} by more than noise"
        if self.mean(behind[0]) > self.mean(best):  # over all images that it has
            return f"{text}, on the images that both have"
        return f"{text} ({shown}, {following} has {percent(self.mean(behind[0]))})"

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


def _no_estimate(rows: Sequence[ComparedModel]) -> str:
    """Say which networks know held-out images, and how many."""
    names = shorten([row.name for row in rows], _LONGEST)
    if len(rows) == 1:
        of = f"{rows[0].trained_network:,} of the held-out images"
        known = f"{names[0]} was trained on {of}, so that its scores are"
    else:
        each = zip(names, rows, strict=True)
        told = listed(f"{name} ({row.trained_network:,})" for name, row in each)
        known = f"{told} were trained on so many of the held-out images, so that their scores are"
    return (
        f"{known} no estimate for new ones, and nothing is recommended; compare on images that "
        "trained none of the networks."
    )


def _is_equal(one: ModelDifference | None) -> bool:
    """Say whether two have the same score on all images."""
    return one is not None and one.difference == one.low == one.high == 0.0
