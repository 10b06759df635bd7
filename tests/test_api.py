"""What is public is documented: docstrings that numpydoc finds nothing wrong with, and a reference."""

from __future__ import annotations

import builtins
import dataclasses
import importlib.util
import inspect
from pathlib import Path

import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

import penult

ROOT = Path(__file__).parent.parent
LEFT_OUT = {
    "ES01": "a summary may say it all",
    "EX01": "examples are in the guides, where they are run",
    "SA01": "the reference is one page, and its text links",
}


def load_script():
    """`docs/write_api.py`, which is no module of a package."""
    spec = importlib.util.spec_from_file_location("write_api", ROOT / "docs" / "write_api.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


script = load_script()
PUBLIC = {name: value for group in script.GROUPS for name, value in script.public(group)}
OBJECTS = PUBLIC | {
    f"{name}.{member}": value
    for name, cls in PUBLIC.items()
    if inspect.isclass(cls)
    for member, value in script.members(cls)
}


def test_the_reference_lists_what_is_exported():
    exported = {f"penult.{name}" for name in penult.__all__ if not name.startswith("_")}
    assert {name for name in PUBLIC if name.count(".") == 1} == exported


def test_the_reference_is_what_the_docstrings_say():
    assert (ROOT / "docs" / "api.md").read_text() == script.reference(), (
        "out of date; type: make docs"
    )


def test_each_exported_name_is_found_and_listed():
    assert sorted(penult.__all__) == sorted(dir(penult))
    assert all(getattr(penult, name) is not None for name in penult.__all__)
    with pytest.raises(AttributeError, match="no attribute 'extrct'"):
        _ = penult.extrct


def one_line(value):
    return "\n" not in inspect.getdoc(value)


@pytest.mark.parametrize("name", OBJECTS)
def test_a_public_object_says_what_it_takes_and_gives(name):
    value, doc = OBJECTS[name], NumpyDocString(inspect.getdoc(OBJECTS[name]))
    found = [(code, text) for code, text in validate(name)["errors"] if code not in LEFT_OUT]
    if name.startswith("penult.extending.") and name.count(".") == 3 and one_line(value):
        # What is to be overridden: a summary says all of it, and the base class the rest.
        found = [(code, text) for code, text in found if code not in ("PR01", "RT01")]
    if getattr(value, "_is_protocol", False):
        found = [(code, text) for code, text in found if code != "PR01"]  # it is not made itself
    is_record = dataclasses.is_dataclass(value) or hasattr(value, "_fields")
    if is_record and not doc["Parameters"]:
        # A record that penult makes: its fields are of interest where they are read.
        found = [(code, text) for code, text in found if code != "PR01"]
        if dataclasses.is_dataclass(value):
            fields = [field.name for field in dataclasses.fields(value)]
        else:
            fields = list(value._fields)
        assert [part for one in doc["Attributes"] for part in one.name.split(", ")] == fields
    assert not found
    for one in doc["Attributes"]:
        assert one.type, f"{one.name} has no type"
        assert one.desc, f"{one.name} has no description"
    for one in doc["Raises"]:
        assert one.desc, f"it does not say when {one.type} is raised"
        for error in one.type.split(", "):
            known = hasattr(penult.errors, error) or hasattr(builtins, error)
            assert known, f"there is no {error}"
