"""Weights at an address: in torch's cache or another, or else downloaded there."""

from __future__ import annotations

import os
import re
import urllib.error
import urllib.request
from dataclasses import replace
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

from penult.backbones.weights.checks import damaged, is_offline, unavailable, wrong_digest
from penult.errors import WeightsError
from penult.interface import option
from penult.progress import shown
from penult.records import Progress

__all__ = ["digest_in", "fetch_url", "torch_cache"]

_CHUNK = 1 << 20
_TIMEOUT = 30  # seconds without a byte


def torch_cache() -> Path:
    """Where torch.hub keeps weights, whichever program downloaded them; without importing torch."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("TORCH_HOME") or os.path.join(cache, "torch")  # noqa: PTH118
    return Path(home).expanduser() / "hub" / "checkpoints"


def digest_in(file_name: str) -> str | None:
    """The beginning of a SHA-256 that torch's weights carry at the end of their file's name."""
    found = re.search(r"-([0-9a-f]{8,})\.", file_name)
    return found[1] if found else None


def fetch_url(
    url: str,
    file_name: str,
    *,
    model: str,
    offline: bool = False,
    sha256_prefix: str | None = None,
    md5: str | None = None,
    folder: Path | None = None,
) -> Path:
    """Find a file in a cache folder, or download it there; either way it has the digests.

    What was downloaded before the connection broke is kept under another name and resumed.

    Parameters
    ----------
    sha256_prefix, md5 : hex digests (or the beginning of one) that the file must have
    model : for messages
    folder : the cache, by default `torch_cache`

    Raises
    ------
    WeightsError
        If the file is not there and may not or cannot be downloaded, or is not what it should be.
    """
    path = (folder or torch_cache()) / file_name
    if path.is_file():
        if wrong := wrong_digest(path, sha256_prefix, md5):
            raise damaged(path, wrong, model)
        return path
    origin = url.rpartition("/")[0] if url.endswith("/" + file_name) else url
    if offline or is_offline():
        raise unavailable(model, file_name, origin, "working offline")
    from filelock import FileLock

    part = path.with_name(file_name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(str(path) + ".lock"):
            # Another process may have fetched it while this one waited.
            if not path.is_file():
                resumed = part.is_file()
                _download(url, part, file_name)
                wrong = wrong_digest(part, sha256_prefix, md5)
                if wrong and resumed:  # the file may have changed since the first part of it
                    part.unlink()
                    _download(url, part, file_name)
                    wrong = wrong_digest(part, sha256_prefix, md5)
                if wrong:
                    part.unlink()
                    raise WeightsError(
                        f"what {url} sent for {model} is not the file it should be and was "
                        f"discarded: its {wrong}; try again, or give "
                        f"{option('weights', 'PATH')}"
                    )
                part.replace(path)
    except urllib.error.HTTPError as error:
        if error.code == 404:
            raise WeightsError(
                f"the weights of {model} are not at {url} (404 Not Found); give "
                f"{option('weights', 'PATH')}"
            ) from error
        raise unavailable(model, file_name, origin, f"{error.code} {error.reason}") from error
    except (OSError, HTTPException) as error:
        why = str(getattr(error, "reason", None) or error).strip() or type(error).__name__
        raise unavailable(model, file_name, origin, why) from error
    return path


def _download(url: str, part: Path, name: str) -> None:
    """Append to `part` what is still missing of it."""
    have = part.stat().st_size if part.is_file() else 0
    headers = {"User-Agent": "penult"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=_TIMEOUT
        )
    except urllib.error.HTTPError as error:
        if error.code != 416 or not have:
            raise
        # Nothing to send after the last byte: the part is whole, or the file has changed. The
        # digest decides.
        return
    with response, part.open("ab") as file:
        if have and not _continues(response, have):
            file.truncate(0)
            have = 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else None
        _copy(response, file, name, have, total)
    if total is not None and (size := part.stat().st_size) != total:
        raise OSError(f"the connection broke after {size:,} of {total:,} bytes")


def _continues(response: HTTPResponse, have: int) -> bool:
    return response.status == 206 and response.headers.get("Content-Range", "").startswith(
        f"bytes {have}-"
    )


def _copy(response: HTTPResponse, file: Any, name: str, have: int, total: int | None) -> None:
    now = Progress(have, total, 0, stage=f"downloading {name}", unit="bytes")
    with shown(None) as tell:
        tell(now)
        while chunk := response.read(_CHUNK):
            file.write(chunk)
            now = replace(now, done=now.done + len(chunk))
            tell(now)
