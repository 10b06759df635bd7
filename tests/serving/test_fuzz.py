"""Requests that nobody would send, made of the service's own description."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, given, settings

from penult.serving.access import AccessRules
from penult.serving.app import create_app
from penult.serving.labels.log import LabelLog

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("schemathesis") is None, reason="needs schemathesis"),
]

EXAMPLES = 20  # of each route: some seconds in all


def test_whatever_is_sent_is_answered_as_the_description_says(serve, gallery, classifier, tmp_path):
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    log = LabelLog(tmp_path / "labels.jsonl")
    rules = AccessRules(allowed_hosts=frozenset(["testserver"]))  # as schemathesis calls it
    service = serve(gallery=gallery, classifier=classifier, label_log=log, access=rules)
    collection = service.served.gallery.collection
    collection.start()
    assert collection.places.wait(60)  # until then it is 503, with Retry-After
    app = create_app(service)
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", app)
    checks = [
        not_a_server_error,
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    ]
    statuses = set()

    def asked(operation):
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case):
            response = case.call()
            statuses.add((operation.path, response.status_code))
            # What is not there yet is said to come later, which is no fault.
            later = response.status_code == 503 and "retry-after" in response.headers
            case.validate_response(response, checks=checks[1:] if later else checks)

        ask()

    paths = []
    for found in schema.get_all_operations():
        operation = found.ok()
        paths.append(operation.path)
        asked(operation)
    assert {"/v1/features", "/v1/classify", "/v1/search", "/v1/gallery"} <= set(paths)
    # Not 415, which a zip archive gets: only a newer schemathesis sends one.
    assert {status for _, status in statuses} > {200, 400, 422}
