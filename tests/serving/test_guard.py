"""What stands in front of the routes: tokens, sessions, and what a browser is told."""

from __future__ import annotations

import pytest
from serving_client import Client

from penult.serving.access import access_rules
from penult.serving.app import create_app

pytestmark = pytest.mark.light

TOKEN = "0123456789abcdef"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def guarded(serve, gallery):
    return Client(create_app(serve(gallery=gallery, access=access_rules("0.0.0.0", token=TOKEN))))


def test_without_the_token_every_route_but_a_few_is_a_problem(guarded):
    routes = set(guarded.app.openapi()["paths"])
    open_to_all = {"/", "/healthz", "/readyz", "/v1/healthz", "/v1/readyz", "/v1/session"}
    assert {"/v1/images/{image_id}", "/metrics", "/v1/search", "/v1/labels/undo"} <= routes
    for path in {one for one in routes - open_to_all if not one.startswith("/static")}:
        answer = guarded.get(path.replace("{image_id}", "daisy/0.png"))
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["detail"].startswith("a token is needed")
    assert guarded.get("/healthz").json() == {"status": "ok"}
    assert guarded.get("/v1/gallery", headers=BEARER).status_code == 200


def test_a_wrong_token_is_told_from_none_at_all(guarded):
    answer = guarded.get("/v1/gallery", headers={"Authorization": "Bearer wrong"})
    assert (answer.status_code, answer.json()["detail"]) == (401, "the token is wrong")


def test_a_browser_opens_a_session_with_the_token_and_its_pictures_come_without(guarded):
    assert guarded.get("/v1/session").json() == {"token_needed": True, "open": False}
    assert guarded.post("/v1/session", json={"token": "wrong"}).status_code == 401
    opened = guarded.post("/v1/session", json={"token": TOKEN})
    assert opened.json() == {"token_needed": True, "open": True}
    cookie = opened.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie
    assert TOKEN not in cookie
    kept = {"Cookie": cookie.partition(";")[0]}
    assert guarded.get("/v1/thumbnails/daisy/0.png", headers=kept).status_code == 200
    assert guarded.get("/v1/session", headers=kept).json()["open"] is True
    closed = guarded.request("DELETE", "/v1/session", headers=kept)
    assert "Max-Age=0" in closed.headers["set-cookie"]


@pytest.mark.parametrize(("proto", "is_secure"), [("https", True), ("http", False)])
def test_behind_a_proxy_with_tls_the_cookie_is_sent_by_tls_alone(guarded, proto, is_secure):
    told = {"X-Forwarded-Proto": proto}
    opened = guarded.post("/v1/session", json={"token": TOKEN}, headers=told)
    assert ("Secure" in opened.headers["set-cookie"]) == is_secure


def test_where_no_token_is_needed_a_session_is_open(client):
    assert client.get("/v1/session").json() == {"token_needed": False, "open": True}


def test_every_answer_tells_a_browser_to_do_no_more_than_it_has_to(client):
    for path in ("/v1/gallery", "/v1/none", "/metrics", "/", "/static/none.js"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'" in policy
        assert ("script-src 'self'" in policy) == (path in ("/", "/static/none.js"))
        assert "unsafe" not in policy
        assert len(headers.get_list("content-security-policy")) == 1
        assert len(headers.get_list("cache-control")) == 1


def test_a_name_that_is_not_ours_and_a_page_of_another_site_are_problems(client):
    answer = client.get("/v1/gallery", headers={"Host": "evil.example"})
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert "evil.example" in answer.json()["detail"]
    answer = client.post("/v1/labels", headers={"Origin": "http://evil.example"}, json={})
    assert (answer.status_code, "another site" in answer.json()["detail"]) == (403, True)


def test_a_host_or_a_token_that_is_sent_twice_is_none(client, guarded):
    twice = [("Host", "127.0.0.1"), ("Host", "evil.example")]
    assert client.get("/v1/gallery", headers=twice).status_code == 400
    twice = [("Authorization", f"Bearer {TOKEN}"), ("Authorization", "Bearer other")]
    assert guarded.get("/v1/gallery", headers=twice).status_code == 401
