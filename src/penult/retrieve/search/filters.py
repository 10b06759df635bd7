"""Which rows of a gallery may be found, as conditions say.

Several conditions ``KEY=VALUE`` of one key are alternatives; those of different keys, and those
with ``!=``, all have to hold. KEY is label, split, group or id, whose value may be a glob.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.databases.filters import Condition
from penult.errors import UnknownNameError, UsageError
from penult.interface import at_command_line, option
from penult.retrieve.given import ids_like, is_glob
from penult.wording import listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.retrieve.search.gallery import Gallery

__all__ = ["allowed_rows", "conditions_of", "none_left", "of_no_column", "refuse_unknown"]

_KEYS = ("label", "split", "group", "id")
_CONDITION = re.compile(r"\s*([^=!]*?)\s*(!?=)(.*)", re.DOTALL)


def allowed_rows(
    gallery: Gallery,
    filters: Sequence[str],
    corrected: Mapping[int, Sequence[str]] | None = None,
) -> NDArray[np.bool_] | None:
    """Find the rows that conditions leave.

    Parameters
    ----------
    gallery : Gallery
    filters : sequence of str
        ``KEY=VALUE``, where several of one key are alternatives, and ``KEY!=VALUE``, which all have
        to hold; KEY is label, split, group or id, whose value may be a glob, such as ``daisy/*``.
    corrected : mapping of int to sequence of str, optional
        All labels of the rows at some places, instead of those that the gallery has for them.

    Returns
    -------
    bool array, shape (N,), or None
        None without conditions.

    Raises
    ------
    UsageError
        If one is no condition, the gallery has no such column, or no row is left.
    UnknownNameError
        If there is no such key, or no row of such a value.
    """
    if not filters:
        return None
    conditions = conditions_of(filters)
    allowed = np.ones(len(gallery.index), bool)
    for key in dict.fromkeys(one.key for one in conditions):
        own = [one for one in conditions if one.key == key]
        masks = {one: _matching(gallery, one, corrected or {}) for one in own}
        wanted = [mask for one, mask in masks.items() if not one.negated]
        if wanted:
            allowed &= np.logical_or.reduce(wanted)
        for one, mask in masks.items():
            if one.negated:
                allowed &= ~mask
    if not allowed.any():
        raise none_left(gallery.name, filters)
    return allowed


def none_left(name: str, filters: Sequence[str]) -> UsageError:
    """Say that conditions leave no row."""
    given = listed(option("filter", one) for one in filters)
    return UsageError(f"no row of {name} is left by {given}")


def conditions_of(filters: Sequence[str]) -> list[Condition]:
    """Read conditions, ``KEY=VALUE`` or ``KEY!=VALUE``.

    Raises
    ------
    UsageError, UnknownNameError
        If one is no condition, or there is no such key.
    """
    return [_condition(one) for one in filters]


def _condition(text: str) -> Condition:
    found = _CONDITION.fullmatch(text)
    if found is None or not found[1]:
        raise UsageError(
            f"{option('filter', text)} is no condition; give KEY=VALUE or KEY!=VALUE, such as "
            "label=chair, where KEY is label, split, group or id"
        )
    key, sign, value = found.groups()
    if key not in _KEYS:
        raise UnknownNameError(f"key in {option('filter', text)}", key, _KEYS)
    return Condition(key, value, sign == "!=")  # type: ignore[arg-type]


def _given(condition: Condition) -> str:
    """A condition as it is typed."""
    sign = "!=" if condition.negated else "="
    return option("filter", f"{condition.key}{sign}{condition.value}")


def _matching(
    gallery: Gallery, condition: Condition, corrected: Mapping[int, Sequence[str]]
) -> NDArray[np.bool_]:
    """The rows of this value."""
    key, value, features = condition.key, condition.value, gallery.features
    if key == "id":
        if value in gallery.places:
            alone = np.zeros(len(gallery.index), bool)
            alone[gallery.places[value]] = True
            return alone
        if not is_glob(value):
            gallery.place(value)  # which names ids like it
        return ids_like(value, gallery.index.ids, gallery.name)
    if key == "label":
        return _labelled(gallery, condition, corrected)
    column = None if features is None else getattr(features, f"{key}s")
    values = np.array([], object) if column is None else np.array([*map(str, column)], object)
    known = sorted({*values} - {""})
    if not known:
        raise of_no_column(condition, gallery.name)
    refuse_unknown(condition, known, gallery.name)
    return np.asarray(values == value, bool)


def _labelled(
    gallery: Gallery, condition: Condition, corrected: Mapping[int, Sequence[str]]
) -> NDArray[np.bool_]:
    """The rows of a label."""
    features, value = gallery.features, condition.value
    own = features.label_names if features is not None and features.labelled else ()
    known = sorted({*own}.union(*corrected.values()))
    if not known:
        raise of_no_column(condition, gallery.name)
    refuse_unknown(condition, known, gallery.name)
    if features is None or value not in own:
        found = np.zeros(len(gallery.index), bool)
    elif features.targets is not None:
        found = np.array(features.targets[:, own.index(value)], bool)
    else:
        found = np.array(features.labels == own.index(value), bool)
    for place, labels in corrected.items():
        found[place] = value in labels
    return found


def of_no_column(condition: Condition, name: str) -> UsageError:
    """Say that rows have nothing that a condition could be on."""
    return UsageError(f"the rows of {name} have no {condition.key}s; leave out {_given(condition)}")


def refuse_unknown(condition: Condition, known: Sequence[str], name: str) -> None:
    """Refuse values that no row has, and several of them with commas between.

    Raises
    ------
    UsageError, UnknownNameError
    """
    if condition.value in known:
        return
    sign = "!=" if condition.negated else "="
    values = [one.strip() for one in condition.value.split(",")]
    if len(values) > 1 and {*values} <= {*known}:
        each = [f"{condition.key}{sign}{one}" for one in values]
        form = " ".join(option("filter", one) for one in each)
        raise UsageError(
            f"{_given(condition)} is one {condition.key}, which there is not; give "
            f"{form if at_command_line() else f'filter={each}'}"
        )
    raise UnknownNameError(f"{condition.key} in {name}", condition.value, known)
