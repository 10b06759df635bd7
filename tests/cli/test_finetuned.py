"""The folder of a fine-tuned network, where a network and where a classifier is asked for."""

from __future__ import annotations

import json

import numpy as np
import torch
from finetuned import finetuned

from penult import extract
from penult.backbones.registry import open_backbone
from penult.classify.evaluation.seen import content_keys
from penult.finetuning.checkpoint_folder import write_checkpoint


def test_a_folder_is_a_network_and_a_classifier_to_every_command(penult, tiny, photos, tmp_path):
    backbone = open_backbone(tiny)
    network = backbone.cut(["penultimate"]).network
    with torch.no_grad():
        network.last[0].weight.mul_(1.5)
    folder = write_checkpoint(tmp_path / "flowers.ckpt", network, finetuned(backbone))
    moved = folder.rename(tmp_path / "moved.ckpt")
    rows, index, old = tmp_path / "rows.h5", tmp_path / "rows.index", tmp_path / "old.h5"
    photo = photos / "rose" / "rose_01.jpg"
    told = {
        command: penult(*words)
        for command, words in {
            "extract": ("extract", photos, "--model", moved, "-o", rows),
            "layers": ("layers", moved),
            "predict": ("predict", moved, photos / "rose"),
            "evaluate": ("evaluate", moved, rows),
            "info": ("info", moved),
            "index": ("index", rows, "-o", index),
            "search": ("search", index, photo),
            "convert": ("convert", moved, "-o", tmp_path / "moved.penult"),
            "look": ("look", photo, "--model", moved, "-o", tmp_path / "maps.png"),
            "evidence": ("look", photo, "--classifier", moved, "-o", tmp_path / "evidence.png"),
            "old": ("extract", photos, "--model", tiny, "-o", old),
        }.items()
    }
    for command, done in told.items():
        assert done.code == 0, (command, done.err)
    assert "checkpoint moved.ckpt (tiny/network)" in told["extract"].out
    assert "trained the network itself" not in told["extract"].out  # nobody knows
    assert len(told["predict"].out.splitlines()) == 12
    said = told["info"].out
    assert "finetuned, head=linear, trained on 20 images together with its network" in said
    assert "made again by" not in said
    refused = penult("search", index, old)
    assert refused.code == 1
    assert refused.err.count("\n") == 1
    assert f"rows of moved.ckpt are made by: penult extract IMAGES --model {moved} " in refused.err


def test_it_is_said_which_photos_trained_it(penult, tiny, photos, tmp_path):
    backbone = open_backbone(tiny)
    network = backbone.cut(["penultimate"]).network
    features = extract(photos, model=tiny, progress=False)
    keys = content_keys(features, np.arange(9))
    folder = write_checkpoint(
        tmp_path / "flowers.ckpt", network, finetuned(backbone, trained_on=keys)
    )
    done = penult("extract", photos, "--model", folder, "-o", tmp_path / "rows.h5")
    for told in (done.out, penult("info", tmp_path / "rows.h5").out):
        assert "9 of 36 images trained the network itself" in told
    told = json.loads(penult("info", tmp_path / "rows.h5", "--json").out)
    assert told["trained_network"] == 9
    # All of daisy's but three: as many of the others' are held out as ever.
    trained = penult("train", tmp_path / "rows.h5", "-o", tmp_path / "c.skops", "--json")
    assert json.loads(trained.out)["settings"]["trained_network"] == 0
    told = penult("evaluate-search", tmp_path / "rows.h5", "-k", "1").out
    assert "9 of 36 queries trained the network itself, so this is no estimate for new" in told
