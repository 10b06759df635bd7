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


def test_what_is_missing_is_shown_in_the_usage(penult):
    done = penult("train", "rows.h5")
    assert done.code == 2
    assert done.err.splitlines() == [
        "Usage: penult train FEATURES --output FILE [OPTIONS]",
        "`penult train --help` says what each of them is.",
        "",
        "penult: Missing option '--output' / '-o'.",
    ]


def test_penult_alone_is_its_help(penult):
    done = penult()
    assert done.code == 2
    assert done.err.startswith("Usage: penult COMMAND")
