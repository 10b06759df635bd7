"""A service of the toy backbone in this process, and a client of it."""

from __future__ import annotations

from functools import cache

import pytest
from serving_client import COLOURS, Client, photo

from penult.serving.app import create_app
from penult.serving.engine_queue import EngineQueue
from penult.serving.models.opening import open_served
from penult.serving.models.sources import Sources
from penult.serving.options import ServiceOptions
from penult.serving.service import Service


@pytest.fixture
def gallery(toy, tmp_path, extracted):
    """`gallery.h5`: nine photos, daisy/0.png … tulip/2.png, each class near a colour of its own."""
    for name, data in _gallery_photos().items():
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    extracted(tmp_path / "images", tmp_path / "gallery.h5", toy)
    return tmp_path / "gallery.h5"


@cache
def _gallery_photos():
    """The files of the gallery's photos, by their paths below its folder."""
    return {
        f"{label}/{k}.png": photo([max(0, one - 6 * k) for one in colour])
        for label, colour in COLOURS.items()
        for k in range(3)
    }


@pytest.fixture
def classifier(photos, toy, tmp_path, extracted, trained):
    """`flowers.skops`, of daisy, rose and tulip, trained on the photos of tests/conftest.py."""
    extracted(photos, tmp_path / "photos.h5", toy)
    trained(tmp_path / "photos.h5", tmp_path / "flowers.skops")
    return tmp_path / "flowers.skops"


@pytest.fixture
def serve():
    """Make a service: `serve(gallery=…, classifier=…, max_k=…)`; closed at the end of the test."""
    services = []

    def make(*, label_log=None, **fields) -> Service:
        names = [name for name in fields if name in Sources.__dataclass_fields__]
        sources = Sources(**{name: fields.pop(name) for name in names})
        options = ServiceOptions(**fields)
        queue = EngineQueue(limit=options.queue, batch_wait=options.batch_wait, workers=2)
        served = open_served(sources, queue, max_pixels=options.max_pixels, corrections=label_log)
        service = Service(
            options=options, sources=sources, served=served, queue=queue, label_log=label_log
        )
        services.append((service, served))
        return service

    yield make
    for service, served in services:
        for one in (served, service.served):
            if one is not None:
                one.close()
        service.queue.close()


@pytest.fixture
def service(serve, gallery):
    """A service of `gallery.h5` alone."""
    return serve(gallery=gallery)


@pytest.fixture
def client(service):
    """A client of `service`."""
    return Client(create_app(service))
