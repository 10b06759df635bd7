"""No command writes under a name that misleads: another format's, none, or a part's of rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from typed_commands import COMMANDS


@pytest.fixture
def given(photos, toy, tmp_path, extracted, trained):
    """Something to give for each argument, by its name."""
    rows, classifier = tmp_path / "rows.h5", tmp_path / "c.skops"
    extracted(photos, rows, toy)
    trained(rows, classifier, folds=2)
    image = next(path for path in Path(photos).rglob("*") if path.is_file())
    return {"images": photos, "classifier": classifier, "model": toy, "image": image, "": rows}


WRITING = {
    name: command
    for name, command in COMMANDS.items()
    if any("--output" in param.opts for param in command.params)
}


def typed(name, given):
    """The command, with all that it needs but an output."""
    arguments: list[object] = []
    for param in COMMANDS[name].params:
        if param.param_type_name == "argument" and param.required:
            arguments.append(given.get(param.name, given[""]))
        elif param.required and "--output" not in param.opts:
            arguments += [param.opts[0], given["images"]]
    return *name.split(), *arguments


@pytest.mark.parametrize("name", WRITING)
def test_a_command_refuses_an_output_that_would_mislead_before_it_works(
    penult, given, tmp_path, name
):
    target = tmp_path / "out.pdf"
    done = penult(*typed(name, given), "--output", target)
    assert (done.code, done.out) == (2, "")
    assert f"{target} would " in done.err
    assert "name it out" in done.err
    assert not target.exists()


@pytest.mark.parametrize("name", WRITING)
def test_a_command_writes_no_file_called_as_standard_output_is_and_none_among_parts_of_rows(
    penult, given, tmp_path, monkeypatch, name
):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos.rows"
    folder.mkdir()
    (folder / "manifest.json").touch()
    before = {*tmp_path.rglob("*")}
    command = typed(name, given)
    for output, said in (
        ("-", "- was given as an output, and this command writes no rows, tables or pages to "),
        (folder / "out", f"out lies in {folder}, a folder of rows, which holds its parts and "),
    ):
        done = penult(*command, "-o", output)
        assert (done.code, done.out) == (2, "")
        assert said in done.err
    assert {*tmp_path.rglob("*")} == before


@pytest.mark.parametrize("option", ["--results", "--copy-to"])
def test_a_folder_that_would_look_like_a_file_is_refused(penult, given, tmp_path, option):
    target = tmp_path / "scores.json"
    command = (
        ("train", given[""], "-o", tmp_path / "d.skops")
        if option == "--results"
        else ("predict", given["classifier"], given["images"])
    )
    done = penult(*command, option, target)
    assert done.code == 2
    assert done.err.endswith("name it scores\n")
    assert not target.exists()


ALSO = {
    ("cluster", "--csv"): (),
    ("cluster", "--sort-into"): (),
    ("duplicates", "--repair"): (),
    ("duplicates", "--write-list"): (),
    ("evaluate", "--results"): (),
    ("finetune", "--tensorboard"): ("-o", "a.ckpt"),
    ("predict", "--copy-to"): (),
    ("search", "--contact-sheet"): ("--id", "rose/rose_12.jpg"),
    ("serve", "--label-log"): ("--gallery", "rows.h5"),
    ("train", "--results"): ("-o", "d.skops"),
}
"""Options besides the output that are given what is to be written; and what they need with them."""


def test_each_command_with_an_option_for_what_is_to_be_written_is_among_those_tested():
    names = {option for _, option in ALSO}
    assert ALSO.keys() == {
        (name, option)
        for name, command in COMMANDS.items()
        for param in command.params
        for option in names.intersection(param.opts)
        if not param.is_flag  # as --csv of other commands is
    }


@pytest.mark.needs("tensorboard")
@pytest.mark.parametrize(("name", "option"), ALSO)
def test_what_is_called_as_standard_output_is_refused_by_the_name_of_its_option(
    penult, given, tmp_path, monkeypatch, name, option
):
    monkeypatch.chdir(tmp_path)
    before = {*tmp_path.rglob("*")}
    done = penult(*typed(name, given), *ALSO[name, option], option, "-")
    assert (done.code, done.out) == (2, "")
    assert f"{option} - was given, and this command writes no rows, tables or pages" in done.err
    assert {*tmp_path.rglob("*")} == before
