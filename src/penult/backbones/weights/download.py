"""Weights files: looked for on this machine first, then where their makers keep them."""

from __future__ import annotations

import hashlib
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

from penult.backbones.base import WeightsChoice, sha256_of
from penult.errors import WeightsError
from penult.offline import says_yes, works_offline

__all__ = [
    "cached_hub_file",
    "digest_in",
    "fetch_url",
    "hub_file",
    "is_offline",
    "missing",
    "torch_cache",
]

_CHUNK = 1 << 20
_TIMEOUT = 30  # seconds without a byte


def is_offline(choice: WeightsChoice | None = None) -> bool:
    """Whether the network must not be touched: by `choice`, or by the environment."""
    asked = choice is not None and choice.offline
    return works_offline(asked) or says_yes("HF_HUB_OFFLINE")


def missing(model: str, file: str, origin: str, why: str) -> WeightsError:
    """The error for weights that cannot be had: which file, from where, and what to do about it.

    Parameters
    ----------
    model : canonical name
    file : the file's name
    origin : the address or hub where it is
    why : what kept it from being fetched, e.g. ``"working offline"``
    """
    return WeightsError(
        f"the weights of {model} cannot be had: {file} is not on this machine, and would come from "
        f"{origin} ({why}); type 'penult fetch {model}' on a connected machine and copy its cache "
        f"here, or give --weights PATH, or --weights random for an untrained network"
    )


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
        if wrong := _wrong_digest(path, sha256_prefix, md5):
            raise _damaged(path, wrong, model)
        return path
    origin = url.rpartition("/")[0] if url.endswith("/" + file_name) else url
    if offline or is_offline():
        raise missing(model, file_name, origin, "working offline")
    from filelock import FileLock

    part = path.with_name(file_name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(str(path) + ".lock"):
            # Another process may have fetched it while this one waited.
            if not path.is_file():
                resumed = part.is_file()
                _download(url, part, file_name)
                wrong = _wrong_digest(part, sha256_prefix, md5)
                if wrong and resumed:  # the file may have changed since the first part of it
                    part.unlink()
                    _download(url, part, file_name)
                    wrong = _wrong_digest(part, sha256_prefix, md5)
                if wrong:
                    part.unlink()
                    raise WeightsError(
                        f"what {url} sent for {model} is not the file it should be and was "
                        f"discarded: its {wrong}; try again, or give --weights PATH"
                    )
                part.replace(path)
    except urllib.error.HTTPError as error:
        if error.code == 404:
            raise WeightsError(
                f"the weights of {model} are not at {url} (404 Not Found); give --weights PATH"
            ) from error
        raise missing(model, file_name, origin, f"{error.code} {error.reason}") from error
    except (OSError, HTTPException) as error:
        why = getattr(error, "reason", None) or error
        raise missing(model, file_name, origin, str(why).strip() or type(error).__name__) from error
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
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(name, total=total, completed=have)
        while chunk := response.read(_CHUNK):
            file.write(chunk)
            progress.advance(task, len(chunk))


def _wrong_digest(path: Path, sha256_prefix: str | None, md5: str | None) -> str | None:
    for expected, algorithm in ((sha256_prefix, "sha256"), (md5, "md5")):
        if expected is not None:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, algorithm).hexdigest()
            if not found.startswith(expected.lower()):
                return f"{algorithm} is {found}, expected {expected}"
    return None


def _damaged(path: Path, wrong: str, model: str) -> WeightsError:
    return WeightsError(
        f"{path} is not the file it should be: its {wrong}; delete it, then type: penult fetch "
        f"{model}"
    )


def cached_hub_file(repository: str, files: Sequence[str]) -> Path | None:
    """The first of `files` that the Hugging Face hub's local cache holds.

    Parameters
    ----------
    repository : ``owner/name``, or ``owner/name@revision``
    """
    hub = _huggingface_hub()
    owner_name, _, revision = repository.partition("@")
    for file in files:
        found = hub.try_to_load_from_cache(owner_name, file, revision=revision or None)
        if isinstance(found, str):
            return Path(found)
    return None


def hub_file(
    repository: str, files: Sequence[str], *, model: str, choice: WeightsChoice | None = None
) -> Path:
    """Find a file of a repository in the Hugging Face hub's local cache, or download it there.

    A file that the cache holds is used as it is: the hub is not asked for a newer one. A large one
    is named there by its SHA-256, which it must still have.

    Parameters
    ----------
    repository : ``owner/name``, or ``owner/name@revision``
    files : names of which one is needed, the preferred one first
    model : for messages

    Raises
    ------
    WeightsError
        If there is none of the files and none may or can be downloaded, or a download is not what
        the hub said it would be.
    """
    hub = _huggingface_hub()
    owner_name, _, revision = repository.partition("@")
    try:
        hub.utils.validate_repo_id(owner_name)
    except hub.errors.HFValidationError as error:
        raise WeightsError(f"{model}: {owner_name!r} is no name of a repository") from error
    if "/" not in owner_name:
        raise WeightsError(f"{model}: {owner_name!r} is no name of a repository; write owner/name")
    cached = cached_hub_file(repository, files)
    if cached is not None:
        blob = cached.resolve()
        named = blob.name if re.fullmatch("[0-9a-f]{64}", blob.name) else None
        if wrong := _wrong_digest(blob, named, None):
            raise _damaged(blob, wrong, model)
        return cached
    origin = f"{hub.constants.ENDPOINT}/{repository}"
    if is_offline(choice) or hub.constants.HF_HUB_OFFLINE:
        raise missing(model, " or ".join(files), origin, "working offline")
    for file in files:
        try:
            # Asked first, because the download proper would retry a dead network for a minute.
            url = hub.hf_hub_url(owner_name, file, revision=revision or None)
            announced = hub.get_hf_file_metadata(url)
            path = Path(hub.hf_hub_download(owner_name, file, revision=revision or None))
        except hub.errors.RemoteEntryNotFoundError:
            continue
        except Exception as error:
            raise _explain(error, model, file, origin) from error
        _check_download(path, announced.etag or "", model, origin)
        return path
    raise WeightsError(f"{model} cannot be used: {origin} has no {' or '.join(files)}")


def _huggingface_hub() -> Any:
    """The client, told to report nothing before it reads its settings."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    import huggingface_hub
    import huggingface_hub.constants
    import huggingface_hub.errors
    import huggingface_hub.utils

    huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY = True
    return huggingface_hub


def _explain(error: Exception, model: str, file: str, origin: str) -> WeightsError:
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return WeightsError(
            f"{model} is gated: accept its terms at {origin}, then type 'hf auth login', or give "
            f"--weights PATH"
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return WeightsError(
            f"there is no {model} on the hub: {origin} does not exist, or is private (then type "
            f"'hf auth login')"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return WeightsError(f"{model} has no such revision: {origin}")
    # The client's own words may be about its cache; what went wrong is what caused them.
    cause = error.__cause__ if isinstance(error, errors.LocalEntryNotFoundError) else None
    why = str(cause or error).strip() or repr(error)
    return missing(model, file, origin, why.splitlines()[0])


def _check_download(path: Path, etag: str, model: str, origin: str) -> None:
    """Compare a fresh download with what was announced: for large files, their SHA-256."""
    if not re.fullmatch("[0-9a-f]{64}", etag) or (found := sha256_of(path)) == etag:
        return
    for wrong in (path.resolve(), path):
        wrong.unlink(missing_ok=True)
    raise WeightsError(
        f"what {origin} sent as {path.name} for {model} is not the file it should be and was "
        f"discarded: its SHA-256 is {found}, expected {etag}; try again, or give --weights PATH"
    )
