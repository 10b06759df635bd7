"""Options and commands are named as they are typed: on the command line, or in Python."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
from pathlib import Path

import pytest

import penult
from penult.interface import call_or_command, command, option, serving_command_line, shell_quote

SOURCE = Path(penult.__file__).parent


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


@pytest.mark.parametrize(
    ("given", "typed", "called"),
    [
        pytest.param((["models"], {}), "penult models", "penult.models()", id="alone"),
        pytest.param(
            (["models", "timm:*"], {}), "penult models 'timm:*'", "penult.models('timm:*')", id="a glob"
        ),
        pytest.param(
            (["show_input", "IMAGE"], {}), "penult show-input IMAGE", "penult.show_input(IMAGE)",
            id="a name of two words, and a placeholder",
        ),
        pytest.param(
            (["extract", "IMAGES"], {"output": "f.h5"}), "penult extract IMAGES --output f.h5",
            "penult.extract(IMAGES, output='f.h5')", id="an option",
        ),
    ],
)  # fmt: skip
def test_a_command_is_spelled_as_its_reader_types_it(
    given: tuple[list[str], dict[str, str]], typed: str, called: str
) -> None:
    arguments, options = given
    assert (command(*arguments, **options), call_or_command()) == (called, "call")
    with serving_command_line():
        assert (command(*arguments, **options), call_or_command()) == (typed, "command")


NEXT_TO_EACH_OTHER = re.compile(r"[\"']\s+[fr]?[\"']")
TO_BE_TYPED = re.compile(r"--[a-z]|penult [a-z-]|[Ii]n Python")


def texts_of(path: Path) -> list[tuple[int, str]]:
    """The texts in a module, with their lines; without docstrings, which describe both.

    None of a module that has no such word anywhere, as most: to parse them all takes seconds.
    """
    source = path.read_text()
    if not TO_BE_TYPED.search(NEXT_TO_EACH_OTHER.sub("", source)):
        return []
    nodes = list(ast.walk(ast.parse(source)))
    described = {
        node.body[0].value
        for node in nodes
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and ast.get_docstring(node, clean=False)
    }
    return [
        (node.lineno, node.value)
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in described
    ]


# Lines to be typed into a shell, whoever reads them.
SHELL_LINES = (
    "finetuning/model_card.py",
    "reporting/again.py",
    "reporting/cluster_sections/making.py",
    "reporting/commands.py",
    "reporting/comparison_sections/making.py",
    "reporting/duplicate_sections/calibration.py",
    "reporting/duplicate_sections/next_steps.py",
    "reporting/outlier_sections/making.py",
    "reporting/relabelling.py",
    "reporting/report_call.py",
    "reporting/sections/clusters.py",
    "reporting/sections/labels.py",
    "images/sources/standard_input.py",
)


# What a word in capitals stands for, by the names of the arguments.
STAND_INS = {
    "FEATURES": {"features"}, "ROWS": {"features"}, "LABELS": {"reviewed"},
    "IMAGES": {"images"}, "PHOTOS": {"images"}, "FOLDER": {"images"},
}  # fmt: skip


def test_words_in_capitals_stand_where_the_command_takes_what_they_stand_for() -> None:
    spelled = re.compile(r'\bcommand\(\s*"(\w+)"((?:,\s*"[A-Z]+")+)')
    found = {
        (match[1], *re.findall(r"[A-Z]+", match[2]))
        for path in SOURCE.rglob("*.py")
        for match in spelled.finditer(path.read_text())
    }
    assert ("apply_labels", "LABELS") in found
    for name, *words in found:
        parameters = inspect.signature(getattr(penult, name)).parameters
        for word, parameter in zip(words, parameters, strict=False):
            assert parameter in STAND_INS[word], f"penult.{name}({', '.join(words)})"


def test_no_message_of_the_library_is_written_for_the_command_line_alone() -> None:
    typed = re.compile(
        r"(?<![\w-])--[a-z]|[`' (]penult (?:extract|train|predict|evaluate|export|info|report|verify|"
        r"models|layers|show-input|quantize|convert|fetch|sample)\b|^penult [a-z-]+$|[Ii]n Python"
    )
    found = [
        f"{path.relative_to(SOURCE)}:{line}: {text!r}"
        for path in sorted(SOURCE.rglob("*.py"))
        if path.relative_to(SOURCE).parts[0] != "cli" and not path.as_posix().endswith(SHELL_LINES)
        for line, text in texts_of(path)
        if typed.search(text) and not any(line in text for line in ("pip install", "tar --sort="))
    ]
    assert not found, "penult.interface has option() and command() for:\n" + "\n".join(found)


def test_a_word_with_control_characters_is_quoted_so_that_a_shell_takes_it_back():
    for word in ("new\nline", "it's\tred\x1b[31m", "back\\slash\n", "7\x017", "plain", "two words"):
        quoted = shell_quote(word)
        assert quoted.isprintable()
        said = subprocess.run(
            ["bash", "-c", f"printf %s {quoted}"], capture_output=True, text=True, check=True
        )
        assert said.stdout == word
