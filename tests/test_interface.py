"""Options are named as they are typed: on the command line, or in Python."""

from __future__ import annotations

import pytest

from penult.interface import option, serving_command_line


@pytest.mark.parametrize(
    ("given", "typed", "called"),
    [
        pytest.param(("max_memory",), "--max-memory", "max_memory", id="a name alone"),
        pytest.param(("overwrite", True), "--overwrite", "overwrite=True", id="a flag"),
        pytest.param(("pooling", "gem"), "--pooling gem", "pooling='gem'", id="a word"),
        pytest.param(("test_size", 0.5), "--test-size 0.5", "test_size=0.5", id="a number"),
        pytest.param(("weights", "PATH"), "--weights PATH", "weights=PATH", id="a placeholder"),
    ],
)
def test_an_option_is_spelled_as_its_reader_types_it(
    given: tuple[str, object], typed: str, called: str
) -> None:
    assert option(*given) == called
    with serving_command_line():
        assert option(*given) == typed
    assert option(*given) == called


def test_a_command_within_a_command_leaves_the_spelling_of_the_outer_one() -> None:
    with serving_command_line():
        with serving_command_line():
            pass
        assert option("overwrite", True) == "--overwrite"
