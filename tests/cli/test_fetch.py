"""`penult fetch`: weights ahead of time, and where they are."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.light


def test_the_file_its_size_and_its_digest_are_told(penult):
    done = penult("fetch", "efficientnet_lite0", "--json")
    told = json.loads(done.out)
    data = Path(told["path"]).read_bytes()
    assert told["bytes"] == len(data)
    assert told["sha256"] == hashlib.sha256(data).hexdigest()
    plain = penult("fetch", "efficientnet_lite0").out
    assert f"{told['path']}, {len(data):,} bytes, SHA-256 {told['sha256']}" in plain


def test_what_brings_its_weights_along_needs_no_fetching(penult, toy):
    done = penult("fetch", toy, "efficientnet_lite0")
    assert done.code == 0
    assert len(done.out.splitlines()) == 2
    assert "toy:mean-colour: brings its weights along (mean-colour 1)" in done.out


@pytest.mark.torch
def test_offline_names_the_file_and_what_to_do(penult, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    done = penult("fetch", "torchvision:alexnet", "--offline")
    assert (done.code, done.out) == (1, "")
    assert "alexnet-owt-7be5be79.pth is not on this machine" in done.err
    assert "penult fetch torchvision:alexnet" in done.err
    assert "--weights random" in done.err
