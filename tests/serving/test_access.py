"""Who may ask: by token or session, by the name they call the service, from which page."""

from __future__ import annotations

import pytest

from penult.errors import UsageError
from penult.serving.access import AccessRules, access_rules, is_loopback

pytestmark = pytest.mark.light

TOKEN = "0123456789abcdef"
LOCAL = {"host": "127.0.0.1:8000"}


def status(rules, headers=LOCAL, method="GET", path="/v1/gallery"):
    refused = rules.refusal(method, path, headers)
    return 200 if refused is None else refused.status


def bearer(token, scheme="Bearer"):
    return {**LOCAL, "authorization": f"{scheme} {token}"}


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]", "localhost", "127.8.9.1"])
def test_of_this_machine_alone_everybody_may_ask(host):
    assert is_loopback(host)
    rules = access_rules(host)
    assert rules.token is None
    assert status(rules) == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "shop.example", ""])
def test_where_others_may_reach_it_a_token_is_needed_or_the_word_that_it_is_not(host):
    with pytest.raises(UsageError, match=r"a token is needed; give token_file=FILE, or no_auth="):
        access_rules(host)
    assert access_rules(host, no_auth=True).token is None
    assert access_rules(host, token=TOKEN).token == TOKEN


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("short", "5 characters; give at least 16"),
        ("with a blank " * 2, "blanks or"),
        ("é" * 20, "ASCII"),
        ("a" * 4097, "4,097 characters, and a header takes 4,096"),
    ],
)
def test_a_token_that_can_be_guessed_or_not_be_sent_is_refused(token, message):
    with pytest.raises(UsageError, match=message):
        access_rules("127.0.0.1", token=token)
    with pytest.raises(UsageError, match="leave one of them out"):
        access_rules("127.0.0.1", token=TOKEN, no_auth=True)


def test_the_token_is_no_part_of_what_is_shown():
    assert TOKEN not in repr(access_rules("0.0.0.0", token=TOKEN))


def test_a_request_shows_the_token_or_a_session():
    rules = access_rules("0.0.0.0", token=TOKEN)
    assert status(rules) == 401
    assert status(rules, bearer(TOKEN)) == status(rules, bearer(TOKEN, "bearer")) == 200
    for wrong in (TOKEN[:-1], f"{TOKEN}0", "", "é", rules.session):
        assert status(rules, bearer(wrong)) == 401
    assert status(rules, bearer(TOKEN, "Basic")) == 401
    cookie = {**LOCAL, "cookie": f"a=b; penult_session=other; penult_session={rules.session}"}
    assert status(rules, cookie) == 200
    assert TOKEN not in rules.session
    other = access_rules("0.0.0.0", token=TOKEN.replace("0", "1"))
    assert status(other, cookie) == 401
    assert status(rules, {**LOCAL, "cookie": f"penult_session={TOKEN}"}) == 401


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", 200),
        ("/static/page.js", 200),
        ("/healthz", 200),
        ("/v1/readyz", 200),
        ("/v1/session", 200),
        ("/metrics", 401),
        ("/v1/labels", 401),
        ("/v1/images/static/a.jpg", 401),
        ("/v1/healthz/", 401),
        ("//", 401),
        ("/healthz\n", 401),
    ],
)
def test_without_a_token_there_is_the_page_which_holds_nothing_and_whether_it_lives(path, expected):
    assert status(access_rules("0.0.0.0", token=TOKEN), path=path) == expected


@pytest.mark.parametrize(
    ("host", "local", "open_to_all"),
    [
        ("127.0.0.1:8000", 200, 200),
        ("[::1]:8000", 200, 200),
        ("LOCALHOST", 200, 200),
        ("penult.localhost:1", 200, 200),
        ("192.168.1.7:8000", 403, 200),
        ("service:8000", 403, 200),
        ("desk.local", 403, 200),
        ("evil.example:8000", 403, 403),
        ("127.0.0.1.evil.example", 403, 403),
        ("localhost.", 200, 200),
        ("", 400, 400),
        ("a b", 400, 400),
        ("127.0.0.1,evil.example", 400, 400),
        ("127.0.0.1/", 400, 400),
    ],
)
def test_a_page_that_has_its_own_name_lead_here_is_refused(host, local, open_to_all):
    assert status(access_rules("127.0.0.1"), {"host": host}) == local
    assert status(access_rules("0.0.0.0", no_auth=True), {"host": host}) == open_to_all


def test_names_that_are_allowed_are_known_and_a_token_needs_none():
    rules = access_rules("127.0.0.1", allowed_hosts=["Shop.example"])
    assert status(rules, {"host": "shop.example:443"}) == 200
    assert status(rules, {"host": "localhost"}) == 200
    assert status(rules, {"host": "other.example"}) == 403
    assert "--allowed-host" not in rules.refusal("GET", "/", {"host": "x.example"}).detail
    assert "allowed_host='x.example'" in rules.refusal("GET", "/", {"host": "x.example"}).detail
    assert status(access_rules("127.0.0.1", allowed_hosts=["*"]), {"host": "other.example"}) == 200
    with_token = access_rules("0.0.0.0", token=TOKEN)
    assert status(with_token, {**bearer(TOKEN), "host": "other.example"}) == 200
    for wrong in ("https://shop.example", "shop.example:80", ""):
        with pytest.raises(UsageError, match="without http:// and without a port"):
            access_rules("127.0.0.1", allowed_hosts=[wrong])


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 200),  # no browser
        ({"sec-fetch-site": "same-origin", "origin": "https://behind.a.proxy"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:3000"}, 403),
        ({"origin": "http://127.0.0.1:8000"}, 200),
        ({"origin": "http://127.0.0.1:3000"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"origin": "https://shop.example"}, 200),
    ],
)
def test_a_page_of_another_site_may_change_nothing(headers, expected):
    rules = access_rules("127.0.0.1", allowed_hosts=["shop.example"])
    for method in ("POST", "PUT", "DELETE"):
        assert status(rules, {**LOCAL, **headers}, method, "/v1/labels/a.jpg") == expected
        assert status(rules, {**LOCAL, **headers}, method, "/v1/session") == expected
    assert status(rules, {**LOCAL, **headers}) == 200  # it could not read the answer


def test_rules_as_they_are_made_without_a_word_are_those_of_this_machine():
    assert AccessRules() == access_rules("localhost")
