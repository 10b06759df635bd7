"""What Prometheus is told of a service."""

from __future__ import annotations

from collections.abc import Callable

from penult import __version__

__all__ = ["ServiceMetrics"]

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_PHOTOS = (1, 2, 4, 8, 16, 32, 64, 128)


class ServiceMetrics:
    """Counts and histograms of one service, in a registry of their own.

    ``penult_requests_total`` by method, route and status; ``penult_request_seconds`` by route;
    ``penult_requests_in_progress``; ``penult_queue_photos``, those that wait or are worked on;
    ``penult_batch_photos``, how many went through the network at once, and
    ``penult_batch_seconds``; ``penult_failures_total`` by kind: ``image`` (it could not be read),
    ``full`` (the queue was), ``timeout``; ``penult_labels_changed_total``; ``penult_build_info``.
    Safe to call from any thread.
    """

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self.registry = own = CollectorRegistry()
        self._requests = Counter(
            "penult_requests",
            "Requests answered.",
            ["method", "route", "status"],
            registry=own,
        )
        self._seconds = Histogram(
            "penult_request_seconds",
            "From a request's header to the end of its answer, in seconds.",
            ["route"],
            buckets=_SECONDS,
            registry=own,
        )
        self._in_progress = Gauge(
            "penult_requests_in_progress",
            "Requests that are being answered.",
            registry=own,
        )
        self._queue = Gauge(
            "penult_queue_photos", "Photos that wait for the network.", registry=own
        )
        self._batch_photos = Histogram(
            "penult_batch_photos",
            "Photos that went through the network at once.",
            buckets=_PHOTOS,
            registry=own,
        )
        self._batch_seconds = Histogram(
            "penult_batch_seconds",
            "What the network took for a batch, in seconds.",
            buckets=_SECONDS,
            registry=own,
        )
        self._failures = Counter(
            "penult_failures",
            "Photos and requests that failed, by kind.",
            ["kind"],
            registry=own,
        )
        self._labels = Counter(
            "penult_labels_changed",
            "Labels that were changed, confirmed or taken back.",
            registry=own,
        )
        Gauge("penult_build_info", "Always 1.", ["version"], registry=own).labels(__version__).set(
            1
        )

    def began(self) -> None:
        """Count a request whose header has come."""
        self._in_progress.inc()

    def ended(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request whose answer has been sent, or given up.

        Parameters
        ----------
        method, route : str
            Of few values: the route is a template, and not the path that was asked for.
        status : int
            Of the answer.
        seconds : float
            From the request's header to the answer's end.
        """
        self._in_progress.dec()
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def refused(self, status: int) -> None:
        """Count what came as a request and was none, so that nothing of it is known."""
        self._requests.labels("other", "other", str(status)).inc()

    def batch(self, photos: int, seconds: float) -> None:
        """Count photos that went through the network at once, and what that took."""
        self._batch_photos.observe(photos)
        self._batch_seconds.observe(seconds)

    def failure(self, kind: str, count: int = 1) -> None:
        """Count what failed; kinds are a few names."""
        self._failures.labels(kind).inc(count)

    def labels_changed(self, images: int) -> None:
        """Count labels that were changed."""
        self._labels.inc(images)

    def watch_queue(self, length: Callable[[], int]) -> None:
        """Ask a function how many photos wait, whenever somebody looks."""
        self._queue.set_function(length)

    def text(self) -> tuple[bytes, str]:
        """Write all of it as Prometheus reads it: the text, and its content type."""
        from prometheus_client import generate_latest
        from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

        return generate_latest(self.registry), CONTENT_TYPE_PLAIN_0_0_4
