"""`POST /v1/features`: what photos become, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from serving_client import photo, refused

pytestmark = pytest.mark.light


def test_a_photo_becomes_its_mean_colour(client):
    answer = client.post("/v1/features", content=photo((51, 102, 255)))
    assert answer.status_code == 200
    (row,) = answer.json()["features"]
    assert row == pytest.approx([0.2, 0.4, 1.0])
    assert len(answer.json()["recipe_sha256"]) == 64


def test_rows_come_as_bytes_where_they_are_asked_for(client):
    files = [("file", photo((51, 102, 255))), ("file", photo((0, 0, 0)))]
    answer = client.post(
        "/v1/features", files=files, headers={"Accept": "application/octet-stream"}
    )
    assert answer.headers["X-Penult-Shape"] == "2,3"
    rows = np.frombuffer(answer.content, "<f4").reshape(2, 3)
    assert rows == pytest.approx(np.array([[0.2, 0.4, 1.0], [0, 0, 0]]))


def test_of_several_photos_one_that_is_none_is_named(client):
    files = [("file", ("a.png", photo((51, 102, 255)))), ("file", ("b.png", b"no photo"))]
    answer = client.post("/v1/features", files=files).json()
    assert answer["features"][1] is None
    (failure,) = answer["failures"]
    assert failure["part"] == 1
    assert failure["detail"].startswith("b.png")


def test_bytes_are_of_all_photos_or_the_one_that_is_none_is_a_problem(client):
    files = [("file", ("a.png", photo((51, 102, 255)))), ("file", ("b.png", b"no photo"))]
    answer = client.post(
        "/v1/features", files=files, headers={"Accept": "application/octet-stream"}
    )
    refused(answer, 422, "b.png: is not an image")
