"""What either client asks, and what it makes of the answers."""

from __future__ import annotations

import dataclasses
import inspect
import io
import json
import pickle

import httpx
import numpy as np
import pytest
from PIL import Image

import penult
from penult.client.answers import (
    Classified,
    ClassProbability,
    FoundHit,
    LabelEntry,
    PhotoFailure,
    ServedModel,
)

pytestmark = pytest.mark.light

MODEL = {"name": "flowers.skops", "kind": "classifier", "recipe_sha256": "ab" * 32, "version": "1"}
DAISY = {
    "label": "daisy",
    "probability": 0.75,
    "top": [{"label": "daisy", "probability": 0.75}, {"label": "rose", "probability": 0.25}],
    "unlike": False,
    "similarity": 0.9,
    "model": MODEL,
}
ENTRY = {
    "entry": 4,
    "id": "a/1.jpg",
    "old": "rose",
    "new": None,
    "who": "ann",
    "when": "2026-01-02",
}


def json_answer(value, status=200):
    return httpx.Response(status, json=value)


def parts_of(request):
    """The photos of a request of several."""
    boundary = request.headers["content-type"].split("boundary=")[1].encode()
    parts = request.content.split(b"--" + boundary)[1:-1]
    return [part.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n") for part in parts]


def test_a_classified_photo_is_a_record_with_the_names_of_the_json(opened, asked):
    asked.answers = [json_answer({**DAISY, "of a newer service": 1})]
    found = opened().classify(b"photo", top=2)
    assert found == Classified(
        label="daisy",
        probability=0.75,
        top=(ClassProbability("daisy", 0.75), ClassProbability("rose", 0.25)),
        unlike=False,
        similarity=0.9,
        model=ServedModel(**MODEL),
    )
    assert len(repr(found)) < 500
    (request,) = asked
    assert (request.method, str(request.url)) == ("POST", "http://service.test/v1/classify?top=2")
    assert request.content == b"photo"


def test_what_is_not_given_is_the_services_to_choose(opened, asked):
    asked.answers = [json_answer(DAISY)]
    opened().classify(b"photo")
    assert asked[0].url.query == b""


def test_a_file_is_sent_as_it_is_however_it_is_given(opened, asked, photos):
    path = photos / "daisy" / "daisy_01.jpg"
    data = path.read_bytes()
    asked.answers = [json_answer(DAISY)]
    client = opened()
    with path.open("rb") as file:
        file.read(7)  # a file is read from its start
        for given in (path, str(path), data, bytearray(data), file, io.BytesIO(data)):
            client.classify(given)
        assert not file.closed
    assert [request.content for request in asked] == [data] * 6


def test_pixels_are_sent_without_loss(opened, asked):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
    turned = Image.fromarray(pixels)
    turned.getexif()[0x0112] = 3  # is to be turned by half a circle
    asked.answers = [json_answer(DAISY)]
    client = opened()
    for given in (pixels, Image.fromarray(pixels), turned):
        client.classify(given)
    sent = [np.asarray(Image.open(io.BytesIO(request.content))) for request in asked]
    assert (sent[0] == pixels).all()
    assert (sent[1] == pixels).all()
    assert (sent[2] == pixels[::-1, ::-1]).all()


def test_an_address_is_for_the_service_to_fetch(opened, asked):
    asked.answers = [json_answer(DAISY)]
    opened().classify("https://example.com/daisy.jpg")
    assert json.loads(asked[0].content) == {"url": "https://example.com/daisy.jpg"}


@pytest.mark.parametrize(
    ("photo", "error", "said"),
    [
        ("no/such.jpg", penult.PathNotFoundError, "no such photo: no/such.jpg"),
        (".", penult.ImageError, "is a folder, not a file"),
        (7, penult.UsageError, "allowed: a path"),
        (np.zeros((2, 2, 3)), penult.UsageError, "float64 array"),
        (io.StringIO("a"), penult.ImageError, "mode 'rb'"),
    ],
)
def test_what_is_no_photo_is_refused_before_anything_is_sent(opened, asked, photo, error, said):
    with pytest.raises(error, match=said):
        opened().classify(photo)
    assert asked == []


def test_the_row_of_one_photo_comes_as_bytes(opened, asked):
    row = np.array([[0.1, -2, 3]], np.float32)
    asked.answers = [
        httpx.Response(
            200,
            content=row.astype("<f4").tobytes(),
            headers={
                "content-type": "application/octet-stream",
                "x-penult-shape": "1,3",
                "x-penult-recipe": "ab",
            },
        )
    ]
    found = opened().features(b"photo")
    assert asked[0].headers["accept"].startswith("application/octet-stream")
    assert (found.features == row).all()
    assert (found.features.dtype, found.recipe_sha256, found.photos) == (np.float32, "ab", (0,))


def test_of_several_photos_the_rows_say_whose_they_are(opened, asked):
    failed = {"part": 1, "detail": "is damaged"}
    asked.answers = [
        json_answer({"features": [[0.1], None, [2]], "recipe_sha256": "ab", "failures": [failed]})
    ]
    found = opened().features(b"one", b"two", b"three")
    assert parts_of(asked[0]) == [b"one", b"two", b"three"]
    assert (found.features == np.array([[0.1], [2]], np.float32)).all()
    assert found.photos == (0, 2)
    assert found.failures == (PhotoFailure(1, "is damaged"),)


def test_a_search_by_photo_id_or_row(opened, asked):
    hits = [{"id": "a.jpg", "similarity": 0.5, "label": None}]
    asked.answers = [
        json_answer({"hits": hits, "vote": None, "exact_copy": "a.jpg", "model": MODEL})
    ]
    client = opened()
    found = client.search(b"photo", k=3, filters=["label=daisy", "label!=rose"])
    assert found.hits == (FoundHit("a.jpg", 0.5),)
    assert found.exact_copy == "a.jpg"
    client.search(id="å b&c.jpg", offset=2)
    client.search(row=np.array([0.5, 1]), recipe_sha256="ab", filters="label=daisy")
    by_photo, by_id, by_row = asked
    assert by_photo.content == b"photo"
    assert by_photo.url.params.get_list("filter") == ["label=daisy", "label!=rose"]
    assert dict(by_id.url.params) == {"k": "10", "offset": "2", "id": "å b&c.jpg"}
    assert by_id.content == b""
    assert json.loads(by_row.content) == {"row": [0.5, 1.0], "recipe_sha256": "ab"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "nothing to search for was given; give one of photo, id, row"),
        ({"photo": b"x", "id": "a"}, "photo and id was given"),
        ({"row": [1.0, float("nan")]}, "not finite"),
        ({"row": [[1.0]]}, r"shape \(1, 1\); give one row"),
        ({"row": ["a"]}, "not a list of numbers"),
        ({"id": "a", "recipe_sha256": "ab"}, "goes with row alone"),
        ({"id": "a", "k": "3"}, "k is '3'; give a whole number"),
    ],
)
def test_a_search_that_cannot_be_meant_is_not_sent(opened, asked, given, said):
    with pytest.raises(penult.UsageError, match=said):
        opened().search(**given)
    assert asked == []


def test_an_id_is_quoted_in_an_address(opened, asked):
    asked.answers = [httpx.Response(200, content=b"jpeg")]
    client = opened("http://host:81/below/v1/")
    assert client.image("a b/50%?#ü.jpg") == b"jpeg"
    assert client.thumbnail("a.jpg") == b"jpeg"
    assert [request.url.raw_path for request in asked] == [
        b"/below/v1/images/a%20b/50%25%3F%23%C3%BC.jpg",
        b"/below/v1/thumbnails/a.jpg",
    ]


def test_labels_are_set_read_and_undone(opened, asked):
    entries = {"batch": 2, "entries": [ENTRY]}
    asked.answers = [
        json_answer(ENTRY),
        json_answer(entries),
        json_answer({"entries": [ENTRY]}),
        json_answer({"id": "a/1.jpg", "label": None, "history": [ENTRY]}),
        json_answer({"labels": [{"id": "a/1.jpg", "label": None, "who": None, "when": "now"}]}),
        httpx.Response(200, content=b"path,label\n"),
    ]
    client = opened()
    assert client.set_label("a/1.jpg", None, who="ann") == LabelEntry(**ENTRY)
    assert client.set_labels(["a/1.jpg"], "rose").batch == 2
    assert client.undo(batch=2).entries == (LabelEntry(**ENTRY),)
    assert client.label("a/1.jpg").history == (LabelEntry(**ENTRY),)
    assert client.labels().labels[0].when == "now"
    assert client.labels_csv() == b"path,label\n"
    assert [(one.method, one.url.path) for one in asked] == [
        ("PUT", "/v1/labels/a/1.jpg"),
        ("POST", "/v1/labels"),
        ("POST", "/v1/labels/undo"),
        ("GET", "/v1/labels/a/1.jpg"),
        ("GET", "/v1/labels"),
        ("GET", "/v1/labels"),
    ]
    bodies = [json.loads(one.content) for one in asked[:3]]
    assert bodies == [
        {"label": None, "who": "ann"},
        {"ids": ["a/1.jpg"], "label": "rose"},
        {"batch": 2},
    ]


def test_a_token_goes_with_each_call_and_is_shown_nowhere(opened, asked):
    asked.answers = [json_answer({"version": "2"})]
    client = opened(token="secret\n")
    assert client.reload() == "2"
    assert asked[0].headers["authorization"] == "Bearer secret"
    assert "secret" not in repr(client) + repr(vars(penult.Client("http://a", token="secret")))


def test_a_service_that_is_not_ready_says_so_at_once(opened, asked, waits):
    asked.answers = [json_answer({"status": 503}, 503), json_answer({}), json_answer({})]
    client = opened()
    assert client.ready() is False
    assert client.ready() is True
    assert client.healthz() is True
    assert waits == []


def test_a_problem_is_an_error_with_its_sentence_and_status(opened, asked):
    problem = {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "no image 'a'"}
    asked.answers = [json_answer(problem, 404)]
    with pytest.raises(penult.ServiceError) as caught:
        opened().image("a")
    assert (str(caught.value), caught.value.status) == ("no image 'a'", 404)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.status) == ("no image 'a'", 404)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(500, text="<h1>Oh no"), "/v1/classify answered 500 Internal Server Error"),
        (httpx.Response(308, headers={"location": "https://a/"}), "leads to https://a/ .308"),
        (httpx.Response(200, text="<h1>Hello"), "answer that cannot be read"),
        (httpx.Response(200, json=[]), "answer that cannot be read: it is no object"),
        (httpx.Response(200, json={"label": "daisy"}), "it lacks probability, top, model"),
        (httpx.Response(200, json={**DAISY, "probability": "high"}), "probability is 'high'"),
    ],
)
def test_an_answer_of_something_else_is_one_line(opened, asked, answer, said):
    asked.answers = [answer]
    with pytest.raises(penult.ServiceError, match=said) as caught:
        opened().classify(b"photo")
    assert "\n" not in str(caught.value)
    assert caught.value.status == answer.status_code


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": "127.0.0.1:8000"}, "no address of a service"),
        ({"url": "ftp://a"}, "no address of a service"),
        ({"url": "http://a:99999"}, "no address of a service"),
        ({"url": "http://"}, "no address of a service"),
        ({"url": "http://me:pass@a"}, "give token="),
        ({"url": "http://a?b=c"}, "more than an address"),
        ({"url": 8000}, "url is 8000; give a name"),
        ({"token": ""}, "token is empty"),
        ({"token": "a\nb"}, "characters that no token has"),
        ({"timeout": 0}, "more than 0"),
        ({"retries": -1}, "0 or more"),
    ],
)
def test_a_client_that_cannot_be_opened_says_why(opened, given, said):
    with pytest.raises(penult.UsageError, match=said):
        opened(**{"url": "http://a", **given})


def test_both_clients_take_the_same():
    ours, theirs = (
        {
            name: (inspect.signature(method), inspect.getdoc(method))
            for name, method in vars(kind).items()
            if name[0] != "_"
        }
        for kind in (penult.Client, penult.AsyncClient)
    )
    assert ours == theirs


def test_each_answer_is_frozen():
    from penult.client import answers

    for name in answers.__all__:
        with pytest.raises(dataclasses.FrozenInstanceError):
            object.__new__(getattr(answers, name)).id = 1


def test_what_cannot_be_asked_in_one_call_is_not_sent(opened, asked):
    client = opened()
    with pytest.raises(penult.UsageError, match=r"^no photo was given; give one or more$"):
        client.features()
    with pytest.raises(penult.UsageError, match=r"^give entry or batch, and not both$"):
        client.undo(entry=1, batch=2)
    url = "https://flowers.example/a.jpg"
    with pytest.raises(penult.UsageError, match=f"^{url} is an address; give one of these at a"):
        client.features(url, b"photo")
    assert asked == []
