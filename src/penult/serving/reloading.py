"""What is served, opened anew and switched as a whole."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from penult.errors import PenultError
from penult.serving.models.opening import open_served

if TYPE_CHECKING:
    from penult.serving.models.served import Served
    from penult.serving.service import Service

__all__ = ["reload"]


def reload(service: Service) -> Served:
    """Open the files of a service anew, and serve what they hold now.

    Requests that have begun keep what they began with; what cannot be opened leaves all as it was.

    Parameters
    ----------
    service : Service

    Returns
    -------
    Served
        What is served now.

    Raises
    ------
    PenultError
        As `open_served` does; what was served before is served still.
    """
    log = logging.getLogger("penult")
    with service.reloading:
        was = service.served
        try:
            now = open_served(
                service.sources,
                service.queue,
                max_pixels=service.options.max_pixels,
                corrections=service.label_log,
            )
        except PenultError as error:
            log.warning("penult: not reloaded, what was served is served still: %s", error)
            raise
        service.served = now
    now.start()
    was.close()
    log.info("penult: reloaded: version %s, before %s", now.version, was.version)
    return now
