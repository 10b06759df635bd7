"""Labels over HTTP: corrected, undone, listed, and taken out as the table that extract takes."""

from __future__ import annotations

import csv
import io
import resource

import pytest
from serving_client import Client

import penult
from penult.serving.app import create_app
from penult.serving.labels.log import LabelLog

pytestmark = pytest.mark.light

LOG = "gallery.h5.labels.jsonl"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def log(tmp_path):
    with LabelLog(tmp_path / LOG) as opened:
        yield opened


@pytest.fixture
def client(serve, gallery, log):
    return Client(create_app(serve(gallery=gallery, label_log=log)))


def put(client, image, label, **more):
    return client.put(f"/v1/labels/{image}", json={"label": label, **more})


def problem(answer, status):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    return answer.json()["detail"]


def test_a_label_is_changed_and_says_so(client):
    answer = put(client, "daisy/0.png", "rose", who="Anna")
    assert answer.status_code == 200
    entry = answer.json()
    when, new_class = entry.pop("when"), entry.pop("new_class")
    assert entry == {
        "entry": 1,
        "batch": 1,
        "id": "daisy/0.png",
        "old": "daisy",
        "new": "rose",
        "who": "Anna",
        "undoes": None,
    }
    assert not new_class
    shown = client.get("/v1/labels/daisy/0.png").json()
    assert shown == {"id": "daisy/0.png", "label": "rose", "history": [{**entry, "when": when}]}
    assert client.get("/v1/labels").json() == {
        "total": 1,
        "changed": 1,
        "labels": [{"id": "daisy/0.png", "label": "rose", "who": "Anna", "when": when}],
        "not_in_gallery": 0,
    }
    assert client.get("/v1/labels/daisy/1.png").json()["label"] == "daisy"


def test_a_change_of_another_label_than_was_expected_is_refused_and_says_who_gave_that(client, log):
    put(client, "rose/0.png", "tulip", who="Anna", expected="rose")
    answer = put(client, "rose/0.png", "rose", who="Ben", expected="rose")
    assert problem(answer, 409) == (
        "'rose/0.png' has the label 'tulip' now, given by Anna since, instead of the label 'rose'; "
        "nothing was changed here"
    )
    assert answer.json()["labels"] == [{"id": "rose/0.png", "label": "tulip", "who": "Anna"}]
    client.post("/v1/labels/undo", json={"entry": 1})
    told = problem(put(client, "rose/0.png", "daisy", expected=None), 409)
    assert told.startswith(
        "'rose/0.png' has the label 'rose' now, put back by somebody since, instead of no label"
    )
    told = problem(put(client, "rose/1.png", "daisy", expected="tulip"), 409)
    assert told.startswith("'rose/1.png' has the label 'rose' now, instead of the label 'tulip'")
    assert len(log) == 2
    assert put(client, "rose/2.png", " two  words ").status_code == 200
    assert put(client, "rose/2.png", "rose", expected=" two  words ").status_code == 200  # as sent
    put(client, "rose/0.png", None, expected="rose")
    assert put(client, "rose/0.png", "tulip", expected=None).json()["old"] is None


def test_of_several_none_is_changed_where_one_has_another_label_than_was_expected(client, log):
    client.post("/v1/labels", json={"ids": ["rose/0.png", "rose/1.png"], "label": "tulip"})
    expected = {"rose/0.png": "rose", "rose/1.png": "rose", "rose/2.png": "rose"}
    sent = {"ids": [*expected], "label": "daisy", "expected": expected}
    answer = client.post("/v1/labels", json=sent)
    assert problem(answer, 409) == (
        "'rose/0.png' has the label 'tulip' now, given by somebody since, instead of the label "
        "'rose'; 1 more image changed as well; nothing was changed here"
    )
    assert [one["id"] for one in answer.json()["labels"]] == ["rose/0.png", "rose/1.png"]
    stray = {**sent, "ids": ["rose/0.png"], "expected": {"daisy/0.png": "daisy"}}
    assert problem(client.post("/v1/labels", json=stray), 422) == (
        "a label is expected of 'daisy/0.png', which is none of the images to be changed"
    )
    assert len(log) == 2
    for one in ("rose/0.png", "rose/1.png"):
        expected[one] = "tulip"
    assert client.post("/v1/labels", json=sent).status_code == 200


def test_several_are_changed_at_once_and_undone_at_once(client):
    wanted = {"ids": ["rose/0.png", "rose/1.png"], "label": "tulip", "who": "Anna"}
    answer = client.post("/v1/labels", json=wanted).json()
    assert answer["batch"] == 1
    assert [(one["id"], one["old"], one["new"]) for one in answer["entries"]] == [
        ("rose/0.png", "rose", "tulip"),
        ("rose/1.png", "rose", "tulip"),
    ]
    undone = client.post("/v1/labels/undo", json={"who": "Anna"}).json()
    assert [one["undoes"] for one in undone["entries"]] == [1, 2]
    assert client.get("/v1/labels/rose/0.png").json()["label"] == "rose"
    assert client.get("/v1/labels").json()["total"] == 0
    detail = problem(client.post("/v1/labels/undo", json={"batch": 1}), 409)
    assert detail == "the change of 2 images to the label 'tulip' was undone already"
    assert "no change of labels to undo" in problem(client.post("/v1/labels/undo"), 409)


def test_what_is_confirmed_or_undone_or_in_the_file_by_now_is_not_counted_as_changed(
    client, gallery, toy
):
    def changed():
        return client.get("/v1/labels").json()["changed"]

    put(client, "rose/0.png", "rose")
    assert changed() == 0
    put(client, "rose/1.png", "tulip")
    put(client, "rose/2.png", None)
    assert changed() == 2
    client.post("/v1/labels/undo", json={"entry": 3})
    assert changed() == 1
    table = gallery.with_name("labels.csv")
    table.write_bytes(client.get("/v1/labels?format=csv").content)
    images = gallery.with_name("images")
    penult.extract(images, gallery, model=toy, labels=table, overwrite=True, progress=False)
    client.post("/v1/reload")
    assert changed() == 0


def test_they_are_listed_in_pages_in_the_order_in_which_they_were_changed(client):
    for k in (2, 0, 1):
        put(client, f"rose/{k}.png", "tulip")
    pages = [client.get(f"/v1/labels?offset={k}&limit=2").json()["labels"] for k in (0, 2)]
    assert [[one["id"][5] for one in page] for page in pages] == [["2", "0"], ["1"]]


def test_the_table_is_what_extract_takes_and_comes_back_with_it(client, toy, tmp_path):
    put(client, "daisy/0.png", 'Löwen|"zahn", gelb'.replace("|", ""))
    put(client, "rose/1.png", None)
    put(client, "tulip/2.png", "1.0")
    table = client.get("/v1/labels?format=csv")
    assert table.headers["content-type"].startswith("text/csv")
    assert 'filename="labels.csv"' in table.headers["content-disposition"]
    assert client.get("/v1/labels", headers={"Accept": "text/csv"}).content == table.content
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert len(rows) == 9
    labels = {row["path"]: row["label"] or None for row in rows}
    (tmp_path / "labels.csv").write_bytes(table.content)
    again = penult.extract(
        tmp_path / "images",
        tmp_path / "again.h5",
        model=toy,
        labels=tmp_path / "labels.csv",
        progress=False,
    )
    found = [again.label_names[k] if k >= 0 else None for k in again.labels]
    assert dict(zip(again.ids, found, strict=True)) == labels
    assert (labels["daisy/0.png"], labels["rose/1.png"], labels["tulip/2.png"]) == (
        'Löwen"zahn", gelb',
        None,
        "1.0",
    )


def test_labels_that_are_decimals_are_not_read_as_whole_numbers_beside_gaps(client, toy, tmp_path):
    ids = [f"{name}/{k}.png" for name in ("daisy", "rose", "tulip") for k in range(3)]
    client.post("/v1/labels", json={"ids": ids, "label": "2.0"})
    put(client, ids[0], None)
    (tmp_path / "labels.csv").write_bytes(client.get("/v1/labels?format=csv").content)
    again = penult.extract(
        tmp_path / "images",
        tmp_path / "again.h5",
        model=toy,
        labels=tmp_path / "labels.csv",
        progress=False,
    )
    assert [*again.label_names] == ["2.0"]
    assert [*again.labels] == [-1, *[0] * 8]


WRONG = [
    ({"label": "a|b"}, "in it, which separates several labels"),
    ({"label": ""}, "the label is empty"),
    ({"label": "x" * 201}, "201 characters"),
    ({"label": "ro\nse"}, "cannot be shown"),
    ({"label": 3}, "label"),
    ({}, "label"),
    ({"label": "rose", "by": "Anna"}, "by"),
    ({"label": "rose", "who": "x" * 101}, "101 characters"),
    ([], "the body"),
]


def test_what_is_no_label_is_a_problem_and_changes_nothing(client, log):
    for body, detail in WRONG:
        answer = client.put("/v1/labels/rose/0.png", json=body)
        assert detail in problem(answer, 422), body
    assert len(log) == 0


def test_an_image_that_there_is_not_is_a_problem_and_none_of_the_others_is_changed(client, log):
    for path in ("none.png", "../gallery.h5", "rose/0.png/", "/etc/passwd", "%00"):
        problem(put(client, path, "rose"), 404)
    wanted = {"ids": ["rose/0.png", "none.png", "\ud800"], "label": "tulip"}
    answer = client.request(
        "POST",
        "/v1/labels",
        content=str(wanted).replace("'", '"'),
        headers={"Content-Type": "application/json"},
    )
    assert r"no image of 2 of the 3 ids: 'none.png', '\\ud800'; /v1" in answer.text
    assert len(log) == 0
    assert problem(client.get("/v1/labels/none.png"), 404) == (
        "the gallery has no image of the id 'none.png'; /v1/gallery/rows?q=TEXT lists those whose "
        "ids contain a text"
    )
    assert problem(client.get("/v1/labels/Rose/0.PNG"), 404) == (
        "the gallery has no image of the id 'Rose/0.PNG'; did you mean 'rose/0.png'? Capitals count"
    )
    problem(client.post("/v1/labels", json={"ids": [], "label": "tulip"}), 422)


def test_a_body_that_is_no_json_is_a_problem(client):
    sent = {"headers": {"Content-Type": "application/json"}}
    for body in (b"{", b"\xff", b"[" * 100_000, b"NaN", b""):
        answer = client.put("/v1/labels/rose/0.png", content=body, **sent)
        assert 400 <= answer.status_code < 500
        problem(answer, answer.status_code)


def test_a_body_that_is_too_large_is_not_read_to_its_end(serve, gallery, log):
    client = Client(create_app(serve(gallery=gallery, label_log=log, max_bytes=1000)))
    taken = []

    async def endless():
        for _ in range(1000):
            taken.append(None)
            yield b" " * 10_000

    for body in (endless(), b" " * 1_000_000):
        sent = {"headers": {"Content-Type": "application/json"}}
        answer = client.post("/v1/labels", content=body, **sent)
        assert "larger than 1,000 bytes" in problem(answer, 413)
    assert len(taken) < 10


def test_a_full_disk_is_a_problem_and_the_next_change_goes_on(client, log, caplog):
    put(client, "rose/0.png", "tulip")
    size = log.path.stat().st_size
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, hard))
    try:
        answer = put(client, "rose/1.png", "tulip")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert problem(answer, 507).startswith(f"{log.path.name} cannot be written: the disk is full")
    assert f"{log.path} cannot be written: the disk is full" in caplog.text
    assert client.get("/v1/labels/rose/1.png").json()["history"] == []
    assert put(client, "rose/1.png", "tulip").json()["entry"] == 2


def test_where_nothing_is_kept_labels_are_read_and_not_changed(serve, gallery, classifier):
    client = Client(create_app(serve(gallery=gallery)))
    assert client.get("/v1/labels/rose/0.png").json()["label"] == "rose"
    assert client.get("/v1/labels").json()["labels"] == []
    assert "keeps no log" in problem(put(client, "rose/0.png", "tulip"), 403)
    alone = Client(create_app(serve(classifier=classifier)))
    assert "no gallery" in problem(alone.get("/v1/labels"), 404)


def test_changes_at_the_same_time_are_all_kept(client, log):
    answers = client.together(
        [("PUT", f"/v1/labels/rose/{k % 3}.png", {"json": {"label": f"{k}"}}) for k in range(30)]
    )
    assert sorted(one.json()["entry"] for one in answers) == [*range(1, 31)]
    assert len(log) == 30


def test_what_is_undone_is_put_back_although_the_file_has_the_correction(client, gallery, toy):
    put(client, "daisy/0.png", "tulip")
    table = gallery.with_name("labels.csv")
    table.write_bytes(client.get("/v1/labels?format=csv").content)
    images = gallery.with_name("images")
    penult.extract(images, gallery, model=toy, labels=table, overwrite=True, progress=False)
    client.post("/v1/reload")
    (undone,) = client.post("/v1/labels/undo", json={"entry": 1}).json()["entries"]
    assert (undone["old"], undone["new"]) == ("tulip", "daisy")
    assert client.get("/v1/labels/daisy/0.png").json()["label"] == "daisy"
    rows = csv.DictReader(io.StringIO(client.get("/v1/labels?format=csv").text))
    assert next(one["label"] for one in rows) == "daisy"
    assert client.get("/v1/labels").json()["total"] == 0
    assert put(client, "daisy/0.png", "rose").json()["old"] == "daisy"


def test_a_class_that_no_image_has_is_taken_and_said_to_be_new(client):
    assert put(client, "daisy/0.png", "irs").json()["new_class"]
    assert not put(client, "daisy/1.png", "irs").json()["new_class"]
    assert not put(client, "daisy/1.png", None).json()["new_class"]
    wanted = {"ids": ["rose/0.png", "rose/1.png"], "label": "lily"}
    assert client.post("/v1/labels", json=wanted).json()["new_class"]


def test_json_that_is_sent_as_something_else_is_told_how_to_be_sent(client):
    form = {"Content-Type": "application/x-www-form-urlencoded"}  # as curl -d sends it
    answer = client.put("/v1/labels/daisy/0.png", content=b'{"label": "rose"}', headers=form)
    assert problem(answer, 415) == (
        "the body was sent as application/x-www-form-urlencoded; send Content-Type: "
        "application/json"
    )
    kind = {"Content-Type": "application/json"}
    answer = client.put("/v1/labels/daisy/0.png", content=b'{"label": ', headers=kind)
    assert problem(answer, 400).startswith("the body is no JSON: Expecting value: line 1 column")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("limit=0", "limit is '0'; give 1 or more"),
        ("limit=two", "limit is 'two'; give a whole number"),
        ("format=xml", "format is 'xml'; give 'json' or 'csv'"),
    ],
)
def test_what_a_value_has_to_be_is_said_in_a_sentence(client, query, said):
    assert problem(client.get(f"/v1/labels?{query}"), 422) == said


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{}", "label is missing; give it"),
        ('{"label": 3}', "label is 3; give a text"),
        ('{"label": true}', "label is true; give a text"),
        ('{"label": NaN}', "label is NaN; give a text"),
        ('{"label": {"a": [null, "é"]}}', 'label is {"a": [null, "é"]}; give a text'),
        ('{"label": "rose", "by": "Anna"}', "by is not known here; leave it out"),
        ('[null, "a"]', 'the body is [null, "a"]; give an object of names and values'),
    ],
)
def test_so_is_what_a_body_lacks_or_has_too_much_and_values_are_shown_as_json(client, body, said):
    assert problem(client.put("/v1/labels/daisy/0.png", content=body, headers=JSON), 422) == said


BODIES = [
    ("PUT", "/v1/labels/daisy/0.png", '{"label": "rose", "label": "tulip"}', "label"),
    ("POST", "/v1/labels", '{"ids": ["daisy/0.png"], "label": "a", "expected": {"é": "", "é": ""}}', "é"),
    ("POST", "/v1/labels/undo", '{"entry": 1, "entry": 2}', "entry"),
    ("POST", "/v1/session", '{"token": "a", "token": "a"}', "token"),
    ("POST", "/v1/search", '{"row": [1], "row": [2]}', "row"),
    ("POST", "/v1/features", '{"url": "http://a", "url": "http://b"}', "url"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "name"), BODIES)
def test_a_body_that_has_a_name_twice_is_refused_by_every_route(
    client, log, method, path, body, name
):
    put(client, "rose/0.png", "tulip")
    answer = client.request(method, path, content=body, headers=JSON)
    assert problem(answer, 400) == (
        f'the body is no JSON: it has the name "{name}" twice in one object; leave one out'
    )
    assert len(log) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v1/labels/daisy/0.png"),
        ("POST", "/v1/labels"),
        ("POST", "/v1/session"),
        ("POST", "/v1/search"),
        ("POST", "/v1/features"),
    ],
)
def test_a_body_that_is_not_there_is_400_on_every_route(client, method, path):
    problem(client.request(method, path), 400)


def test_of_a_path_all_methods_are_told_that_it_has(client):
    answer = client.request("DELETE", "/v1/labels/daisy/0.png")
    assert problem(answer, 405) == "DELETE is not allowed here; send GET or HEAD or PUT"
    assert answer.headers["Allow"] == "GET, HEAD, PUT"
    assert client.request("DELETE", "/v1/labels").headers["Allow"] == "GET, HEAD, POST"
    assert client.request("PUT", "/v1/session").headers["Allow"] == "DELETE, GET, HEAD, POST"


def test_a_change_of_an_image_that_is_gone_is_not_listed_and_undone_only_by_its_number(client, log):
    put(client, "daisy/0.png", "rose")
    log.put(["gone.png"], "rose")
    listed = client.get("/v1/labels").json()
    assert (listed["total"], listed["not_in_gallery"]) == (1, 1)
    undone = client.post("/v1/labels/undo").json()
    assert [one["id"] for one in undone["entries"]] == ["daisy/0.png"]
    assert "no change of labels to undo" in problem(client.post("/v1/labels/undo"), 409)
    undone = client.post("/v1/labels/undo", json={"entry": 2}).json()
    assert [one["id"] for one in undone["entries"]] == ["gone.png"]


def test_an_entry_and_a_batch_are_not_both_undone(client, log):
    put(client, "daisy/0.png", "rose")
    asked = client.post("/v1/labels/undo", json={"entry": 1, "batch": 1})
    assert problem(asked, 422) == "entry 1 and batch 1 were given; give one of them"
    assert len(log) == 1


def test_more_changes_than_the_operator_allows_are_not_listed_at_once(serve, gallery, log):
    client = Client(create_app(serve(gallery=gallery, label_log=log, max_k=2)))
    said = problem(client.get("/v1/labels", params={"limit": 3}), 422)
    assert said == "limit: 3 was given; at most 2 are listed at once"
    assert client.get("/v1/labels", params={"limit": 2}).status_code == 200
