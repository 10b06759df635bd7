"""Wherever a network is named: the pretrained one's name is for the pretrained weights alone."""

from __future__ import annotations

import pytest
import timm
import torch
from safetensors.torch import save_file

from penult.backbones.checkpoint import save_checkpoint
from penult.recipe import Preprocessing

SEEN = Preprocessing(
    resize=(64, 64), crop=None, interpolation="bilinear", mean=(0.5,) * 3, std=(0.5,) * 3
)
PRETRAINED = "test_resnet.r160_in1k"


def without_commands(done):
    """What was said of the rows; what to type has the name that they are made again with."""
    lines = (done.out + done.err).splitlines()
    return "\n".join(line for line in lines if not line.startswith("made again by: "))


def test_random_weights_do_not_go_by_the_pretrained_networks_name(penult, photos, tmp_path):
    network = "untrained timm/test_resnet (random weights)"
    asked = ["--model", "timm:test_resnet", "--weights", "random"]
    features, classifier = tmp_path / "f.h5", tmp_path / "c.skops"
    for done in (
        penult("extract", photos, "-o", features, *asked, "--engine", "torch"),
        penult("extract", photos, "-o", features, *asked, "--dry-run", "--overwrite"),
        penult("info", features),
        penult("train", features, "-o", classifier),
        penult("info", classifier),
        penult("layers", *asked[1:]),
    ):
        assert done.code == 0
        assert network in done.out
        assert PRETRAINED not in without_commands(done)


def test_a_checkpoint_goes_by_its_files_name(penult, photos, tmp_path):
    torch.manual_seed(0)
    resnet = timm.create_model("test_resnet", num_classes=3)
    save_file(resnet.state_dict(), tmp_path / "plain.safetensors")
    save_checkpoint(
        tmp_path / "mine.ckpt", resnet, architecture="timm:test_resnet", preprocessing=SEEN
    )
    for name, options in (
        ("plain.safetensors", ["-m", tmp_path / "plain.safetensors", "--architecture", "timm:test_resnet"]),
        ("plain.safetensors", ["-m", "timm:test_resnet", "--weights", tmp_path / "plain.safetensors"]),
        ("mine.ckpt", ["-m", tmp_path / "mine.ckpt"]),
    ):  # fmt: skip
        features = tmp_path / "f.h5"
        for done in (
            penult("extract", photos, "-o", features, *options, "--overwrite", "--engine", "torch"),
            penult("extract", photos, "-o", features, *options, "--dry-run", "--overwrite"),
            penult("info", features),
            penult("layers", *options[1:]),
        ):
            assert done.code == 0
            assert f"checkpoint {name} (timm/test_resnet)" in done.out
            assert PRETRAINED not in without_commands(done)


def test_weights_that_only_stand_in_for_those_to_be_downloaded_are_not_spoken_of(
    penult, monkeypatch, tmp_path
):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    done = penult("layers", "torchvision:squeezenet1_1", "features")
    assert done.out.startswith("torchvision:squeezenet1_1.IMAGENET1K_V1, in execution")


@pytest.mark.usefixtures("without_looks")
def test_a_report_on_a_checkpoint_says_what_can_be_typed(penult, photos, tmp_path):
    resnet = timm.create_model("test_resnet", num_classes=3)
    path = tmp_path / "mine.ckpt"
    save_checkpoint(path, resnet, architecture="timm:test_resnet", preprocessing=SEEN)
    done = penult(
        "report", photos, "-o", tmp_path / "report", "-m", path, "--engine", "torch", "-q"
    )
    assert done.code == 0
    (page,) = (tmp_path / "report").glob("*.html")
    text = page.read_text("utf-8")
    assert "checkpoint mine.ckpt (timm/test_resnet)" in text
    assert f"--model checkpoint:{path}" in text
    assert "--weights" not in text
