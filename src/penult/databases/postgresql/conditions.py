"""Conditions on rows, as SQL whose values are parameters."""

from __future__ import annotations

from typing import Any

from psycopg import sql

from penult.databases.filters import Condition, Filters, alternatives

__all__ = ["where"]

_COLUMNS = {"id": "id", "split": "split", "group": "group_name"}


def where(filters: Filters) -> tuple[sql.Composable, list[Any]]:
    """Write conditions as what stands after WHERE, and its parameters in their order."""
    parts: list[sql.Composable] = []
    values: list[Any] = []
    for own, negated in alternatives(filters):
        each = [_one(condition) for condition in own]
        values += [value for _, value in each]
        either = sql.SQL(" OR ").join(text for text, _ in each)
        parts.append(sql.SQL("NOT ({})" if negated else "({})").format(either))
    return (sql.SQL(" AND ").join(parts) if parts else sql.SQL("true")), values


def _one(condition: Condition) -> tuple[sql.Composable, Any]:
    if condition.key == "label":
        return sql.SQL("labels @> %s::text[]"), [condition.value]
    column = sql.Identifier(_COLUMNS[condition.key])
    if condition.glob:
        return sql.SQL("{} ~ %s").format(column), _as_regex(condition.value)
    return sql.SQL("{} = %s").format(column), condition.value


def _as_regex(glob: str) -> str:
    """Write a pattern of `fnmatch` as an advanced regular expression of PostgreSQL."""
    found, k = ["***:^"], 0
    while k < len(glob):
        sign, k = glob[k], k + 1
        if sign == "*":
            found.append(".*")
        elif sign == "?":
            found.append(".")
        elif sign == "[" and (end := _end_of_set(glob, k)) > 0:
            found.append(_set(glob[k:end]))
            k = end + 1
        else:
            found.append(_literal(sign))
    return "".join([*found, "$"])


def _end_of_set(glob: str, start: int) -> int:
    first = start + (glob[start : start + 1] == "!")
    return glob.find("]", first + 1)  # a bracket that comes first is one of the set


def _set(inside: str) -> str:
    negated, signs = inside[:1] == "!", inside.removeprefix("!")
    parts, k = [], 0
    while k < len(signs):
        if signs[k + 1 : k + 2] == "-" and k + 2 < len(signs):
            if signs[k] <= signs[k + 2]:  # a range that is empty takes nothing
                parts.append(f"{_escaped(signs[k])}-{_escaped(signs[k + 2])}")
            k += 3
        else:
            parts.append(_escaped(signs[k]))
            k += 1
    if not parts:
        return "." if negated else "(?!.).."  # all, or nothing
    return f"[{'^' if negated else ''}{''.join(parts)}]"


def _literal(sign: str) -> str:
    return sign if sign.isalnum() else _escaped(sign)


def _escaped(sign: str) -> str:
    """A sign by its number, so that it means itself inside of brackets and out of them."""
    return f"\\U{ord(sign):08x}"
