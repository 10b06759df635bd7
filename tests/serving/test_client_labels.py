"""`penult.Client` on what a gallery has beside its rows: images, labels, a map, a queue to review."""

from __future__ import annotations

import io
import pickle

import pytest
from PIL import Image
from serving_client import ask

import penult
from penult.serving.labels.log import LabelLog

pytestmark = pytest.mark.light


@pytest.fixture
def labelled(serve, gallery, tmp_path):
    """A service of `gallery.h5`, whose labels may be corrected."""
    with LabelLog(tmp_path / "gallery.h5.labels.jsonl") as log:
        yield serve(gallery=gallery, label_log=log)


def test_images_and_thumbnails_are_files(labelled, tmp_path):
    async def files(client):
        return await client.image("rose/0.png"), await client.thumbnail("rose/0.png")

    image, thumbnail = ask(labelled, files)
    assert image == (tmp_path / "images" / "rose" / "0.png").read_bytes()
    assert max(Image.open(io.BytesIO(thumbnail)).size) <= 256


def test_labels_are_corrected_undone_and_exported(labelled):
    async def correct(client):
        one = await client.set_label("rose/0.png", "tulip", who="ann")
        several = await client.set_labels(["rose/1.png", "rose/2.png"], "a new one", who="bob")
        changed = await client.labels()
        undone = await client.undo(batch=several.batch)
        confirmed = await client.set_label("rose/1.png", "rose")
        return one, several, changed, undone, confirmed, await client.label("rose/0.png")

    one, several, changed, undone, confirmed, history = ask(labelled, correct)
    assert (one.entry, one.id, one.old, one.new, one.who) == (
        1,
        "rose/0.png",
        "rose",
        "tulip",
        "ann",
    )
    assert [entry.new for entry in several.entries] == ["a new one"] * 2
    assert {one.id: one.label for one in changed.labels} == {
        "rose/0.png": "tulip",
        "rose/1.png": "a new one",
        "rose/2.png": "a new one",
    }
    assert changed.total == 3
    assert {entry.new for entry in undone.entries} == {"rose"}
    assert {entry.undoes for entry in undone.entries} == {2, 3}
    assert confirmed.old == confirmed.new == "rose"
    assert (history.label, history.history) == ("tulip", (one,))
    table = ask(labelled, lambda client: client.labels_csv()).decode()
    assert "rose/0.png,tulip" in table
    assert "daisy/0.png,daisy" in table


def test_a_label_is_changed_from_the_one_that_was_seen_alone(labelled):
    async def correct(client):
        await client.set_label("rose/0.png", None, who="ann", expected="rose")
        for change in (
            lambda: client.set_label("rose/0.png", "tulip", expected="rose"),
            lambda: client.set_labels(["rose/0.png"], "tulip", expected={"rose/0.png": "rose"}),
        ):
            with pytest.raises(
                penult.ServiceError, match="has no label now, given by ann"
            ) as caught:
                await change()
            assert caught.value.status == 409
            now = {"id": "rose/0.png", "label": None, "who": "ann"}
            assert caught.value.members == {"labels": [now]}
            assert pickle.loads(pickle.dumps(caught.value)).members == {"labels": [now]}
        one = await client.set_label("rose/0.png", "tulip", expected=None)
        anyway = await client.set_label("rose/0.png", "daisy")
        return one.old, anyway.old

    assert ask(labelled, correct) == (None, "tulip")


def test_an_image_that_there_is_not_is_refused(labelled):
    for question in (
        lambda client: client.image("../gallery.h5"),
        lambda client: client.thumbnail("nowhere.png"),
        lambda client: client.set_label("nowhere.png", "rose"),
        lambda client: client.label("nowhere.png"),
    ):
        with pytest.raises(penult.ServiceError) as caught:
            ask(labelled, question)
        assert caught.value.status == 404
