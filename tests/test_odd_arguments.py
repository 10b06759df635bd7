"""Whatever a public function is given for one of its parameters, it works or says one line."""

from __future__ import annotations

import inspect
import io
import math
from types import SimpleNamespace

import numpy as np
import pytest
from planned_rates import RATES

import penult

FUNCTIONS = [name for name in penult.__all__ if inspect.isfunction(getattr(penult, name))]
ODD = {
    "None": None,
    "a number": np.int64(-5),
    "NaN": math.nan,
    "infinity": math.inf,
    "a number nobody counts to": 10**30,
    "a large number": 10**15,
    "a complex number": 1j,
    "True": True,
    "bytes": b"x",
    "an empty text": "",
    "NUL": "a\0b",
    "a long text": "é" * 300,
    "half a character": "\ud800",
    "an array of no axes": np.array(3),
    "an array": np.zeros((2, 3)),
    "objects": np.array([None, 1], object),
    "a generator": (number for number in range(2)),
    "a range": range(3),
    "a mapping": {"a": 1},
    "a set": {1},
    "an empty list": [],
    "a list in a list": [["a"]],
    "a type": int,
    "a function": len,
    "a module": penult,
    "an object": SimpleNamespace(shape=(2,), columns=["a"]),
    "a file": io.BytesIO(b"x"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_odd_argument_is_one_line(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PENULT_OFFLINE", "1")
    function = getattr(penult, name)
    parameters = inspect.signature(function).parameters
    needed = {
        one.name: "nowhere/there.h5" for one in parameters.values() if one.default is one.empty
    }
    if "seconds" in parameters:
        needed["seconds"] = 0.5
        # A large number of images can be planned for: what that is measured by has no part in it.
        monkeypatch.setattr("penult.capacity.measure.measure_rates", lambda *_, **__: RATES)
    for parameter in parameters:
        for what, odd in ODD.items():
            said = ""
            try:
                function(**{**needed, parameter: odd})
            except penult.PenultError as error:
                said = str(error)
            except Exception as error:
                raise AssertionError(f"{name}({parameter}={what})") from error
            assert "\n" not in said, (parameter, what)
    assert list(tmp_path.iterdir()) == []
