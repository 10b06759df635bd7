"""A command line that cannot be right: one line says what is wrong and what was likely meant."""

from __future__ import annotations

import re

import pytest
from typed_commands import COMMANDS

from penult.cli.commands import COMMANDS as REGISTERED
from penult.cli.usage import _GIVEN_ROWS, COMMANDS_ELSEWHERE, SEVERAL_ELSEWHERE

pytestmark = pytest.mark.light


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        pytest.param(["traim"], "unknown command 'traim'; did you mean train?", id="a command"),
        pytest.param(["extract", "--layr"], "unknown option '--layr'; did you mean --layer", id="an option"),
        pytest.param(["extract", "--poo", "max"], "did you mean --pooling? (", id="no retired option"),
        pytest.param(["train", "--ignore"], "--ignore-splits", id="an option begun"),
        pytest.param(["report", "--no-curv"], "did you mean --no-curve", id="an option that says no"),
        pytest.param(["verify", "f.h5", "my photos"], "--images my --images photos", id="images that moved"),
        pytest.param(["predict", "c.skops", "p", "--resize", "fast"], "the classifier carries", id="of rows"),
        pytest.param(["report", "p", "-o", "r", "--pooling", "max"], "give it to penult extract", id="of extract"),
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
        (["duplicates", "rows.h5", "--csv", "my dup.csv"], "'my dup.csv' is too much: --csv prints the table; type --csv > 'my dup.csv'"),
        (["summarize", "rows.h5", "--csv", "s.csv"], "'s.csv' is too much: --csv prints the table; type --csv > s.csv"),
        (["predict", "c", "p", "--top", "0"], "--top is 0; give 1 or more (penult predict --help)"),
        (["predict", "c", "p", "--top", "three"], "--top is 'three'; give a whole number (penult predict --help)"),
        (["predict", "c", "p", "--threshold", "0,6"], "--threshold is 0,6; did you mean 0.6? (penult predict --help)"),
        (["report", "p", "-o", "r", "--test-size", "0,3"], "--test-size is 0,3; did you mean 0.3? (penult report --help)"),
        (["extract", "p", "-o", "r", "--pooling", "move"], "--pooling: 'move' is not one of 'avg', 'max', 'gem', 'cls', 'flatten', 'none' (penult extract --help)"),
        (["extract", "p", "-o", "p.rows", "--ray", ""], "--ray is empty; give the address of a cluster, or leave it out"),
        (["extract", "p", "-o", "p.rows", "--ray", "h:99999", "--dry-run"], "--ray h:99999 was given, and 99999 is no port; give 1 to 65535, which is 6379 by default"),
        (["extract", "p", "-o", "p.rows", "--ray", "h:٣", "--dry-run"], "--ray 'h:٣' was given, and ٣ is no port; give 1 to 65535, which is 6379 by default"),
        (["extract", ".", "-o", "p.h5", "--labels", "/dev/null"], "--labels /dev/null is a device, and no table of labels; allowed: parent, none, column:NAME, or the name of a .csv file"),
        (["cluster", "p.h5", "--csv", "-"], "--csv - was given, and this command writes no rows, tables or pages to standard output; give the name of a file or folder"),
        (["serve", "--gallery", "p.h5", "--label-log", "-"], "--label-log - was given, and this command writes no rows, tables or pages to standard output; give the name of a file or folder"),
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


TAKING_TEXT = [
    pytest.param(command, param, id=f"{command} {param.name}")
    for command, one in COMMANDS.items()
    for param in one.params
    if not getattr(param, "is_flag", False) and param.type_descriptor.annotation not in (int, float)
]


@pytest.mark.parametrize("text", ["", "nul\0"])
@pytest.mark.parametrize(("command", "param"), TAKING_TEXT)
def test_no_argument_takes_an_empty_text_or_one_that_no_file_has(
    penult, monkeypatch, tmp_path, command, param, text
):
    """An empty path, of a variable that was never set, would be the current folder to Python."""
    if text and param.name == "layer":
        pytest.skip("a layer may be called anything")
    monkeypatch.chdir(tmp_path)
    needed = [one for one in COMMANDS[command].params if one.required and one is not param]
    typed = [
        word for one in needed for word in [*one.opts[:1], "x"][-1 - (one.opts[0][0] == "-") :]
    ]
    typed += [f"{max(param.opts, key=len)}={text}"] if param.opts[0][0] == "-" else [text]
    if command == "show-input" and param.name == "image":
        typed = ["x", text, "-o", "x"]
    done = penult(*command.split(), *typed)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done.err
    assert re.search("is empty|an empty path was given as|NUL character", done.err)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_left_out_is_not_told_to_be_left_out(penult, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert penult("layers", "").err == "penult: MODEL is empty; give a name\n"
    done = penult("layers", "efficientnet_lite0", "--architecture", "")
    assert done.err == "penult: --architecture is empty; give a name, or leave it out\n"


def test_an_empty_path_moves_nothing(penult, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = penult("predict", "c.skops", "", "--copy-to", "there", "--copy-mode", "move")
    told = "penult: an empty path was given as IMAGES; give a folder, or . for this one\n"
    assert (done.code, done.err) == (2, told)


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("option", ["--quiet", "-q", "--json", "--debug"])
def test_every_command_takes_what_scripts_give_to_all(penult, name, option):
    assert penult(*name.split(), option, "--help").code == 0


def test_quiet_leaves_out_what_is_no_result(penult, toy, monkeypatch):
    from penult.progress import announce
    from penult.tasks import fetch

    heard = []
    weights = fetch.FetchedWeights(model="toy:a", weights="w", path=None, bytes=None, sha256="0")
    monkeypatch.setattr("penult.progress.follow.is_watched", lambda: True)
    monkeypatch.setattr(
        "penult.progress.display.Display.__call__", lambda _, now: heard.append(now.stage)
    )
    monkeypatch.setattr(fetch, "fetch_each", lambda *_, **__: (announce("download"), [weights])[1])
    assert penult("fetch", "toy:a").code == 0
    assert heard == ["download"]
    assert penult("fetch", "toy:a", "-q").code == 0
    assert heard == ["download"]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["predict", "c.skops", "-dash.jpg"], "'-dash.jpg' would be an option; type ./-dash.jpg for the file of that name, or -- before it"),
        (["predict", "c.skops", "--my photos"], "'--my photos' would be an option; type './--my photos' for the folder of that name, or -- before it"),
        (["extract", "-lead.jpg", "-o", "y.h5"], "'-lead.jpg' would be an option; type ./-lead.jpg for the file of that name, or -- before it"),
        (["extract", "-lead.jpg", "-dash.jpg", "-o", "y.h5"], "'-lead.jpg' would be an option; type ./-lead.jpg for the file of that name, or -- before it"),
        (["extract", "-late.jpg", "-o", "y.h5"], "IMAGES... is missing; type: penult extract IMAGES... --output FILE [OPTIONS]"),
        (["predict", "c.skops", "x.jpg", "-o", "-lead.jpg"], "no such file: c.skops; give a classifier file"),
        (["predict", "c.skops", "-dish.jpg"], "unknown option '-d' (penult predict --help lists them)"),
        (["predict", "c.skops", "--zzz", "--", "-dash.jpg"], "unknown option '--zzz' (penult predict --help lists them)"),
    ],
)  # fmt: skip
def test_a_file_whose_name_begins_with_a_dash_is_told_from_an_option(
    penult, tmp_path, monkeypatch, typed, told
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-dash.jpg").touch()
    (tmp_path / "-lead.jpg").touch()
    (tmp_path / "--my photos").mkdir()
    done = penult(*typed)
    assert (done.code, done.out, done.err) == (2, "", f"penult: {told}\n")


def test_a_command_that_is_printed_has_no_path_that_begins_as_an_option(
    penult, photos, toy, monkeypatch
):
    monkeypatch.chdir(photos.parent)
    done = penult("extract", photos.name, "-m", "toy:mean-colour", "-o", "-rows.h5")
    assert done.err.endswith("next: penult train ./-rows.h5 -o ./-rows.skops\n")
    done = penult("train", "./-rows.h5", "--classifier", "centroid", "-o", "--it.skops")
    assert done.err.endswith("next: penult predict ./--it.skops PHOTO_OR_FOLDER\n")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("explain", "look"), ("Heatmap", "look"), ("t_sne", "map"), ("clasify", "predict")],
)
def test_what_others_call_a_command_leads_to_it(penult, typed, meant):
    done = penult(typed, "photo.jpg")
    told = f"unknown command '{typed}'; did you mean {meant}? (penult --help lists them)\n"
    assert (done.code, done.err) == (2, f"penult: {told}")


def test_other_names_lead_to_commands_that_there_are_and_are_none_themselves():
    known = {*REGISTERED}
    assert {*COMMANDS_ELSEWHERE.values()} <= known
    assert not known & {*COMMANDS_ELSEWHERE}


@pytest.mark.parametrize("command", ["cluster", "duplicates", "evaluate-search", "index", "map"])
def test_what_a_feature_file_carries_is_no_option_of_what_reads_it(penult, command):
    told = (
        "is no option of penult {}: the feature file carries how its rows were made; leave it out"
    )
    done = penult(command, "f.h5", "--precision", "bfloat16")
    assert (done.code, done.err) == (2, f"penult: --precision {told.format(command)}\n")


def test_what_a_gallery_carries_is_no_option_of_search(penult):
    told = "is no option of penult search: the gallery carries how rows are made; leave it out"
    for name in ("--precision", "--model"):
        done = penult("search", "f.h5", "a.jpg", name, "x")
        assert (done.code, done.err) == (2, f"penult: {name} {told}\n")


def test_all_that_are_told_so_are_commands():
    assert set(_GIVEN_ROWS) <= set(COMMANDS)


@pytest.mark.parametrize(
    ("typed", "name", "times"),
    [
        pytest.param(["look", "a.jpg", "-m", "x", "--model", "y"], "--model", 2, id="two models"),
        pytest.param(["train", "f.h5", "-o", "c", "-o", "d", "-o", "e"], "--output", 3, id="three files"),
        pytest.param(["map", "f.h5", "--layer", "a", "--layer=a"], "--layer", 2, id="the same again"),
    ],
)  # fmt: skip
def test_an_option_of_one_value_is_given_once(penult, typed, name, times):
    done = penult(*typed)
    told = (
        f"penult: {name} takes one value here, and is given {times} times; leave out all but one\n"
    )
    assert (done.code, done.out, done.err) == (2, "", told)


def test_other_options_may_be_repeated(penult):
    done = penult(
        *("extract", "none", "-o", "f.h5"),
        *["-l", "a"] * 2, *["--quiet"] * 2, *["--workers", "2"] * 2,
    )  # fmt: skip
    assert done.err == "penult: no such file or folder: none\n"


def test_those_that_take_several_values_in_some_commands_alone_are_known():
    of = {True: set(), False: set()}
    for command in COMMANDS.values():
        for param in command.params:
            if param.param_type_name == "option" and not param.is_flag:
                of[param.multiple].add(max(param.opts, key=len))
    assert of[True] & of[False] == SEVERAL_ELSEWHERE
