import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from penult.backbones.weights.checks import is_offline, unavailable
from penult.backbones.weights.choice import WeightsChoice
from penult.backbones.weights.download import digest_in, fetch_url, torch_cache
from penult.backbones.weights.hub import hub_file
from penult.errors import WeightsError

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def repository(hub):
    hub.files["owner/name/model.safetensors"] = CONTENT
    return "owner/name"


def get(repository, *files, **options):
    return hub_file(repository, files or ["model.safetensors"], model="timm:x", **options)


def test_a_file_of_the_hub_is_downloaded_once_and_then_found_with_the_server_down(hub, repository):
    first = get(repository)
    assert first.read_bytes() == CONTENT
    asked = list(hub.requests)
    assert len(hub.downloads) == 1
    assert get(repository) == first
    assert hub.requests == asked
    hub.stop()
    assert get(repository) == first
    assert get(repository, choice=WeightsChoice(offline=True)) == first


def test_a_large_file_that_was_damaged_in_the_cache_is_refused(hub, repository):
    path = get(repository).resolve()
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(WeightsError, match=rf"its sha256 is .*, expected {SHA256}; delete it"):
        get(repository)
    path.unlink()
    assert get(repository).read_bytes() == CONTENT


def test_the_preferred_file_is_taken_and_otherwise_the_next(hub, repository):
    hub.files["owner/name/pytorch_model.bin"] = b"older"
    hub.files["other/name/pytorch_model.bin"] = b"alone"
    names = ("model.safetensors", "pytorch_model.bin")
    assert get(repository, *names).read_bytes() == CONTENT
    assert get("other/name", *names).read_bytes() == b"alone"


def test_what_the_hub_did_not_announce_is_refused_and_not_kept(hub, repository):
    hub.corrupt.add("owner/name/model.safetensors")
    with pytest.raises(WeightsError, match=rf"not the file it should be.* expected {SHA256}"):
        get(repository)
    hub.corrupt.clear()
    assert get(repository).read_bytes() == CONTENT


def test_a_download_that_breaks_ends_as_the_whole_file(hub, repository):
    hub.breaks["owner/name/model.safetensors"] = 100_000
    assert get(repository).read_bytes() == CONTENT
    assert len(hub.downloads) == 2


def test_a_repository_that_does_not_exist_is_named(hub):
    with pytest.raises(
        WeightsError, match=r"no timm:x on the hub: .*/nobody/nothing does not exist"
    ):
        get("nobody/nothing")


def test_a_repository_without_such_a_file_is_named(hub, repository):
    with pytest.raises(
        WeightsError, match=r"timm:x cannot be used: .*owner/name has no a.bin or b.bin"
    ):
        get(repository, "a.bin", "b.bin")


@pytest.mark.parametrize("name", ["name", "owner/name/more", "../up", "owner/na me", "owner/", ""])
def test_what_names_no_repository_is_refused_before_anything_is_asked(hub, name):
    with pytest.raises(WeightsError, match="no name of a repository"):
        get(name)
    assert not hub.requests


@pytest.mark.parametrize("how", ["choice", "PENULT_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_asks_nobody_and_says_what_to_do(hub, repository, monkeypatch, how):
    if how != "choice":
        monkeypatch.setenv(how, "1")
    with pytest.raises(WeightsError) as raised:
        get(repository, choice=WeightsChoice(offline=how == "choice"))
    assert not hub.requests
    message = str(raised.value)
    for part in ("model.safetensors", hub.url, "offline", "penult.fetch('timm:x')", "weights=PATH"):
        assert part in message
    assert "weights='random'" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (403, "GatedRepo", "^timm:x is gated: accept its terms at http.*/owner/name, then type"),
        (404, "RevisionNotFound", "^timm:x has no such revision: http.*/owner/name$"),
    ],
)
def test_what_the_hub_refuses_is_said_with_what_to_do(hub, status, code, said):
    hub.refusals["owner/name/model.safetensors"] = status, code
    with pytest.raises(WeightsError, match=said):
        get("owner/name")


def test_a_hub_that_cannot_be_reached_is_one_line(hub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    template = "http://127.0.0.1:9/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    with pytest.raises(
        WeightsError, match=r"would come from http://127.0.0.1:9/owner/name"
    ) as raised:
        get("owner/name")
    assert "\n" not in str(raised.value)


def test_the_environment_alone_points_the_client_to_a_hub(hub, repository, tmp_path):
    script = (
        "from penult.backbones.weights.hub import hub_file\n"
        "print(hub_file('owner/name', ['model.safetensors'], model='timm:x').stat().st_size)\n"
        "import sys; print('torch' in sys.modules)\n"
    )
    environment = os.environ | {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_DISABLE_XET": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(len(CONTENT)), "False"]


# A plain server of files.


@pytest.fixture
def cache(tmp_path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def url(hub):
    hub.files["weights/net.pth"] = CONTENT
    return f"{hub.url}/weights/net.pth"


def fetch(url, cache, **options):
    options = {"sha256_prefix": SHA256[:8], "model": "torchvision:net", "folder": cache} | options
    return fetch_url(url, "net.pth", **options)


def test_a_url_is_downloaded_once_into_the_cache(hub, url, cache):
    assert fetch(url, cache).read_bytes() == CONTENT
    assert fetch(url, cache) == cache / "net.pth"
    assert hub.downloads == [("weights/net.pth", 0)]
    assert not list(cache.glob("*.part"))


def test_a_half_download_is_resumed_where_it_broke(hub, url, cache):
    hub.breaks["weights/net.pth"] = 100_000
    with pytest.raises(WeightsError, match=r"the connection broke after 100,000 of 256,000 bytes"):
        fetch(url, cache)
    assert not (cache / "net.pth").exists()
    assert fetch(url, cache).read_bytes() == CONTENT
    assert hub.downloads == [("weights/net.pth", 0), ("weights/net.pth", 100_000)]


def test_a_half_download_starts_anew_where_the_server_sends_no_parts(hub, url, cache):
    hub.breaks["weights/net.pth"] = 100_000
    with pytest.raises(WeightsError):
        fetch(url, cache)
    hub.ranges = False
    assert fetch(url, cache).read_bytes() == CONTENT


@pytest.mark.parametrize("size", [10, len(CONTENT), len(CONTENT) + 5])
def test_the_beginning_of_another_file_is_discarded(hub, url, cache, size):
    cache.mkdir()
    (cache / "net.pth.part").write_bytes(b"x" * size)
    assert fetch(url, cache).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "digest", [{"sha256_prefix": "00000000"}, {"sha256_prefix": None, "md5": "0" * 32}]
)
def test_a_wrong_digest_is_refused_and_nothing_is_kept(hub, url, cache, digest):
    with pytest.raises(WeightsError, match=r"torchvision:net is not the file it should be .*0000"):
        fetch(url, cache, **digest)
    assert [p.name for p in cache.iterdir() if not p.name.endswith(".lock")] == []


def test_a_file_that_was_damaged_in_the_cache_is_refused(url, cache):
    path = fetch(url, cache)
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(WeightsError, match=r"is not the file it should be: .*; delete it"):
        fetch(url, cache)
    path.unlink()
    assert fetch(url, cache).read_bytes() == CONTENT


def test_both_digests_may_be_right(url, cache):
    assert fetch(url, cache, sha256_prefix=SHA256.upper(), md5=MD5).is_file()


def test_a_server_that_fails_is_named_with_its_own_words(hub, cache):
    hub.refusals["w.h5"] = 503, ""
    with pytest.raises(WeightsError, match=r"keras:x.*503 Service Unavailable"):
        fetch_url(f"{hub.url}/w.h5", "w.h5", model="keras:x", folder=cache)


def test_a_404_names_the_model(hub, cache):
    with pytest.raises(WeightsError, match=r"torchvision:net are not at .*/gone.pth \(404"):
        fetch(f"{hub.url}/gone.pth", cache)


def test_a_cache_that_cannot_be_written_is_one_line(url, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(
        WeightsError, match=r"net.pth is not on this machine.* \(.*Not a directory|File exists"
    ):
        fetch(url, tmp_path / "cache")


def test_offline_finds_what_is_there_and_asks_for_nothing(hub, url, cache):
    with pytest.raises(WeightsError, match="working offline"):
        fetch(url, cache, offline=True)
    cache.mkdir()
    (cache / "net.pth").write_bytes(CONTENT)
    assert fetch(url, cache, offline=True).is_file()
    assert not hub.requests


def test_the_cache_is_the_one_of_torch_hub(monkeypatch, tmp_path):
    import torch

    for home in (None, str(tmp_path)):
        if home:
            monkeypatch.setenv("TORCH_HOME", home)
        else:
            monkeypatch.delenv("TORCH_HOME", raising=False)
        assert torch_cache() == Path(torch.hub.get_dir()) / "checkpoints"


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("resnet50-11ad3fa6.pth", "11ad3fa6"),
        ("alexnet-owt-7be5be79.pth", "7be5be79"),
        ("IN1K-vit.h.14-300e.pth.tar", None),
        ("model.safetensors", None),
    ],
)
def test_a_digest_in_a_file_name_is_told_from_other_numbers(name, digest):
    assert digest_in(name) == digest


@pytest.mark.parametrize(
    ("value", "offline"), [("1", True), ("true", True), ("0", False), ("", False)]
)
def test_the_environment_may_say_offline(monkeypatch, value, offline):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("PENULT_OFFLINE", value)
    assert is_offline() is offline
    assert is_offline(WeightsChoice(offline=True))


def test_the_error_for_missing_weights_names_file_origin_and_three_ways_out():
    assert str(unavailable("timm:x", "a.bin", "https://host/x", "no route")) == (
        "the weights of timm:x cannot be had: a.bin is not on this machine, and would come from "
        "https://host/x (no route); type penult.fetch('timm:x') on a connected machine and copy its "
        "cache here, or give weights=PATH, or weights='random' for an untrained network"
    )
