"""`penult plan`."""

from __future__ import annotations

import json

import pytest

from penult.errors import EngineError

pytestmark = pytest.mark.light


@pytest.mark.parametrize("width", [80, 200])
def test_choices_stand_side_by_side_and_the_last_line_is_to_be_typed(
    penult, photos, toy, monkeypatch, width
):
    monkeypatch.setenv("COLUMNS", str(width))
    done = penult(
        "plan", "--images", "1e9", "--sample", photos, "--model", toy, "--cores", 16,
        "--deadline", "24h", "--price-per-hour", 0.4, "--seconds", 0.5,
    )  # fmt: skip
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].startswith("1,000,000,000 images; ")
    assert lines[2].split()[:2] == ["read", "network"]
    assert lines[2].split()[-1] == "cost"
    assert lines[4].split()[0] == "float32"
    tables = lines[: lines.index("it holds if:")]
    assert max(map(len, tables)) <= width
    assert sum("◀" in line for line in tables) == 2
    next_line = done.err.splitlines()[-1]
    where = "s3://BUCKET/photos.rows" if "--ray auto" in next_line else "photos.rows"
    assert next_line.startswith(f"next: penult extract IMAGES --output {where} ")
    assert next_line.endswith(f"--model {toy}")


def test_json_has_the_rates_and_the_choices(penult, photos, toy):
    done = penult(
        "plan", "--images", 1000, "--sample", photos, "--model", toy, "--seconds", 0.5, "--json"
    )
    told = json.loads(done.out)
    assert (told["images"], told["machines"]) == (1000, 1)
    assert 2 <= told["measured"]["sample"]["photos"] <= 36  # as many as there was time for
    assert told["ways"][0]["precision"] == "float32"
    assert told["ways"][0]["seconds"] > 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--images", "many"], "--images is 'many'; give a number from 1 to 1e15, such as 1e9"),
        (["--images", ""], "--images is empty; give a number such as 1e9"),
        (
            ["--images", "5", "--machines", "0"],
            "--machines 0 was given; give 1 to 100,000 machines",
        ),
        (["--images", "5", "--deadline", "24"], "--deadline is '24'; give a time with its unit"),
        (["--images", "5", "--memory", "64"], "--memory is '64'; give a size with its unit"),
        (["--images", "5", "--seconds", "0"], "--seconds 0 was given; measure for 0.5 to 3600"),
        (["--images", "5", "--model", "toy:mean-color"], "did you mean mean-colour?"),
        (["--images", "5", "--sample", "nowhere"], "no such file or folder: nowhere"),
        ([], "--images is missing"),
    ],
)
def test_what_is_wrong_is_one_line(penult, toy, given, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = penult("plan", *given)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert len(done.err.splitlines()) == 1


def test_a_deadline_that_cannot_be_met_is_refused(penult, photos, toy):
    done = penult(
        "plan", "--images", "1e12", "--sample", photos, "--model", toy, "--machines", 1,
        "--deadline", "1h", "--seconds", 0.5, "--quiet",
    )  # fmt: skip
    assert done.code == 2
    assert "1 machine of" in done.err
    assert "would do, or a --deadline of" in done.err or "; a --deadline of" in done.err


def test_gpus_that_are_not_here_cannot_be_measured(penult, photos, toy, monkeypatch):
    def refuse(*_, **__):
        raise EngineError("the device 'cuda' cannot be used: there is none; give --device auto")

    monkeypatch.setattr("penult.capacity.measure.measure_rates", refuse)
    done = penult("plan", "--images", 5, "--sample", photos, "--model", toy, "--gpus", 1)
    assert done.code == 1
    assert "--gpus 1 was given, and GPUs are measured" in done.err
    assert "--device" not in done.err
