"""A command line that cannot be right: one line says what is wrong and what was likely meant."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        pytest.param(["traim"], "unknown command 'traim'; did you mean train?", id="a command"),
        pytest.param(["extract", "--layr"], "unknown option '--layr'; did you mean --layer", id="an option"),
        pytest.param(["extract", "--poo", "max"], "did you mean --pooling? (", id="no retired option"),
        pytest.param(["train", "--ignore"], "--ignore-splits", id="an option begun"),
        pytest.param(["report", "--no-curv"], "did you mean --no-curve", id="an option that says no"),
        pytest.param(["--verson"], "did you mean --version?", id="an option of penult itself"),
        pytest.param(["zzz"], "unknown command 'zzz' (penult --help lists them)", id="nothing like it"),
    ],
)  # fmt: skip
def test_a_typo_is_one_line_with_what_is_like_it(penult, typed, told):
    done = penult(*typed)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert told in done.err
    assert "--pool " not in done.err
    assert "--pool?" not in done.err


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["train", "rows.h5"], "--output is missing; type: penult train FEATURES --output FILE [OPTIONS]"),
        (["train"], "FEATURES is missing; type: penult train FEATURES --output FILE [OPTIONS]"),
        (["train", "rows.h5", "-o"], "-o has no value; give it one, or leave it out"),
        (["train", "a", "b", "-o", "c"], "'b' is too much; type: penult train FEATURES --output FILE [OPTIONS]"),
        (["predict", "c", "p", "--top", "0"], "--top is 0; give 1 or more (penult predict --help)"),
        (["predict", "c", "p", "--top", "three"], "--top is 'three'; give a whole number (penult predict --help)"),
        (["predict", "c", "p", "--threshold", "0,6"], "--threshold is 0,6; did you mean 0.6? (penult predict --help)"),
        (["report", "p", "-o", "r", "--test-size", "0,3"], "--test-size is 0,3; did you mean 0.3? (penult report --help)"),
        (["extract", "p", "-o", "r", "--pooling", "move"], "--pooling: 'move' is not one of 'avg', 'max', 'gem', 'cls', 'flatten', 'none' (penult extract --help)"),
        (["repport"], "unknown command 'repport'; did you mean report? (penult --help lists them)"),
        (["train", "--quite"], "unknown option '--quite'; did you mean --quiet? (penult train --help lists them)"),
        (["extract", "--quite"], "unknown option '--quite'; did you mean --quiet? (penult extract --help lists them)"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_one_line(penult, typed, told):
    done = penult(*typed)
    assert (done.code, done.out, done.err) == (2, "", f"penult: {told}\n")


def test_penult_alone_is_its_help(penult):
    done = penult()
    assert done.code == 2
    assert done.err.startswith("Usage: penult COMMAND")
