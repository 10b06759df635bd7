"""A service of the toy backbone in this process, and a client of it."""

from __future__ import annotations

import pytest
from serving_client import COLOURS, Client, photo

import penult
from penult.serving.app import create_app
from penult.serving.engine_queue import EngineQueue
from penult.serving.models.opening import open_served
from penult.serving.models.sources import Sources
from penult.serving.options import ServiceOptions
from penult.serving.service import Service


@pytest.fixture
def gallery(toy, tmp_path):
    """`gallery.h5`: nine photos, daisy/0.png … tulip/2.png, each class near a colour of its own."""
    for label, colour in COLOURS.items():
        (tmp_path / "images" / label).mkdir(parents=True)
        for k in range(3):
            shade = [max(0, one - 6 * k) for one in colour]
            (tmp_path / "images" / label / f"{k}.png").write_bytes(photo(shade))
    penult.extract(tmp_path / "images", tmp_path / "gallery.h5", model=toy, progress=False)
    return tmp_path / "gallery.h5"


@pytest.fixture
def classifier(photos, toy, tmp_path):
    """`flowers.skops`, of daisy, rose and tulip, trained on the photos of tests/conftest.py."""
    penult.extract(photos, tmp_path / "photos.h5", model=toy, progress=False)
    path = tmp_path / "flowers.skops"
    penult.train(tmp_path / "photos.h5", path, progress=False)
    return path


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
