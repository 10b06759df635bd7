"""`POST /v1/search`: what is nearest, as `penult search` has it."""

from __future__ import annotations

import pytest
from serving_client import COLOURS, Client, photo, refused

import penult
from penult.serving.app import create_app
from penult.serving.labels.log import LabelLog

pytestmark = pytest.mark.light

SEARCH = "/v1/search"


def shade(label: str, k: int) -> tuple[int, ...]:
    """The colour of the gallery's photo `label/k.png`."""
    return tuple(max(0, one - 6 * k) for one in COLOURS[label])


def test_a_photo_finds_what_penult_search_finds(client, gallery, tmp_path):
    (tmp_path / "query.png").write_bytes(photo((180, 40, 60)))
    answer = client.post(f"{SEARCH}?k=4", content=photo((180, 40, 60))).json()
    (expected,) = penult.search(gallery, tmp_path / "query.png", k=4, progress=False)
    assert [one["id"] for one in answer["hits"]] == [one.id for one in expected.hits]
    found = [one["similarity"] for one in answer["hits"]]
    assert found == pytest.approx([one.similarity for one in expected.hits])
    assert answer["hits"][0]["label"] == "rose"
    assert answer["vote"]["label"] == "rose"
    assert answer["exact_copy"] is None
    assert answer["model"]["kind"] == "gallery"


def test_the_same_bytes_are_recognised(client):
    answer = client.post(f"{SEARCH}?k=1", content=photo(shade("tulip", 1))).json()
    assert answer["exact_copy"] == "tulip/1.png"
    assert answer["hits"][0]["id"] == "tulip/1.png"
    again = client.post(f"{SEARCH}?k=1", content=photo(shade("tulip", 1), kind="BMP")).json()
    assert again["exact_copy"] is None
    assert again["hits"][0]["id"] == "tulip/1.png"


def test_an_image_of_the_gallery_does_not_find_itself(client):
    hits = client.post(f"{SEARCH}?id=rose/0.png&k=9").json()["hits"]
    assert len(hits) == 8
    assert "rose/0.png" not in [one["id"] for one in hits]
    assert {one["id"] for one in hits[:2]} == {"rose/1.png", "rose/2.png"}


def test_pages_follow_each_other(client):
    whole = client.post(f"{SEARCH}?id=rose/0.png&k=8").json()["hits"]
    pages = [
        client.post(f"{SEARCH}?id=rose/0.png&k=3&offset={at}").json()["hits"] for at in (0, 3, 6, 9)
    ]
    assert [one for page in pages for one in page] == whole
    assert pages[-1] == []


def test_filters_are_those_of_penult_search(client):
    asked = f"{SEARCH}?id=rose/0.png&k=9&filter=label!=rose&filter=id=*/0.png"
    hits = client.post(asked).json()["hits"]
    assert {one["id"] for one in hits} == {"tulip/0.png", "daisy/0.png"}
    refused(client.post(f"{SEARCH}?id=rose/0.png&filter=label=lily"), 422, "unknown label 'lily'")
    refused(
        client.post(f"{SEARCH}?id=rose/0.png&filter=nonsense"),
        422,
        "filter=nonsense is no condition",
        "KEY=VALUE",
    )


@pytest.fixture
def log(tmp_path):
    with LabelLog(tmp_path / "said.jsonl") as opened:
        yield opened


def found(client, *filters):
    """What is near to rose/0.png by these filters: its label by each id."""
    asked = "".join(f"&filter={one}" for one in filters)
    answer = client.post(f"{SEARCH}?id=rose/0.png&k=9{asked}")
    assert answer.status_code == 200, answer.text
    return {one["id"]: one["label"] for one in answer.json()["hits"]}


def test_filters_go_by_corrected_labels(serve, gallery, log):
    client = Client(create_app(serve(gallery=gallery, label_log=log)))
    for image, label in (("rose/1.png", "tulip"), ("daisy/0.png", "lily"), ("daisy/1.png", None)):
        assert client.put(f"/v1/labels/{image}", json={"label": label}).status_code == 200
    assert found(client, "label=rose") == {"rose/2.png": "rose"}
    tulips = {f"tulip/{k}.png": "tulip" for k in range(3)}
    assert found(client, "label=tulip") == {"rose/1.png": "tulip", **tulips}
    assert found(client, "label=lily") == {"daisy/0.png": "lily"}
    others = {"rose/2.png": "rose", "daisy/0.png": "lily", "daisy/1.png": None}
    assert found(client, "label!=tulip", "label!=daisy") == others
    asked = f"{SEARCH}?id=rose/0.png&filter=label=lilly"
    refused(client.post(asked), 422, "unknown label 'lilly'", "lily")
    client.post("/v1/labels/undo", json={"entry": 2})
    refused(client.post(f"{SEARCH}?id=rose/0.png&filter=label=lily"), 422, "unknown label 'lily'")


def test_a_gallery_without_labels_is_filtered_by_those_that_were_given(
    serve, gallery, toy, log, tmp_path
):
    flat = tmp_path / "flat"
    flat.mkdir()
    for k in range(3):
        (flat / f"{k}.png").write_bytes(photo(shade("rose", k)))
    penult.extract(flat, tmp_path / "flat.h5", model=toy, progress=False)
    client = Client(create_app(serve(gallery=tmp_path / "flat.h5", label_log=log)))
    asked = f"{SEARCH}?id=0.png&filter=label=rose"
    refused(client.post(asked), 422, "have no labels")
    client.put("/v1/labels/2.png", json={"label": "rose"})
    assert [one["id"] for one in client.post(asked).json()["hits"]] == ["2.png"]


def test_filters_go_by_each_of_several_corrected_labels(serve, gallery, toy, log, tmp_path):
    table = tmp_path / "several.csv"
    lines = ["rose/0.png,red|small", "rose/1.png,red", "rose/2.png,small"]
    table.write_text("\n".join(["path,label", *lines]))
    made = tmp_path / "several.h5"
    penult.extract(tmp_path / "images", made, model=toy, labels=table, progress=False)
    client = Client(create_app(serve(gallery=made, label_log=log)))
    assert set(found(client, "label=red")) == {"rose/1.png"}
    client.put("/v1/labels/rose/2.png", json={"label": "red|tall"})
    client.put("/v1/labels/rose/1.png", json={"label": None})
    assert set(found(client, "label=red")) == set(found(client, "label=tall")) == {"rose/2.png"}


def test_a_row_finds_what_its_photo_finds(client):
    features = client.post("/v1/features", content=photo((180, 40, 60))).json()
    row = {"row": features["features"][0], "recipe_sha256": features["recipe_sha256"]}
    by_row = client.post(SEARCH, json=row).json()["hits"]
    by_photo = client.post(SEARCH, content=photo((180, 40, 60))).json()["hits"]
    assert [one["id"] for one in by_row] == [one["id"] for one in by_photo]


def test_a_row_of_another_recipe_is_refused_with_both_digests(client):
    ours = client.get("/v1/gallery").json()["recipe_sha256"]
    answer = client.post(SEARCH, json={"row": [0.1, 0.2, 0.3], "recipe_sha256": "ab" * 32})
    refused(answer, 409, "ab" * 32, ours)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("[0.1, NaN, 0.3]", "NaN"),
        ("[0.1, Infinity, 0.3]", "NaN, or numbers too large"),
        ("[0.1, 1e60, 0.3]", "too large"),
        (f"[0.1, 1{'0' * 400}, 0.3]", "too large"),
        ("[0.1, 0.2]", "2 numbers"),
        ("[]", "0 numbers"),
        ('[0.1, "a", 0.3]', 'holds "a"; give numbers'),
        ("[0.1, true, 0.3]", "holds true; give numbers"),
        ("[0.1, [0.2], 0.3]", "holds [0.2]; give numbers"),
        ("[0, 0, 0]", "all zeros"),
        ("7", "has the row 7; send"),
        ('[0.1, 0.2, 0.3], "recipe_sha256": true', "recipe_sha256 is true; give a text"),
    ],
)
def test_a_row_that_is_none(client, row, words):
    content = f'{{"row": {row}}}'
    answer = client.post(SEARCH, content=content, headers={"Content-Type": "application/json"})
    refused(answer, 422, words)


def test_a_path_is_no_id(client, tmp_path):
    for name in ("../gallery.h5", str(tmp_path / "images/rose/0.png"), "/etc/passwd", "rose/9.png"):
        refused(client.post(SEARCH, params={"id": name}), 404, "unknown id")


def test_a_number_nobody_counts_to(client):
    refused(client.post(f"{SEARCH}?k=1000000000&id=rose/0.png"), 422, "1000000000", "1000")
    refused(client.post(f"{SEARCH}?k=0&id=rose/0.png"), 422, "k is '0'")
    refused(client.post(f"{SEARCH}?offset=-1&id=rose/0.png"), 422, "offset")


def test_one_thing_is_searched_for(client):
    refused(client.post(SEARCH), 400, "nothing to search for")
    refused(client.post(f"{SEARCH}?id=rose/0.png", content=photo((1, 2, 3))), 400, "one of")
    refused(client.post(SEARCH, files=[("file", photo((1, 2, 3)))] * 2), 422, "2 photos")
    refused(client.post(SEARCH, content=b"no photo"), 422, "not an image")


def test_without_a_gallery_there_is_nothing_to_search(serve, classifier):
    client = Client(create_app(serve(classifier=classifier)))
    for method, path in (("POST", SEARCH), ("GET", "/v1/gallery")):
        refused(client.request(method, path), 404, "has no gallery")


def test_where_near_is_a_distance_hits_have_that(serve, gallery, tmp_path):
    penult.index(gallery, tmp_path / "gallery.index", metric="euclidean", progress=False)
    client = Client(create_app(serve(gallery=tmp_path / "gallery.index")))
    hit = client.post(f"{SEARCH}?k=1", content=photo(shade("rose", 0))).json()["hits"][0]
    assert hit["id"] == "rose/0.png"
    assert hit["similarity"] is None
    assert hit["distance"] == pytest.approx(0, abs=1e-6)


def test_the_gallery_says_what_it_is(client, gallery):
    told = client.get("/v1/gallery").json()
    assert told["name"] == "gallery.h5"
    assert (told["images"], told["width"], told["metric"]) == (9, 3, "cosine")
    counts = [{"label": label, "images": 3} for label in ("daisy", "rose", "tulip")]
    assert told["labels"] == counts
    assert told["unlabelled"] == 0
    assert told["model"] == "toy:mean-colour"
