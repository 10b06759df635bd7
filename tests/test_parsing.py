from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from penult.errors import FileFormatError
from penult.parsing import DEEPEST, read_json, read_record, to_record


def test_what_is_well_formed_is_read():
    assert read_json('{"a": [1, 2.5, null, "x"], "b": {"c": []}}') == {
        "a": [1, 2.5, None, "x"],
        "b": {"c": []},
    }
    assert read_json(b'"\xc3\xa9"') == "é"
    assert read_json('"[[["') == "[[["


def test_some_nesting_is_read_and_too_much_is_refused():
    deepest = "[" * DEEPEST + "]" * DEEPEST
    assert json.dumps(read_json(deepest)) == deepest
    with pytest.raises(ValueError, match="it is nested more than 100 levels deep"):
        read_json(f'{{"a": {deepest}}}')


@pytest.mark.parametrize("text", ["[" * 20_000, '{"a":' * 20_000, "[" * 5_000 + "]" * 5_000])
def test_text_that_would_exhaust_the_stack_is_refused(text):
    with pytest.raises(ValueError, match="nested more than 100 levels deep"):
        read_json(text)


@pytest.mark.parametrize("text", ["", "{", b"\xff", b"\xed\xa0\x80", "1" * 5_000])
def test_whatever_is_wrong_is_a_value_error(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the parser's
        read_json(text)


@dataclass(frozen=True)
class Point:
    at: tuple[float, float]
    name: str | None = None


@dataclass(frozen=True)
class Drawing:
    kind: Literal["map", "plan"]
    points: tuple[Point, ...]
    scale: int | tuple[int, int] = 1
    closed: bool = False
    origin: Point | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    file: Path | None = None


WHOLE = {
    "kind": "map",
    "points": [{"at": [1, 2.5]}, {"at": [0, 0], "name": "home"}],
    "scale": [1, 2],
    "origin": {"at": [0.5, 0]},
    "notes": {"any": [1, {"thing": None}]},
    "file": "a/b.svg",
}


def test_objects_become_records_and_lists_become_tuples():
    assert to_record(Drawing, WHOLE) == Drawing(
        kind="map",
        points=(Point((1, 2.5)), Point((0, 0), "home")),
        scale=(1, 2),
        origin=Point((0.5, 0)),
        notes={"any": [1, {"thing": None}]},
        file=Path("a/b.svg"),
    )
    assert to_record(Drawing, {**WHOLE, "scale": 3, "origin": None}).scale == 3


def test_unknown_keys_are_left_out_where_that_is_asked_for():
    point = {"at": [1, 2], "colour": "red"}
    data = {**WHOLE, "points": [point], "layers": 3}
    assert to_record(Drawing, data, ignore_unknown=True).points == (Point((1, 2)),)
    with pytest.raises(FileFormatError, match="it lacks at"):
        to_record(Point, {"colour": "red"}, ignore_unknown=True)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param({"kind": "film"}, "kind is 'film'", id="none of the allowed"),
        pytest.param({"points": {"at": 1}}, "points is", id="an object for a list"),
        pytest.param({"points": [{"at": [1, 2, 3]}]}, r"at is '\[1, 2, 3\]'", id="too many"),
        pytest.param({"points": [{"at": [1, True]}]}, "at is", id="a truth value for a number"),
        pytest.param({"points": [{}]}, r"it lacks at \(there are: at, name\)", id="a missing key"),
        pytest.param(
            {"points": [7]}, "it is '7' where settings by name", id="a number for an object"
        ),
        pytest.param({"scale": 1.0}, "scale is '1.0'", id="a fraction for a whole number"),
        pytest.param({"scale": None}, "scale is 'None'", id="null where it means nothing"),
        pytest.param({"closed": 1}, "closed is '1'", id="a number for a truth value"),
        pytest.param(
            {"origin": {"at": [0, 0], "z": 1}}, "it has the unknown z", id="an unknown key"
        ),
        pytest.param({"file": 3}, "file is '3'", id="a number for a path"),
        pytest.param({"notes": []}, r"notes is '\[\]'", id="a list for an object"),
    ],
)
def test_another_shape_than_the_records_is_refused_by_name(change, complaint):
    with pytest.raises(FileFormatError, match=complaint):
        to_record(Drawing, {**WHOLE, **change})


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "No such file or directory"),
        (b"{", "it is no JSON: Expecting property name"),
        (b"\xff", "it is no JSON: 'utf-8' codec can't decode byte 0xff"),
        (b'{"at": "here"}', "at is 'here'"),
    ],
)
def test_a_file_that_holds_no_record_is_named_with_what_to_do(tmp_path, content, why):
    file = tmp_path / "point.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(FileFormatError) as error:
        read_record(Point, file, remedy="draw it again")
    assert str(error.value).startswith(f"{file} is damaged ({why}")
    assert str(error.value).endswith("); draw it again")
