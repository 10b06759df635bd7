"""Conditions as Qdrant takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from penult.databases.filters import Condition, Filters, alternatives
from penult.databases.qdrant.points import point_id

if TYPE_CHECKING:
    from qdrant_client import models

__all__ = ["folder_before", "to_filter"]

_SIGNS = "*?["
_KEYS = {"label": "labels", "split": "split", "group": "group"}


def to_filter(
    where: Filters, without: str | None, matching: Callable[[Condition], list[str]]
) -> models.Filter | None:
    """Make Qdrant's filter of conditions.

    Parameters
    ----------
    where : sequence of Condition
    without : str or None
        The id of a row that is left out.
    matching : callable
        From a condition with a glob to the points that it matches, as Qdrant has no globs.
    """
    from qdrant_client import models

    must: list[Any] = []
    must_not: list[Any] = []
    for own, negated in alternatives(where):
        conditions = [_condition(one, matching) for one in own]
        if negated:
            must_not += conditions
        else:
            must.append(models.Filter(should=conditions))
    if without is not None:
        must_not.append(models.HasIdCondition(has_id=[point_id(without)]))
    if not must and not must_not:
        return None
    return models.Filter(must=must or None, must_not=must_not or None)


def _condition(one: Condition, matching: Callable[[Condition], list[str]]) -> Any:
    from qdrant_client import models

    if one.key == "id" and not one.glob:
        return models.HasIdCondition(has_id=[point_id(one.value)])
    if one.key == "id":
        folder = folder_before(one.value)
        if folder and one.value == f"{folder}/*":
            return models.FieldCondition(key="folders", match=models.MatchValue(value=folder))
        return models.HasIdCondition(has_id=[*matching(one)])  # of none, it holds for none
    return models.FieldCondition(key=_KEYS[one.key], match=models.MatchValue(value=one.value))


def folder_before(pattern: str) -> str:
    """The folder that all ids like a pattern lie in; empty where there is none.

    Examples
    --------
    >>> folder_before("flowers/daisy/1*.jpg")
    'flowers/daisy'
    """
    literal = "".join(_until_sign(pattern))
    return literal.rpartition("/")[0]


def _until_sign(pattern: str) -> Iterator[str]:
    for sign in pattern:
        if sign in _SIGNS:
            return
        yield sign
