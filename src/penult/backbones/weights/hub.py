"""Weights of a repository on the Hugging Face hub: in its local cache, or else downloaded."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from penult.backbones.weights.checks import damaged, is_offline, unavailable, wrong_digest
from penult.backbones.weights.choice import WeightsChoice
from penult.backbones.weights.info import sha256_of
from penult.errors import WeightsError
from penult.interface import option

__all__ = ["cached_hub_file", "hub_file"]


def cached_hub_file(repository: str, files: Sequence[str]) -> Path | None:
    """The first of `files` that the Hugging Face hub's local cache holds.

    Parameters
    ----------
    repository : ``owner/name``, or ``owner/name@revision``
    """
    hub = _huggingface_hub()
    owner_name, _, revision = repository.partition("@")
    # Of most repositories there is nothing, which is seen sooner than that each file is missing.
    folder = hub.file_download.repo_folder_name(repo_id=owner_name, repo_type="model")
    if not Path(hub.constants.HF_HUB_CACHE, folder).is_dir():
        return None
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
        if wrong := wrong_digest(blob, named, None):
            raise damaged(blob, wrong, model)
        return cached
    origin = f"{hub.constants.ENDPOINT}/{repository}"
    if is_offline(choice) or hub.constants.HF_HUB_OFFLINE:
        raise unavailable(model, " or ".join(files), origin, "working offline")
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
    import huggingface_hub.file_download
    import huggingface_hub.utils

    huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY = True
    return huggingface_hub


def _explain(error: Exception, model: str, file: str, origin: str) -> WeightsError:
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return WeightsError(
            f"{model} is gated: accept its terms at {origin}, then type 'hf auth login', or give "
            f"{option('weights', 'PATH')}"
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
    return unavailable(model, file, origin, why.splitlines()[0])


def _check_download(path: Path, etag: str, model: str, origin: str) -> None:
    """Compare a fresh download with what was announced: for large files, their SHA-256."""
    if not re.fullmatch("[0-9a-f]{64}", etag) or (found := sha256_of(path)) == etag:
        return
    for wrong in (path.resolve(), path):
        wrong.unlink(missing_ok=True)
    raise WeightsError(
        f"what {origin} sent as {path.name} for {model} is not the file it should be and was "
        f"discarded: its SHA-256 is {found}, expected {etag}; try again, or give "
        f"{option('weights', 'PATH')}"
    )
