"""Records that carry recipes: as JSON has them, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from penult.parsing import Readers, to_record
from penult.recipe import Recipe
from penult.records import Failure

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["from_data", "to_data"]

Described = TypeVar("Described", bound="DataclassInstance")


def to_data(value: Any) -> Any:
    """A record as data that JSON can hold: recipes are texts, failures pairs of id and reason."""
    if isinstance(value, Recipe):
        return value.to_json()
    if isinstance(value, Failure):
        return [value.id, value.reason]
    if is_dataclass(value):
        return {field.name: to_data(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {name: to_data(one) for name, one in value.items()}
    return list(map(to_data, value)) if isinstance(value, tuple | list) else value


def from_data(
    kind: type[Described], data: Mapping[str, Any], *, ignore_unknown: bool = False
) -> Described:
    """Make a record of what `to_data` gave; projections come without their arrays.

    Parameters
    ----------
    kind, data, ignore_unknown
        As for `to_record`.

    Raises
    ------
    ValueError
        If it is something else.
    """
    readers: Readers = {Recipe: Recipe.from_json, Failure: _failure}
    return to_record(kind, data, ignore_unknown=ignore_unknown, readers=readers)


def _failure(pair: Any) -> Failure:
    if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(x, str) for x in pair):
        raise TypeError
    return Failure(*pair)
