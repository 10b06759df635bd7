"""`penult compare`: the table, what goes to stderr, exit codes, and going on."""

from __future__ import annotations

import json
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import comparisons
import pytest

from penult.backbones.info import ModelInfo
from penult.backbones.registry import register, unregister
from penult.backbones.source import BackboneSource
from penult.errors import UsageError, WeightsError
from penult.records import RunScores


@pytest.fixture
def typed(penult, monkeypatch):
    """`typed(made, *options)` runs the command, which is given a comparison that was made up."""

    def run(made, *options):
        def compare(_images, _output, **asked):
            run.asked = asked
            if isinstance(made, BaseException):
                raise made
            return made

        monkeypatch.setattr("penult.tasks.compare.compare", compare)
        return penult("compare", "photos", "-o", "comparison", "-m", "efficientnet_lite0", *options)

    return run


# --- What is printed -----------------------------------------------------------------------------


@pytest.mark.light
@pytest.mark.parametrize("number", [2, 8, 30])
def test_the_tables_fit_80_columns_best_first(typed, monkeypatch, number):
    monkeypatch.setenv("COLUMNS", "80")
    done = typed(comparisons.many_models(number))
    assert done.code == 0
    tables, _, _ = done.out.partition("◀ ")
    assert max(map(len, tables.splitlines())) <= 80
    body = [line for line in done.out.splitlines() if "%" in line and " ± " in line][:number]
    accuracies = [float(line.split("%")[0].split()[-1]) for line in body]
    assert len(accuracies) == number
    assert accuracies == sorted(accuracies, reverse=True)


@pytest.mark.light
@pytest.mark.parametrize("longer", range(8))
def test_no_cell_of_a_table_is_broken_into_two_lines(typed, monkeypatch, longer):
    monkeypatch.setenv("COLUMNS", "80")
    rows = [
        replace(row, name=f"{'x' * (14 + longer)}{k}", any_label={})
        for k, row in enumerate(comparisons.flowers().rows)
    ]
    wild = dict.fromkeys(rows[0].scores, RunScores((0.0, 1.0, 0.9)))
    made = comparisons.comparison([replace(rows[0], scores=wild), *rows[1:]])
    tables, _, _ = typed(made).out.partition("\n◀ ")
    lines = [line for line in tables.splitlines() if line.strip()]
    assert [line.split()[0][0] for line in lines] == [*"m─xxxxxx", "o", *"m─xxxxxx"]


@pytest.mark.light
def test_after_the_tables_come_the_advice_the_page_and_its_address(typed):
    made = comparisons.flowers()
    done = typed(made)
    lines = done.out.splitlines()
    assert lines[0].split()[:2] == ["model", "accuracy"]
    (chosen,) = (line for line in lines if " ◀" in line)
    assert chosen.startswith(" efficientnet_lite1 ◀")
    assert chosen.split()[5:7] == ["≈", "best"]
    assert f"◀ {made.reason}" in lines
    assert lines[-1] == str(made.page)
    assert done.err.splitlines()[-1] == (
        f"next: open {made.page.resolve().as_uri()} in a browser"
    )  # fmt: skip
    assert "next:" not in typed(made, "-q").err


@pytest.mark.light
def test_skipped_networks_are_named_below_the_tables_a_line_each(typed):
    done = typed(comparisons.flowers())
    assert done.code == 0
    assert done.out.splitlines()[-3:-1] == [
        "skipped hf:google/vit-base-patch16-224: its weights are not on this machine",
        "skipped nasnetalarge: not enough memory: it asked for 3.1 GB of 2.0 GB",
    ]


@pytest.mark.light
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_fewer_than_two_are_a_failure_where_others_were_asked_for(typed, options):
    skipped = comparisons.flowers().skipped
    done = typed(replace(comparisons.one_model(), skipped=skipped), *options)
    assert done.code == 1
    assert done.err.splitlines()[-1] == "penult: 1 network could be compared; it takes two"


@pytest.mark.light
@pytest.mark.parametrize("options", [(), ("--json",), ("-q",)])
def test_one_network_is_a_beginning_and_it_says_how_to_add_another(typed, options):
    done = typed(comparisons.one_model(), *options)
    assert done.code == 0
    assert done.err.splitlines()[-1] == (
        "comparison has 1 network so far; to add another: the same command with another -m NAME, "
        "of those that `penult models` lists"
    )


@pytest.mark.light
def test_json_is_what_the_folder_has(typed):
    made = comparisons.several_labels()
    done = typed(made, "--json")
    told = json.loads(done.out)
    assert told == json.loads(json.dumps(made.to_dict()))
    assert list(told) == [
        "rows", "score", "splits", "differences", "recommended", "reason", "skipped", "failures",
        "cka", "rsa",
    ]  # fmt: skip
    first = told["rows"][0]
    assert first["accuracy"].keys() == first["any_label"]["hit@1"].keys() == {"mean", "std", "runs"}
    assert {
        "model", "layer", "hit@5", "precision@5", "macro_f1", "soft_f1", "parameters", "flops",
        "features", "images_per_second", "peak_memory",
    } <= first.keys()  # fmt: skip
    assert told["differences"][0].keys() >= {"a", "b", "low", "high", "separable"}
    assert told["cka"].keys() >= {"names", "matrix"}


@pytest.mark.light
def test_open_shows_the_page(typed, monkeypatch):
    shown = []
    monkeypatch.setattr("penult.reporting.opening.open_page", shown.append)
    done = typed(comparisons.flowers(), "--open")
    assert shown == [Path("comparison/index.html")]
    assert "next:" not in done.err


# --- What is typed -------------------------------------------------------------------------------


@pytest.mark.light
def test_what_may_be_several_is_given_several_times(typed):
    typed(
        comparisons.flowers(),
        "-m", "efficientnet_lite0+efficientnet_lite1", "-l", "blocks.4", "-l", "penultimate",
        "--views", "none", "--views", "flip", "--precision", "bfloat16", "--score", "hit@1",
        "--no-cost", "--no-similarity",
    )  # fmt: skip
    asked = typed.asked
    assert asked["model"] == ["efficientnet_lite0", "efficientnet_lite0+efficientnet_lite1"]
    assert asked["layer"] == ["blocks.4", "penultimate"]
    assert asked["views"] == ["none", "flip"]
    assert asked["precision"] == ["bfloat16"]
    assert (asked["score"], asked["cost"], asked["similarity"]) == ("hit@1", False, False)


@pytest.mark.light
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--views", "mirror"), "unknown views 'mirror'; allowed: none, flip, five-crop, ten-crop"),
        (("--precision", "int8"), "unknown precision 'int8'; allowed: float32, float16, bfloat16"),
        (("--score", "f1"), "--score: 'f1' is not one of 'accuracy',"),
        (("--runs", "0"), "--runs is 0; give 1 or more"),
        (("--test-size", "1"), "give a number between 0 and 1"),
    ],
)
def test_what_cannot_be_is_one_line_before_anything_runs(penult, photos, tmp_path, options, said):
    done = penult("compare", photos, "-o", tmp_path / "c", "-m", "efficientnet_lite0", *options)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "c").exists()


@pytest.mark.light
def test_without_a_model_it_says_which_are_compared(penult, monkeypatch, photos, tmp_path, caplog):
    def model(name, parameters, *, here=True):
        return ModelInfo(
            name=name, parameters=parameters, input_size=(224, 224), features=512, licence="MIT",
            top1=None, weights="some", on_this_machine=here,
        )  # fmt: skip

    def list_models(_pattern):
        return [
            model("timm:resnet18", 99_999_999),
            model("timm:resnet34", 100_000_000),
            model("timm:resnet50", 1_000_000, here=False),
            model("timm:resnet101", None),
        ]

    asked = []

    def list_candidates(models, **_options):
        asked.extend(models)
        return []

    def prepare(*_, **__):
        raise UsageError("enough")

    monkeypatch.setattr("penult.comparison.candidates.list_models", list_models)
    monkeypatch.setattr("penult.tasks.compare.list_candidates", list_candidates)
    monkeypatch.setattr("penult.comparison.folder.ComparisonFolder.prepare", prepare)
    assert penult("compare", photos, "-o", tmp_path / "c").err == "penult: enough\n"
    assert asked == [*(f"bundled:efficientnet_lite{k}" for k in range(3)), "timm:resnet18"]
    (told,) = caplog.messages
    assert told == (
        f"penult: no model was named: {', '.join(asked)} are compared, which may take "
        "minutes; --model names others"
    )


@pytest.mark.light
def test_a_random_network_is_called_so(penult, photos, tmp_path, monkeypatch):
    monkeypatch.setattr("penult.cli.console.has_torch", lambda: True)
    done = penult(
        "compare", photos, "-o", tmp_path / "c", "-m", "efficientnet_lite0+efficientnet_lite9",
        "--weights", "random",
    )  # fmt: skip
    assert "RANDOM WEIGHTS" in done.err


# --- With photos ---------------------------------------------------------------------------------


@pytest.fixture
def layers(photos, toy, tmp_path, monkeypatch):
    """What is typed to compare two layers of a toy network, as quickly as can be; nothing is drawn."""
    monkeypatch.setattr("penult.reporting.comparison_figures.comparison_figures", lambda _: {})
    return (
        "compare", photos, "-o", tmp_path / "c", "-m", toy, "-l", "mean", "-l", "logits",
        "--no-cost", "--no-similarity", "--runs", 2,
    )  # fmt: skip


def test_photos_become_a_table_and_a_folder(penult, layers, tmp_path):
    done = penult(*layers)
    assert done.code == 0, done
    assert "toy:mean-colour/mean" in done.out
    assert "toy:mean-colour/logits" in done.out
    assert "mean ± standard deviation of 2 runs" in done.out
    folder = tmp_path / "c"
    assert {"comparison.json", "comparison.csv", "splits.csv", "features", "results"} <= {
        path.name for path in folder.iterdir()
    }
    told = json.loads((folder / "comparison.json").read_text())
    lines = (folder / "comparison.csv").read_text().splitlines()
    assert len(lines) == 1 + len(told["rows"]) == 3
    assert lines[0].startswith("name,model,layer,precision,views,accuracy,accuracy_std,")
    as_json = json.loads(penult(*layers, "--json", "-q").out)
    assert as_json == told


def test_a_network_whose_weights_are_gone_is_named_and_the_others_go_on(penult, layers, caplog):
    register(Gone())
    try:
        done = penult(*layers, "-m", "gone:network", "-q")
    finally:
        unregister("gone")
    assert done.code == 0
    assert caplog.messages == ["penult: gone:network is left out: its weights are on no machine"]
    assert "\nskipped gone:network: its weights are on no machine\n" in done.out


class Gone(BackboneSource):
    """Networks that there once were."""

    prefix = "gone"

    def names(self):
        return ["network"]

    def models(self):
        return []

    def open(self, name, choice):
        raise WeightsError("its weights are on no machine")


@pytest.mark.parametrize("finished", [False, True])
def test_ctrl_c_keeps_what_is_finished_and_says_how_to_go_on(
    penult, layers, tmp_path, monkeypatch, finished
):
    from penult.comparison.folder import ComparisonFolder

    write = ComparisonFolder.write_result

    def stop(self, result):
        if finished:
            write(self, result)
        signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(ComparisonFolder, "write_result", stop)
        done = penult(*layers, "-q")
    folder = tmp_path / "c"
    assert (done.code, done.out) == (130, "")
    assert done.err == (
        f"penult: stopped; what is finished is kept in {folder}: the same command goes on from "
        "there\n"
    )
    assert len([*(folder / "results").glob("*.npz")]) == finished
    assert penult(*layers, "-q").code == 0


@pytest.mark.light
def test_ctrl_c_before_there_is_a_folder_promises_nothing(typed):
    from penult.cli.stop import Stopped

    done = typed(Stopped(signal.SIGINT))
    assert (done.code, done.err) == (130, "penult: stopped\n")


@pytest.mark.light
def test_one_set_of_rows_is_a_beginning_too(penult, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("penult.tasks.compare.compare", lambda *_, **__: comparisons.one_model())
    (tmp_path / "rows.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    done = penult("compare", "rows.h5", "-o", "two of them", "-q")
    assert done.code == 0
    assert done.err.endswith("to add another: penult compare OTHER.h5 -o 'two of them'\n")


@pytest.mark.light
def test_what_cannot_be_compared_is_refused_before_any_work_and_leaves_nothing(
    penult, photos, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr("penult.comparison.run.ComparisonRun.run", lambda *_: pytest.fail("run"))
    folder = tmp_path / "c"
    (photos / "tram").mkdir()
    (photos / "rose/rose_01.jpg").rename(photos / "tram/1.jpg")
    for images, said in (
        (photos / "tulip", "none of 12 images has a label; put them into one folder a class"),
        (photos, "36 images of 4 classes, the smallest of 1, are too few to hold out 20% with"),
    ):
        done = penult("compare", images, "-o", folder, "-q")
        assert done.code != 0
        assert said in done.err
        assert not folder.exists()
    (photos / "tram/1.jpg").rename(photos / "rose/rose_01.jpg")
    (photos / "tram").rmdir()
    for part in ("train", "test"):
        shutil.copytree(photos, tmp_path / "divided" / part)
    done = penult("compare", tmp_path / "divided", "-o", folder, "--runs", 5, "-q")
    assert done.code == 2
    assert "--runs 5 was given, and would hold out the same images each time" in done.err
    assert not folder.exists()
    assert penult("compare", photos, "-o", photos, "--overwrite", "-q").code == 2
    assert caplog.messages == []  # not what is compared by default


def test_a_network_that_fails_leaves_no_empty_folder(penult, photos, tmp_path):
    register(Gone())
    try:
        for folder in (tmp_path / "c", tmp_path / "empty"):
            (tmp_path / "empty").mkdir(exist_ok=True)
            done = penult("compare", photos, "-o", folder, "-m", "gone:network", "-q")
            assert (done.code, done.err.count("its weights are on no machine")) == (1, 1)
    finally:
        unregister("gone")
    assert not (tmp_path / "c").exists()
    assert [*(tmp_path / "empty").iterdir()] == []
