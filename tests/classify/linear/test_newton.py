"""The solver goes on in float64 where float32 has the last word too early."""

from __future__ import annotations

import numpy as np

from penult.classify.linear.newton import Evaluate, HessianProduct, minimise


def solved(value_of):
    """Drive a fit of one number, whose objective is (x - 3)² / 2 + 1; what was asked in float32."""
    fit, answer, rough = minimise(np.zeros((1, 1)), 1.0), None, []
    while True:
        try:
            asked = fit.send(answer)
        except StopIteration as end:
            return end.value, rough
        if isinstance(asked, Evaluate):
            value = float((asked.point[0, 0] - 3) ** 2 / 2 + 1)
            if not asked.float64:
                rough.append(value)
                value = value_of(len(rough), value)
            answer = value, asked.point - 3, None
        elif isinstance(asked, HessianProduct):
            answer = asked.direction
        else:
            answer = np.copy  # which preconditions nothing


def test_a_step_that_float32_sees_no_gain_in_is_tried_again_in_float64():
    found, rough = solved(lambda number, _value: float(number))
    assert len(rough) > 10, "it was halved again and again"
    assert found.point[0, 0] == 3
    assert found.converged


def test_a_step_that_float32_sees_a_gain_in_is_taken():
    found, rough = solved(lambda _number, value: value)
    assert len(rough) <= 3
    assert found.point[0, 0] == 3
