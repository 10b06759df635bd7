"""JSON from outside: written by others, damaged, or made to do harm."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType, NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from penult.errors import FileFormatError
from penult.inputs import refuse_unread

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["DEEPEST", "Readers", "read_json", "read_record", "require_keys", "to_record"]

DEEPEST = 100
"""Levels of brackets; what penult reads has some twenty at the most."""
_SHOWN = 60

Record = TypeVar("Record", bound="DataclassInstance")


def read_json(text: str | bytes, *, unique_names: bool = False) -> Any:
    """Parse JSON that someone else may have written.

    Parameters
    ----------
    text : str or bytes
    unique_names : bool, default=False
        Refuse an object that has a name twice, of which otherwise the last value counts.

    Raises
    ------
    ValueError
        Whatever is wrong with it; also where it is nested so deeply that the parser, or the code
        that goes through its result, would run out of stack.
    """
    try:
        value = json.loads(text, object_pairs_hook=_with_unique_names if unique_names else None)
    except RecursionError as error:
        raise _too_deep() from error
    level, depth = [[value]], 0
    while level := [inner for outer in level for inner in _nested_in(outer)]:
        depth += 1
        if depth > DEEPEST:
            raise _too_deep()
    return value


def _with_unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            shown = json.dumps(name[:_SHOWN], ensure_ascii=False)
            raise ValueError(f"it has the name {shown} twice in one object; leave one out")
        found[name] = value
    return found


def _nested_in(value: Any) -> list[Any]:
    values = value.values() if isinstance(value, dict) else value
    return [one for one in values if isinstance(one, dict | list)]


def _too_deep() -> ValueError:
    return ValueError(f"it is nested more than {DEEPEST} levels deep")


Readers = Mapping[type, Callable[[Any], Any]]


def to_record(
    kind: type[Record],
    data: object,
    *,
    ignore_unknown: bool = False,
    readers: Readers = MappingProxyType({}),
) -> Record:
    """Make a dataclass of what was read from JSON, if it has exactly the keys and types stated.

    Lists become tuples, objects become dataclasses, and texts become paths, where the fields are
    such. An int will do for a float, and stays one. What is a dataclass already stays as it is.

    Parameters
    ----------
    kind : type
        The dataclass. Of the type hints that there are, it may have those that JSON can fill: Any,
        str, bool, int, float, None, Path, Literal, tuple, Mapping, dataclasses, and unions of them.
    data : object
        What `read_json` gave, or a part of it.
    ignore_unknown : bool
        Whether keys that are no fields are left out, here and further in, and not refused.
    readers : mapping of type to callable
        What makes a value of a type that is written in a way of its own. It raises TypeError or
        ValueError where what was written is something else.

    Raises
    ------
    FileFormatError
        Names the keys that are missing or unknown, or the field that holds something else.
    """
    hints, values = _hints(kind), {}
    if ignore_unknown and isinstance(data, Mapping):
        data = {name: data[name] for name in hints if name in data}
    for name, value in require_keys(kind, data).items():
        try:
            values[name] = _converted(value, hints[name], ignore_unknown, readers)
        except TypeError as error:
            raise FileFormatError(f"{name} is {str(value)[:40]!r}") from error
    return kind(**values)


def read_record(kind: type[Record], path: Path, *, remedy: str) -> Record:
    """Read a dataclass from a file of JSON; keys that are no fields are left out.

    Parameters
    ----------
    kind : type
        As for `to_record`.
    path : Path
    remedy : str
        What whoever has a damaged file can do.

    Raises
    ------
    FileFormatError
        If the file cannot be read, or is something else; names it.
    """
    try:
        return to_record(kind, read_json(path.read_text("utf-8")), ignore_unknown=True)
    except (OSError, ValueError) as error:
        refuse_unread(path, error)
        raise FileFormatError(f"{path} is damaged ({_why(error)}); {remedy}") from error


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return f"it is no JSON: {error}"
    return str(getattr(error, "strerror", None) or error)


def require_keys(kind: type[DataclassInstance], data: object) -> Mapping[str, Any]:
    """Refuse what was read from JSON where its keys are not the fields of a dataclass.

    Raises
    ------
    FileFormatError
        Names the keys that are missing, and those that there are not.
    """
    if not isinstance(data, Mapping):
        raise FileFormatError(f"it is {str(data)[:40]!r} where settings by name are expected")
    fields = {field.name: field for field in dataclasses.fields(kind)}
    missing = [
        name
        for name, field in fields.items()
        if name not in data
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    unknown = [str(name)[:40] for name in data if name not in fields]
    complaints = [
        f"{what} {', '.join(names)}"
        for what, names in (("it lacks", missing), ("it has the unknown", unknown))
        if names
    ]
    if complaints:
        raise FileFormatError(f"{'; '.join(complaints)} (there are: {', '.join(fields)})")
    return data


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _converted(value: Any, hint: Any, ignore_unknown: bool, readers: Readers) -> Any:
    """The value as its type hint has it; raises TypeError where it is something else."""
    if hint is Any or type(value) is hint:
        return value
    if hint in readers:
        return readers[hint](value)
    origin, inner = get_origin(hint), get_args(hint)
    convert = partial(_converted, ignore_unknown=ignore_unknown, readers=readers)
    if origin in (Union, UnionType):
        if value is None and NoneType in inner:
            return None
        for one in inner:
            with suppress(TypeError):
                return convert(value, one)
    elif origin is tuple and isinstance(value, list | tuple):
        each = inner[:1] * len(value) if inner[-1] is ... else inner
        if len(each) == len(value):
            return tuple(map(convert, value, each))
    elif origin is Mapping and isinstance(value, Mapping):
        return {convert(k, inner[0]): convert(v, inner[1]) for k, v in value.items()}
    elif isinstance(hint, type) and dataclasses.is_dataclass(value) and isinstance(value, hint):
        return value
    elif isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return to_record(hint, value, ignore_unknown=ignore_unknown, readers=readers)
    elif (origin is Literal and value in inner) or (hint is float and type(value) is int):
        return value
    elif hint is Path and isinstance(value, str):
        return Path(value)
    raise TypeError
