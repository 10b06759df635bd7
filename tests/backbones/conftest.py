"""What tests of backbones share."""

from __future__ import annotations

import pytest


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A stand-in for the Hugging Face hub that the real client talks to, with an empty cache."""
    from hub import serving
    from huggingface_hub import constants

    for name in ("HF_HUB_OFFLINE", "PENULT_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with serving() as served:
        # The client reads its environment once, when it is imported.
        monkeypatch.setattr(constants, "ENDPOINT", served.url)
        template = served.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
        yield served
