"""`penult finetune`."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec

import pytest
from finetuned import draw_curves_once

pytestmark = pytest.mark.torch


@pytest.fixture
def normed():
    from normed import NormedNetwork

    from penult.backbones.registry import register, unregister

    register(NormedNetwork())
    yield "normed:network"
    unregister("normed")


@pytest.fixture
def finetune(penult, normed, photos, monkeypatch):
    monkeypatch.chdir(photos.parent)
    draw_curves_once(monkeypatch)

    def run(*arguments):
        return penult(
            "finetune", photos, "-o", "flowers.ckpt", "-m", normed, "--epochs", 1,
            "--near-duplicates", 1, *arguments,
        )  # fmt: skip

    return run


def test_epochs_scores_and_the_verdict_are_printed(finetune):
    done = finetune()
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].split() == ["epoch", "training", "loss", "validation", "loss", "validation",
                                "accuracy", "seconds"]  # fmt: skip
    learnt = ("learnt: conv_head and the head, ", "trained, and not kept: conv_head and the head, ")
    assert any(line.startswith(learnt) for line in lines)
    assert any(re.match(r"accuracy [\d.]+% on 9 images", line) for line in lines)
    assert "9 images are few: the true accuracy may be anywhere" in done.out
    assert any(line.startswith("the probe, a classifier on the rows of the") for line in lines)
    assert lines[-1] == "flowers.ckpt"
    # On nine photos nothing is better beyond noise.
    labels = "--labels flowers.ckpt/parts.csv"
    assert f"--model normed:network {labels} -o flowers.h5" in done.err
    assert "next: penult train flowers.h5 -o flowers.skops" in done.err


def test_the_next_step_is_the_network_where_it_beats_the_probe(finetune, monkeypatch):
    monkeypatch.setattr("penult.records.Finetuned.beats_probe", True)
    assert "next: penult predict flowers.ckpt PHOTOS" in finetune().err


def test_what_an_interrupted_run_kept_is_said_by_info(penult, tmp_path):
    (tmp_path / "f.ckpt" / "state").mkdir(parents=True)
    done = penult("info", tmp_path / "f.ckpt")
    assert done.code == 1
    assert (
        "its fine-tuning has not ended; type its penult finetune again with the same " in done.err
    )
    assert "options and --resume" in done.err


def test_blocks_are_listed_as_unfreeze_counts_them(penult, normed):
    told = json.loads(penult("layers", normed, "--blocks", "--json").out)
    assert [one["unfreeze"] for one in told] == [4, 3, 2, 1]
    assert told[-1]["name"] == "conv_head"
    done = penult("layers", normed, "conv*", "--blocks")
    assert re.search(r"^ *conv_head +\w+ +1 ", done.out, re.MULTILINE)
    assert penult("layers", normed, "logits", "--blocks").code == 2


def test_nothing_held_out_is_no_score(finetune):
    done = finetune("--test-size", 0)
    assert done.code == 0, done.err
    assert "test photo" not in done.out
    assert "No photo was held out: there is no test score" in done.out


def test_json_is_what_the_folder_holds(finetune, photos):
    told = json.loads(finetune("--json", "-q").out)
    assert told.pop("output") == "flowers.ckpt"
    written = json.loads((photos.parent / "flowers.ckpt" / "scores.json").read_text())
    assert told == written


def test_the_folder_predicts(finetune, penult, photos):
    finetune("--unfreeze", "none", "--head", "mlp:8", "-q")
    done = penult("predict", "flowers.ckpt", photos / "rose", "-q")
    assert done.code == 0
    assert len(done.out.splitlines()) >= 12


def test_a_report_of_the_folder_prints_its_scores_and_the_verdict(finetune, penult, photos):
    finetune("-q")
    verdict = json.loads((photos.parent / "flowers.ckpt" / "scores.json").read_text())["verdict"]
    left_out = ("--no-map", "--no-clusters", "--no-outliers", "--no-retrieval", "--no-duplicates")
    done = penult("report", "flowers.ckpt", "-o", "tuned", "-q", *left_out)
    assert done.code == 0, done.err
    assert verdict in done.out.splitlines()
    assert re.search(r"^rose +[\d.]+ +[\d.]+", done.out.replace(" rose", "rose"), re.MULTILINE)
    assert "finetuned" not in done.out  # no search has chosen a kind
    assert done.out.splitlines()[-1] == "tuned/index.html"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--unfreeze", "top"], "--unfreeze top was given; give none, last, all"),
        (["--unfreeze", "5"], "has 4 blocks; give --unfreeze all"),
        (["--head", "mlp"], "--head mlp was given; give linear, or mlp:K"),
        (["--lr", "-1"], "--lr -1 was given; give a number above 0"),
    ],
)
def test_wrong_options_are_one_line(finetune, arguments, said):
    done = finetune(*arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err


def test_logs_for_tensorboard(finetune, photos, monkeypatch):
    if find_spec("tensorboard") is None:
        pytest.skip("needs tensorboard")
    assert finetune("--tensorboard", "logs", "-q").code == 0
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(photos.parent / "logs")).Reload()
    assert [one.step for one in events.Scalars("fine-tuning/loss/validation")] == [0, 1]


def test_where_tensorboard_is_missing_it_is_said_before_any_work(finetune, photos, monkeypatch):
    monkeypatch.setattr("penult.extras.is_installed", lambda *names: "tensorboard" not in names)
    done = finetune("--tensorboard", "logs")
    assert done.code == 2
    assert "pip install 'penult[tensorboard]'" in done.err
    assert not (photos.parent / "flowers.ckpt").exists()


def test_the_share_of_the_trained_weights_in_an_average_is_printed(finetune, monkeypatch):
    from penult.finetuning import evaluation

    losses = iter(range(10, 0, -1))  # each is less than all before
    monkeypatch.setattr(evaluation, "mean_loss", lambda *_, **__: float(next(losses)))
    done = finetune("--wise-ft")
    assert (
        "weights averaged with those of the start (WiSE-FT): 100% of the trained ones" in done.out
    )
