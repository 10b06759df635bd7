"""Whether the head of a cluster still answers while its workers are waited for."""

from __future__ import annotations

import logging
import os
import time
from contextlib import suppress

from penult.distributed.address import answers
from penult.errors import ClusterError

__all__ = ["Head"]

_log = logging.getLogger("penult")

_SECONDS_APART = 2.0
_SILENT = 5.0  # seconds after which it is said

# Ray ends the process, without a line, where the head has not answered for so many seconds.
_RAYS_SETTING, _RAYS_SECONDS = "RAY_gcs_rpc_server_reconnect_timeout_s", 60.0
_SHARE = 0.75  # of them, after which the run ends with one


class Head:
    """The head of a cluster, which is asked now and then.

    Parameters
    ----------
    address : str
        ``"HOST:PORT"``.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._heard = self._asked = time.monotonic()
        self._is_told = False
        patience = _RAYS_SECONDS
        with suppress(KeyError, ValueError):
            patience = float(os.environ[_RAYS_SETTING])
        self._patience = _SHARE * patience

    def look(self) -> None:
        """Ask whether it is there, if it was not asked just now; say it where it is not.

        Raises
        ------
        ClusterError
            If it has not answered for long.
        """
        now = time.monotonic()
        if now - self._asked < _SECONDS_APART:
            return
        self._asked = now
        if answers(self._address):
            if self._is_told:
                _log.warning("the head of the cluster, %s, answers again", self._address)
            self._heard, self._is_told = now, False
            return
        silent = now - self._heard
        if silent >= self._patience:
            raise ClusterError(
                f"the head of the cluster, {self._address}, has not answered for {silent:.0f} "
                "seconds: it was stopped, or its machine is gone"
            )
        if silent >= _SILENT and not self._is_told:
            self._is_told = True
            _log.warning(
                "the head of the cluster, %s, does not answer; the run ends if it does not within "
                "%.0f seconds",
                self._address,
                self._patience - silent,
            )
