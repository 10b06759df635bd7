"""Where progress is seen, what it says, and what it leaves behind."""

from __future__ import annotations

import contextlib
import inspect
import io
import re
import sys
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest

import penult
from penult.classify.prediction.predict import predict_images
from penult.errors import UsageError
from penult.extractor import Extractor
from penult.progress import Display, display, following, shown
from penult.progress.lines import Lines
from penult.progress.pace import Pace, sentence
from penult.records import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    @property
    def text(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.getvalue())


@pytest.fixture
def terminal(monkeypatch):
    """A terminal that is stderr in a `with` block, and shows every bar at once."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(display, "_PATIENCE", 0)
    yield contextlib.redirect_stderr(Terminal())
    assert not display._free.locked()


@pytest.fixture
def notebook(monkeypatch):
    """What a cell's output was, each time that it changed."""
    outputs: list[dict[str, str]] = []

    class Handle:
        def update(self, data, *, raw):
            outputs.append(data)

    def show(data, *, raw, display_id):
        assert not outputs, "a second output"
        outputs.append(data)
        return Handle()

    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=show))
    monkeypatch.setattr(display, "_PATIENCE", 0)
    return outputs


def pace_of(*seconds_and_steps):
    """The pace after steps, each given as (second, done, kept) of 100 fits."""
    clock = iter(second for second, _, _ in seconds_and_steps)
    steps = [Progress(d, 100, 0, k, stage="train", unit="fits") for _, d, k in seconds_and_steps]
    pace = Pace(steps[0], lambda: next(clock))
    for step in steps[1:]:
        pace.add(step)
    return pace, steps[-1]


def test_a_rate_is_what_was_done_since_the_step_began():
    pace, now = pace_of((0, 0, 0), (10, 20, 0))
    assert (pace.rate, pace.seconds_left) == (2, 40)
    assert sentence(now, pace) == "train: 20 of 100 fits, 2.0 fits/s, 40 s left"


def test_steps_that_come_at_once_are_no_rate():
    """A grid's fits are counted when a fold is over: dozens within a millisecond."""
    pace, now = pace_of((0, 0, 0), (0.001, 27, 0))
    assert sentence(now, pace) == "train: 27 of 100 fits"


def test_what_was_done_before_is_in_no_rate():
    pace, _ = pace_of((0, 50, 50), (10, 60, 50))
    assert (pace.rate, pace.seconds_left) == (1, 40)
    pace, _ = pace_of((0, 0, 0), (10, 60, 50))  # an update finds out as it goes
    assert pace.rate == 1


def test_what_cannot_be_counted_is_named_and_bytes_are_megabytes():
    now = Progress(0, None, 0, stage="loading x", unit="")
    assert sentence(now, Pace(now)) == "loading x"
    now = Progress(1_500_000, 3_000_000, 0, stage="downloading x", unit="bytes")
    assert sentence(now, Pace(now)) == "downloading x: 1.5 of 3.0 MB"


def test_a_script_and_a_test_show_nothing(photos, toy, capsys):
    penult.extract(photos, model=toy)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_a_bar_that_is_gone_in_the_end(photos, toy, terminal):
    with terminal as screen:
        penult.extract(photos, model=toy)
    assert "36 of 36 images" in screen.text
    assert f"loading {toy}" in screen.text
    assert screen.getvalue().endswith("\x1b[?25h\r\x1b[1A\x1b[2K")  # the cursor, and no line


@pytest.mark.parametrize("way", ["argument", "environment", "thread", "function"])
def test_a_terminal_is_left_alone_where_it_is_asked_to_be(photos, toy, terminal, monkeypatch, way):
    progress = {"argument": False, "function": lambda _now: None}.get(way)
    if way == "environment":
        monkeypatch.setenv("PENULT_PROGRESS", "0")

    def run():
        penult.extract(photos, model=toy, progress=progress)

    with terminal as screen:
        if way == "thread":
            thread = threading.Thread(target=run)
            thread.start()
            thread.join()
        else:
            run()
    assert screen.getvalue() == ""


def test_true_shows_lines_where_there_is_no_terminal(photos, toy, capsys):
    penult.extract(photos, model=toy, progress=True)
    assert capsys.readouterr().err == "extract: 36 of 36 images\n"


def test_a_log_has_no_line_of_steps_that_take_seconds(make_features, capsys):
    penult.duplicates(make_features({"a": 20, "b": 20}), progress=True)
    assert "comparing" not in capsys.readouterr().err


def test_what_is_no_wish_is_refused(photos, toy):
    with pytest.raises(UsageError, match=r"progress is 3; give True, False,? or a function"):
        penult.extract(photos, model=toy, progress=3)


def test_a_report_tells_its_steps_one_after_the_other(photos, toy, tmp_path):
    told: list[Progress] = []
    penult.extract(photos, model=toy)  # after which it need not be converted
    penult.report(photos, tmp_path / "report", model=toy, progress=told.append)
    stages = list(dict.fromkeys(now.stage for now in told))
    counted_ones = [
        "extract",
        "train",
        "label errors",
        "learning curve",
        "comparing all rows",
        "search",
    ]
    looks = ["cluster", "neighbours", "t-SNE"]  # which count from the first that is done
    assert [stage for stage in stages if stage in counted_ones + looks] == counted_ones + looks
    assert {
        f"loading {toy}",
        "near-duplicates",
        "intervals",
        "looking for the images",
        "pictures",
    } <= set(stages)
    for stage in counted_ones:
        counted = [now for now in told if now.stage == stage]
        assert (counted[0].done, counted[-1].done) == (0, counted[-1].total)


def test_an_index_tells_its_rows_from_none_to_all(make_features, tmp_path):
    told: list[Progress] = []
    rows = make_features({"a": 20, "b": 20})
    penult.index(rows, tmp_path / "rows.index", kind="hnsw", progress=told.append)
    stages = {now.stage for now in told if now.counted}
    assert {"build the index", "write the index"} <= stages
    for stage in stages:
        counted = [now for now in told if now.stage == stage]
        assert (counted[0].done, counted[-1].done) == (0, counted[-1].total), stage


def test_one_bar_is_seen_at_a_time(terminal):
    with terminal as screen, Display() as outer, Display() as inner:
        inner(Progress(1, 2, 0, stage="inner"))
        outer(Progress(1, 2, 0, stage="outer"))
    assert "outer" in screen.text
    assert "inner" not in screen.text


def test_ctrl_c_gives_the_terminal_back(photos, toy, terminal, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("penult.runs.FeatureWriter.append", stop)
    with terminal as screen, pytest.raises(KeyboardInterrupt):
        penult.extract(photos, model=toy)
    assert screen.getvalue().endswith("\x1b[?25h\r\x1b[1A\x1b[2K")


def test_a_loop_that_is_left_leaves_no_bar(photos, toy, terminal):
    classifier = penult.train(penult.extract(photos, model=toy, progress=False), folds=2)
    with terminal as screen:
        outcomes = predict_images(classifier, photos, batch_size=4)
        next(outcomes)
        assert display._free.locked()
        del outcomes
    assert screen.getvalue().endswith("\x1b[?25h\r\x1b[1A\x1b[2K")


def test_a_notebook_gets_one_output_that_ends_as_a_line_a_step(notebook):
    with Display() as tell:
        tell(Progress(0, None, 0, stage="loading <b>", unit="", brief=True))
        for done in range(1001):
            tell(Progress(done, 1000, 0, stage="extract"))
    assert len(notebook) < 20
    assert "<progress></progress> loading &lt;b&gt;" in notebook[0]["text/html"]
    assert '<progress max="1000" value=' in notebook[-2]["text/html"]
    (extracting,) = notebook[-1]["text/plain"].splitlines()  # no line for what took no time
    assert extracting.startswith("extract: 1,000 of 1,000 images, 0.")
    assert "<progress" not in notebook[-1]["text/html"]


def test_a_notebook_is_told_by_default(notebook, photos, toy):
    penult.extract(photos, model=toy)
    assert "extract: 36 of 36 images" in notebook[-1]["text/plain"]


def test_a_first_run_says_that_it_converts_the_network(photos, tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("PENULT_CACHE", str(tmp_path / "cache"))
    told: list[Progress] = []
    options = {"model": tiny, "engine": "openvino", "progress": told.append}
    penult.extract(photos, **options)
    steps = [now.stage for now in told if not now.counted]
    assert steps == [f"loading {tiny}", f"converting {tiny} for this processor, once"]
    told.clear()
    penult.extract(photos, **options)
    assert [now.stage for now in told if not now.counted] == [f"loading {tiny}"]


def test_whoever_takes_long_takes_progress():
    functions = [getattr(penult, name) for name in penult.__all__]
    functions = [f for f in functions if inspect.isfunction(f)]
    functions += [penult.Classifier.predict, Extractor.__call__, Extractor.by_layer]
    parameters = {f.__qualname__: inspect.signature(f).parameters for f in functions}
    long = {
        "extract", "train", "predict", "evaluate", "verify", "quantize", "convert", "report", "export_rows", "merge", "join", "reduce", "search", "index",
        "evaluate_search", "Classifier.predict", "Extractor.__call__", "Extractor.by_layer",
        "duplicates", "compare", "map", "cluster", "summarize", "outliers", "finetune", "serve", "plan_machines", "push", "pull",
    }  # fmt: skip
    assert {name for name, known in parameters.items() if "progress" in known} == long
    assert {parameters[name]["progress"].default for name in long} == {None}
    assert not [
        n for known in parameters.values() for n in known if n in ("on_progress", "on_stage")
    ]


def test_a_function_called_by_another_tells_what_that_one_tells():
    told: list[Progress] = []
    from penult.progress import following

    with following(told.append), shown(None) as tell:
        tell(Progress(1, 2, 0))
    assert told == [Progress(1, 2, 0)]


def test_silence_that_is_asked_for_holds_within_a_function_that_is_followed():
    told = []
    with following(told.append), shown(False) as tell:
        tell(Progress(0, 2, 0, stage="inner"))
    assert told == []


def test_the_environment_silences_what_a_command_would_show(terminal, monkeypatch):
    monkeypatch.setenv("PENULT_PROGRESS", "0")
    with terminal as screen, shown(True) as tell:
        tell(Progress(1, 2, 0, stage="extract"))
    assert screen.text == ""


def test_a_stage_that_has_ended_is_told_once_in_a_log(capsys):
    view = Lines()
    for done in (50, 100, 100, 100):
        step = Progress(done, 100, 0, stage="t-SNE")
        view.show(step, Pace(step))
    view.show(Progress(7, 7, 0, stage="place"), Pace(Progress(7, 7, 0, stage="place")))
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_log_gets_a_line_every_ten_seconds(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    view = Lines()
    step = Progress(0, 100, 0, stage="extract")
    pace = Pace(step)
    for seconds in (1, 9, 11, 12, 22):
        now[0] = seconds
        step = replace(step, done=seconds)
        pace.add(step)
        view.show(step, pace)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[1] for line in lines] == ["11", "22"]


@pytest.fixture
def stages(photos, toy, tmp_path):
    """What a function is told of, given rows of 36 photos."""
    path = tmp_path / "rows.h5"
    penult.extract(photos, path, model=toy)

    def of(call):
        told = []
        call(path, progress=told.append)
        return told

    return of


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda path, **rest: penult.index(path, **rest), id="index"),
        pytest.param(
            lambda path, **rest: penult.search(path, id="rose/rose_01.jpg", **rest), id="search"
        ),
        pytest.param(lambda path, **rest: penult.train(path, **rest), id="train"),
    ],
)
@pytest.mark.parametrize("little", [0, 64 << 20])
def test_reading_rows_is_told_where_it_takes_some_seconds(call, little, stages, monkeypatch):
    monkeypatch.setattr("penult.retrieve.given.BLOCK_BYTES", little or 1)
    reading = Progress(36, 36, 0, stage="reading the rows", unit="rows", brief=True)
    assert "reading the rows" not in [one.stage for one in stages(call)]
    monkeypatch.setattr("penult.progress.follow._SECONDS", -1)
    assert reading in stages(call)


def test_a_fit_of_many_rows_is_told_before_it_begins(stages, monkeypatch):
    monkeypatch.setattr("penult.classify.training.train._MANY_ROWS", 20)
    told = [one.stage for one in stages(penult.train)]
    assert told.index("fitting 27 rows") < told.index("train")
