"""What is served, opened anew and switched as a whole."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from penult.errors import PenultError
from penult.serving.models.opening import open_served
from penult.wording import count

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
    # Of its own name, so that the command line can print this and no more.
    logging.getLogger(__name__).info("penult: reloaded %s", _told(now))
    return now


def _told(served: Served) -> str:
    names = [one.name for one in (served.classifier, served.gallery) if one is not None]
    if served.gallery is None:
        return " and ".join(names)
    return f"{' and '.join(names)}: {count(served.gallery.size, 'image')}"
