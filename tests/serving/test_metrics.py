"""What Prometheus is told."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families
from serving_client import Client, photo

from penult.serving.app import create_app
from penult.serving.labels.log import LabelLog
from penult.serving.metrics import ServiceMetrics

pytestmark = pytest.mark.light


def told(client):
    """The value of each sample, by its name and the values of its labels."""
    answer = client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (one.name, *one.labels.values()): one.value
        for family in text_string_to_metric_families(answer.text)
        for one in family.samples
    }


def test_requests_are_counted_by_the_template_of_their_route(client):
    for path in ("daisy/0.png", "daisy/1.png", "none.png"):
        client.get(f"/v1/images/{path}")
    for path in ("/v1/none", "/other", "/v1/%00"):
        client.get(path)
    client.request("BREW", "/healthz")
    client.get("/healthz", headers={"Host": "evil.example"})
    values = told(client)
    image = "/v1/images/{image_id:id}"
    assert values["penult_requests_total", "GET", image, "200"] == 2
    assert values["penult_requests_total", "GET", image, "404"] == 1
    assert values["penult_requests_total", "GET", "other", "404"] == 3
    assert values["penult_requests_total", "GET", "other", "403"] == 1
    assert values["penult_request_seconds_count", image] == 3
    assert values["penult_requests_in_progress",] == 1  # that which asks
    routes = {key[2] for key in values if key[0] == "penult_requests_total"}
    assert routes <= {image, "other", "/healthz"}
    assert {key[1] for key in values if key[0] == "penult_requests_total"} == {"GET", "other"}


def test_photos_batches_failures_and_labels_are_counted(serve, gallery, tmp_path):
    with LabelLog(tmp_path / "log.jsonl") as log:
        service = serve(gallery=gallery, label_log=log)
        client = Client(create_app(service))
        client.post("/v1/features", content=photo((9, 9, 9)))
        client.post("/v1/features", content=b"broken")
        service.queue.limit = 2
        client.post("/v1/features", files=[("file", photo((k, 0, 0))) for k in range(3)])
        client.post("/v1/labels", json={"ids": ["rose/0.png", "rose/1.png"], "label": "tulip"})
        values = told(client)
    assert values["penult_batch_photos_count",] == values["penult_batch_photos_sum",] == 1
    assert values["penult_failures_total", "image"] == 1
    assert values["penult_failures_total", "full"] == 3
    assert values["penult_queue_photos",] == 0
    assert values["penult_labels_changed_total",] == 2


def test_two_services_in_one_process_count_for_themselves():
    one, other = ServiceMetrics(), ServiceMetrics()
    one.failure("image")
    assert b'kind="image"' in one.text()[0]
    assert b'kind="image"' not in other.text()[0]
