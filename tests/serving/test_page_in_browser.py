"""The page of the service as a browser shows it, and what is done with it by mouse and keys."""

import base64
import json
import re
import shutil
import socket
import threading
from contextlib import contextmanager

import pytest
import uvicorn
from browser import CHROMIUM, browser
from serving_client import photo
from toys import MeanColour

import penult
from penult.backbones.registry import register, unregister
from penult.serving.access import access_rules
from penult.serving.app import create_app
from penult.serving.engine_queue import EngineQueue
from penult.serving.labels.log import LabelLog
from penult.serving.models.opening import open_served
from penult.serving.models.sources import Sources
from penult.serving.options import ServiceOptions
from penult.serving.service import Service

pytestmark = [
    pytest.mark.light,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

PHONE = 390  # CSS pixels
HOSTILE = '<img src=x onerror="window.hurt = 1">\u202e'  # a class; on a phone it is long as well
NEAR = 13  # pictures of each class, from its colour away
SHADES = {
    "daisy": lambda k: (240, 240, 220 - 3 * k),
    "rose": lambda k: (170, 20 + 3 * k, 40),
    "tulip": lambda k: (240, 180 + 3 * k, 30),
    HOSTILE: lambda k: (90 + 3 * k, 30, 200),
}
STRAY = "tulip/stray.png"  # red among the yellow
ROSE, GREEN = (170, 20, 40), (0, 200, 0)
TOKEN = "a-token-of-the-test"
REFUSED = {
    "several_photos": 415,
    "none_that_is_refused": 422,
    "another_person_gave": 409,
    "nor_is_it": 409,
}  # as tests provoke it
LOOKED = "!document.querySelector('[aria-busy]')"
LINES_OF_COMMAND = r"""(() => {
  const code = document.querySelector("#changed code"), lines = {}, texts = [];
  for (const nodes = document.createTreeWalker(code, NodeFilter.SHOW_TEXT); nodes.nextNode();)
    texts.push(nodes.currentNode);
  for (const text of texts)
    for (const found of text.data.matchAll(/-[-\w]+/g)) {
      const range = document.createRange();
      range.setStart(text, found.index);
      range.setEnd(text, found.index + found[0].length);
      lines[found[0]] = new Set([...range.getClientRects()].map((one) => one.top)).size;
    }
  return [code.textContent, lines];
})()"""
HOLDS_THE_QUEUE = """(() => {
  const { review } = page.views, step = review.step.bind(review), asked = fetch;
  const held = new Promise((go) => { window.release = go; });
  review.step = (by) => step(by).then(() => { window.stepped = true; });
  window.fetch = async (url, sent) => {
    const answer = await asked(url, sent);
    if (`${url}`.includes("/review")) { window.waits = true; await held; }
    return answer;
  };
})()"""


@contextmanager
def running(service):
    """The address at which a service answers in a thread of this process."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(service), log_level="critical"))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join()
        service.served.close()
        service.queue.close()


def service_of(*, log=None, options=None, **sources):
    queue = EngineQueue(limit=64, batch_wait=0.001, workers=1)
    sources = Sources(**sources)
    served = open_served(sources, queue, corrections=log)
    return Service(
        options=options or ServiceOptions(),
        sources=sources,
        served=served,
        queue=queue,
        label_log=log,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """`garden.h5` and its `images`: 53 squares of one colour each."""
    folder = tmp_path_factory.mktemp("page")
    for label, shade in SHADES.items():
        (folder / "images" / label).mkdir(parents=True)
        for k in range(NEAR):
            (folder / "images" / label / f"{k:02}.png").write_bytes(photo(shade(k)))
    (folder / "images" / STRAY).write_bytes(photo((170, 21, 40)))
    register(MeanColour())
    penult.extract(folder / "images", folder / "garden.h5", model="toy:mean-colour", progress=False)
    yield folder
    unregister("toy")


@pytest.fixture(scope="module")
def address(folder):
    with LabelLog(folder / "labels.jsonl") as log:
        service = service_of(gallery=folder / "garden.h5", images=[folder / "images"], log=log)
        with running(service) as address:
            service.served.start()
            assert service.served.gallery.collection.places.wait(60)  # the last of all
            yield address


@pytest.fixture(scope="module")
def log(folder):
    """The labels that were given, by the log of them."""
    file = folder / "labels.jsonl"
    file.touch()
    return lambda: [
        one["new"]
        for line in file.read_text(encoding="utf-8").splitlines()
        for one in json.loads(line).get("changes", ())
    ]


@pytest.fixture(scope="module")
def bare(folder):
    """`bare.h5`: three pictures of `folder` without a label, a.png … c.png."""
    (folder / "flat").mkdir()
    for name, label in zip("abc", SHADES, strict=False):
        (folder / "flat" / f"{name}.png").write_bytes(photo(SHADES[label](0)))
    penult.extract(folder / "flat", folder / "bare.h5", model="toy:mean-colour", progress=False)
    return folder / "bare.h5"


@pytest.fixture(scope="module")
def tab():
    with browser() as tab:
        yield tab


@pytest.fixture
def page(tab, address, request):
    """The page, opened anew; at the end it has complained of nothing, and asked nobody else."""
    opened(tab, address)
    yield tab
    tab.run("sessionStorage.clear(); localStorage.clear()")
    # What a page shown before still asks of its service, which has ended, is none of this one's.
    said = [
        one
        for one in tab.complaints
        if one.get("entry", {}).get("source") != "network"
        or one["entry"]["url"].startswith(address)
    ]
    status = next((n for what, n in REFUSED.items() if what in request.node.name), None)
    refused = [one for one in said if status and f"status of {status}" in one["entry"]["text"]]
    assert said == refused
    assert {one.split("/", 3)[2] for one in tab.requests if one.startswith("http")} == {
        address.split("/")[2]
    }


def opened(tab, address, **options):
    tab.open(address, **options)
    tab.until("!!window.page")


def go(tab, place):
    tab.run(f"location.hash = {json.dumps(place)}")
    tab.until(f"!document.getElementById({json.dumps(place[1:].split('?')[0])}).hidden && {LOOKED}")


def give(tab, *photos, how="choose"):
    """Give the page photos, (name, bytes) each: chosen, dropped or pasted."""
    files = [[name, base64.b64encode(data).decode()] for name, data in photos]
    tab.run(
        f"""(() => {{
          const given = new DataTransfer();
          for (const [name, text] of {json.dumps(files)}) {{
            const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
            given.items.add(new File([bytes], name, {{ type: "image/png" }}));
          }}
          const field = document.getElementById("choose"), how = {json.dumps(how)};
          if (how === "choose") {{ field.files = given.files; field.dispatchEvent(new Event("change")); }}
          if (how === "drop") dispatchEvent(new DragEvent("drop", {{ dataTransfer: given, bubbles: true, cancelable: true }}));
          if (how === "paste") dispatchEvent(new ClipboardEvent("paste", {{ clipboardData: given, bubbles: true, cancelable: true }}));
        }})()"""
    )


def text(tab, selector):
    return tab.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? null")


def texts(tab, selector):
    return tab.run(
        f"[...document.querySelectorAll({json.dumps(selector)})]"
        ".filter(one => one.getClientRects().length).map(one => one.innerText)"
    )


def ids(tab, view):
    return tab.run(f"[...document.querySelectorAll('#{view} .tile')].map(one => one.dataset.id)")


def click(tab, selector, which=0):
    tab.run(f"document.querySelectorAll({json.dumps(selector)})[{which}].click()")


def fill(tab, selector, value, event="input"):
    """Have a field hold a value, as a hand would."""
    tab.run(
        f"(() => {{ const one = document.querySelector({json.dumps(selector)}); "
        f"one.value = {json.dumps(value)}; "
        f"one.dispatchEvent(new Event('{event}', {{ bubbles: true }})) }})()"
    )


def said(tab, words):
    """Wait until the page has said something, which a screen reader reads."""
    tab.until(f"document.querySelector('#toast p').textContent.includes({json.dumps(words)})")


def label_of(tab, address, image):
    """What the service calls an image."""
    tab.run(
        f"window.told = null; fetch('v1/labels/{image}').then(one => one.json())"
        ".then(one => { window.told = one; })"
    )
    return tab.until("window.told")["label"]


def answered(tab):
    tab.until(
        "document.querySelectorAll('#answer .tile').length > 0 && !document.querySelector('[aria-busy]')"
    )


@pytest.mark.parametrize("how", ["choose", "drop", "paste"])
def test_a_photo_is_named_with_its_chances_above_the_pictures_nearest_to_it(page, how):
    if how != "choose":
        go(page, "#browse")  # from anywhere
    give(page, ("mine.png", photo(ROSE, (30, 20))), how=how)
    answered(page)
    assert text(page, ".verdict h3") == "rose"
    assert texts(page, ".bars li")[0].split("\n") == ["rose", "100%"]  # at distance 0
    assert page.run("document.querySelector('.bar').getBoundingClientRect().width") > 50
    assert ids(page, "answer")[:4] == ["rose/00.png", STRAY, "rose/01.png", "rose/02.png"]
    assert texts(page, "#answer .tile .n")[0] == "1.000"
    assert text(page, ".copy") == ""
    assert page.run("document.querySelector('.unlike')") is None


def test_what_is_like_nothing_is_said_to_be(page):
    give(page, ("green.png", photo(GREEN)))
    answered(page)
    assert text(page, ".unlike").startswith("Unusual for this ")


def test_a_file_of_the_gallery_is_recognised(page):
    give(page, ("copy.png", photo(SHADES["rose"](5))))
    answered(page)
    assert text(page, ".copy") == "The same file is in the gallery: rose/05.png."


def test_of_several_photos_each_is_answered_and_what_is_none_says_why(page):
    give(
        page,
        ("a.png", photo(ROSE, (9, 9))),
        ("b.png", b"PK\x03\x04 no photo"),
        ("c.png", photo(GREEN)),
        ("d.png", b""),
    )
    page.until(
        "[...document.querySelectorAll('.mine .label')].every(one => one.textContent !== '…')"
    )
    assert texts(page, ".mine .label") == ["rose", "not read", "unusual", "not read"]
    click(page, ".mine", 1)
    assert "zip archive" in text(page, "#answer .problem")
    assert page.run("document.querySelectorAll('.mine')[1].getAttribute('aria-pressed')") == "true"
    click(page, ".mine", 3)
    assert text(page, "#answer .problem") == "d.png is empty."
    click(page, ".mine", 0)
    assert text(page, "#try .heard") == "rose, 100% of the votes of the nearest pictures"


def test_a_finger_finds_room_on_a_phone(tab, address):
    tab.call("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=2)
    try:
        opened(tab, address, width=PHONE)
        for view in ("#try", "#browse", "#review", "#map"):
            go(tab, view)
            if view == "#map":
                tab.until("!!window.rowMap")
            assert (
                tab.run(
                    "[...document.querySelectorAll('main :is(button, select, label.button, .pick-room, .more-like), nav a, input[type=search]')]"
                    ".filter(one => one.getClientRects().length)"
                    ".map(one => [one.innerText, one.className, one.getBoundingClientRect().width, one.getBoundingClientRect().height])"
                    ".filter(([, , width, height]) => width < 43.9 || height < 43.9)"
                )
                == []
            )
    finally:
        tab.call("Emulation.setTouchEmulationEnabled", enabled=False)


def test_the_link_past_the_views_leads_to_the_one_that_is_shown(page, address):
    go(page, "#browse")
    click(page, ".skip")
    assert page.run("document.activeElement.id") == "main"
    assert page.run("location.hash") == "#browse"
    page.open("about:blank")
    opened(page, f"{address}#main")  # as it was kept
    assert not page.run("document.getElementById('try').hidden")


def test_more_like_this_leads_on_and_can_be_narrowed_to_a_class(page):
    go(page, "#similar?id=tulip%2Fstray.png")
    page.until("document.querySelectorAll('#similar .nearest .tile').length > 0")
    found = ids(page, "similar")
    assert found[:3] == [STRAY, "rose/00.png", "rose/01.png"]
    assert found.count(STRAY) == 1  # the one that was asked for
    fill(page, "#similar select", "tulip", "change")
    page.until(
        f"document.querySelectorAll('#similar .tile')[1]?.dataset.id === 'tulip/00.png' && {LOOKED}"
    )
    assert page.run("location.hash") == "#similar?id=tulip%2Fstray.png&label=tulip"
    click(page, "#similar .nearest .more-like")
    page.until("document.querySelector('#similar .tile').dataset.id === 'tulip/00.png'")


def test_the_gallery_is_browsed_by_name_and_class_a_page_at_a_time(page):
    go(page, "#browse")
    assert text(page, "#browse .told") == "48 of 53 pictures"
    assert texts(page, "#browse .tile figcaption .id")[0] == ids(page, "browse")[0].split("/")[-1]
    page.until("document.querySelectorAll('#browse [name=cluster] option').length > 1")
    told = page.run("document.querySelectorAll('#browse [name=cluster] option')[1].textContent")
    assert re.fullmatch(r"0: .+ \d+(\.\d)?%, \d+ pictures", told), told
    click(page, "#browse .below .button")
    page.until("document.querySelectorAll('#browse .tile').length === 53")
    assert page.run("document.activeElement.closest('.tile').dataset.id") == ids(page, "browse")[48]
    page.press("ArrowLeft")
    assert page.run("document.activeElement.closest('.tile').dataset.id") == ids(page, "browse")[47]
    fill(page, "#browse-label", "rose", "input")
    page.until(f"document.querySelector('#browse .told').textContent === '13 pictures' && {LOOKED}")
    fill(page, "#browse-text", "07", "input")
    page.until(f"document.querySelector('#browse .told').textContent === '1 picture' && {LOOKED}")
    assert ids(page, "browse") == ["rose/07.png"]
    assert page.run("location.hash") == "#browse?q=07&label=rose"


def test_a_cluster_is_named_without_brackets_and_one_that_is_not_there_is_said_to_be_none(page):
    page.run("location.hash = '#browse?cluster=99'")
    page.until("document.querySelector('#browse .told')?.textContent === 'There is no cluster 99.'")
    offered = "[...document.querySelectorAll('#browse-cluster option')].map(one => one.innerText)"
    every, *clusters, stray = page.run(offered)
    assert (every, stray) == ("All", "99")
    assert all(
        re.fullmatch(r"\d+: .+ \d+(\.\d)?%, \d+ pictures?", one, re.DOTALL) for one in clusters
    )
    go(page, "#browse?cluster=0")
    page.until("document.querySelectorAll('#browse .tile').length > 0")
    assert page.run(offered) == [every, *clusters]


def test_names_are_texts_wherever_they_stand(page):
    go(page, "#browse?q=12")
    assert HOSTILE.replace("\u202e", "\\u202e") in texts(page, "#browse .tile .label")
    give(page, (f"{HOSTILE}.png", photo(SHADES[HOSTILE](0), (5, 5))))
    answered(page)
    assert text(page, ".verdict h3") == HOSTILE.replace("\u202e", "\\u202e")
    assert page.run("window.hurt") is None


def test_one_label_is_corrected_and_taken_back_with_ctrl_z(page, address):
    go(page, "#browse?q=daisy%2F03")
    click(page, "#browse .open")
    page.until("document.querySelector('#viewer').open")
    fill(page, "#viewer .who input", "Ada", "change")
    fill(page, "#viewer .editor input", "ox-eye")
    click(page, "#viewer .editor .main")
    assert text(page, "#asking-words").endswith("label “ox-eye” yet. Make it a new class?")
    click(page, "#asking [value=yes]")
    said(page, "daisy/03.png: now “ox-eye”.")
    assert text(page, "#viewer figcaption strong") == "ox-eye"
    assert label_of(page, address, "daisy/03.png") == "ox-eye"
    page.until("!!document.querySelector('#viewer .past')")
    assert text(page, "#viewer .past li").startswith("daisy → ox-eye Ada, ")
    assert page.run(
        "[...document.querySelectorAll('#classes option')].map(one => one.value).includes('ox-eye')"
    )
    page.press("Escape")
    page.until("document.activeElement.closest('.tile')?.dataset.id === 'daisy/03.png'")
    assert text(page, "#browse .label") == "ox-eye"
    page.press("z", modifiers=2)
    said(page, "daisy/03.png: “daisy” again.")
    assert text(page, "#browse .label") == "daisy"
    assert label_of(page, address, "daisy/03.png") == "daisy"
    assert page.run("document.getElementById('undo').hidden")
    opened(page, address)  # the name is remembered
    assert page.run("page.corrections.who") == "Ada"


def test_many_are_relabelled_at_once_when_that_was_confirmed(page, address):
    go(page, "#similar?id=tulip%2Fstray.png")
    page.until("document.querySelectorAll('#similar .nearest .tile').length > 0")
    boxes = "[...document.querySelectorAll('#similar .pick')]"
    page.run(f"for (const one of {boxes}.slice(0, 3)) one.click()")
    assert text(page, "#chosen .count") == "3 pictures chosen"
    fill(page, "#chosen-label", "Rose")
    click(page, "#chosen .main")
    assert text(page, "#asking-words") == "There is “rose” already. Take that instead of “Rose”?"
    click(page, "#asking [value=yes]")
    page.until("document.querySelector('#asking-words').innerText.endsWith('label “rose”?')")
    click(page, "#asking [value=no]")
    page.until("!document.querySelector('#asking').open")
    fill(page, "#chosen-label", "red")
    click(page, "#chosen .main")
    page.until("document.querySelector('#asking').open")
    assert text(page, "#asking-words") == "Give 3 pictures the label “red”? It is a new class."
    assert text(page, "#asking .details-line") == "Now: rose 2, tulip 1."
    click(page, "#asking [value=no]")
    page.until("!document.querySelector('#asking').open")
    assert label_of(page, address, "rose/00.png") == "rose"
    click(page, "#chosen .main")
    click(page, "#asking [value=yes]")
    said(page, "3 pictures: now “red”.")
    assert texts(page, "#similar .tile .label")[:4] == ["red", "red", "red", "rose"]
    assert page.run("document.getElementById('chosen').hidden")
    click(page, "#toast button")
    said(page, "3 pictures: their labels from before again.")
    assert texts(page, "#similar .tile .label")[:4] == ["tulip", "rose", "rose", "rose"]
    assert label_of(page, address, STRAY) == "tulip"


def test_likely_errors_are_worked_through_by_keys(page, address):
    go(page, "#review")
    page.until("!!document.querySelector('#review .question')")
    asked = "document.querySelector('#review .whole .id').innerText"
    assert page.run(asked) == STRAY
    assert text(page, "#review .now strong") == "tulip"
    assert text(page, "#review .suggested strong") == "rose"
    page.press("Enter")
    said(page, f"{STRAY}: now “rose”.")
    assert label_of(page, address, STRAY) == "rose"
    page.until("!!document.querySelector('#review .empty')")  # no other is left
    shown = "!document.querySelector('#changed').hidden"
    page.until(shown)
    assert text(page, "#changed").startswith("1 label changed. To train with the new labels")
    page.run(
        "fetch(document.querySelector('#changed a').href)"
        ".then((answer) => answer.text()).then((told) => { window.table = told; })"
    )
    assert f"{STRAY},rose" in page.until("window.table")
    page.press("u")
    said(page, f"{STRAY}: “tulip” again.")
    assert page.run(asked) == STRAY  # again
    names = page.run("page.classes.names")
    page.press(str(1 + names.index("daisy")))
    said(page, "now “daisy”")
    page.press("u")
    said(page, f"{STRAY}: “tulip” again.")
    page.press("k")
    said(page, "“tulip” confirmed")
    page.until("!!document.querySelector('#review .empty')")
    assert text(page, "#review .empty") == "No likely label errors are left."
    page.until(f"!({shown})")  # it was confirmed
    page.press("ArrowLeft")
    page.press("u")
    said(page, f"{STRAY}: “tulip” as before it was confirmed.")
    assert label_of(page, address, STRAY) == "tulip"
    click(page, "[data-kind=unsure]")
    page.until(
        "document.querySelector('#review .queue').innerText && !document.querySelector('#review .queue').innerText.includes('Looking')"
    )


def test_a_file_in_two_classes_is_one_question_and_one_answer(tab, folder, tmp_path):
    for image in ("rose/00.png", "rose/01.png", "daisy/00.png"):
        (tmp_path / "images" / image).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "images" / image, tmp_path / "images" / image)
    copies = ["daisy/rose.png", "rose/00.png"]
    shutil.copy(*(tmp_path / "images" / image for image in reversed(copies)))
    gallery = tmp_path / "rows.h5"
    penult.extract(tmp_path / "images", gallery, model="toy:mean-colour", progress=False)
    with (
        LabelLog(tmp_path / "log") as log,
        running(service_of(gallery=gallery, log=log)) as address,
    ):
        opened(tab, address)
        go(tab, "#review")
        asked = "document.querySelector('#review .whole .id')?.innerText === 'daisy/rose.png'"
        tab.until(asked)
        assert text(tab, "#review .now strong") == "daisy"
        assert text(tab, "#review .suggested strong") == "rose"  # of which the next one is
        with penult.Client(address) as client:
            assert client.review().items[0].same == ("rose/00.png",)
            assert client.review().items[0].same_labels == ("rose",)
            client.set_label("rose/00.png", "tulip", who="Ada")
            tab.press("Enter")
            said(tab, "'rose/00.png' has the label 'tulip' now, given by Ada since")
            client.undo(who="Ada")
            tab.press("Enter")
            said(tab, "'rose/00.png' has the label 'rose' now, put back by Ada since")
        tab.press("Enter")
        tab.until(f"!({asked})")
        assert [label_of(tab, address, one) for one in copies] == ["rose", "rose"]
        tab.press("u")
        tab.until(asked)
        assert [label_of(tab, address, one) for one in copies] == ["daisy", "rose"]
        tab.press("k")  # which changes the other one
        tab.until(f"!({asked})")
        opened(tab, address)  # with nothing left
        for view in ("#review", "#browse"):
            go(tab, view)
            tab.until("document.querySelector('#changed').innerText.startsWith('1 label changed')")
        tab.run("sessionStorage.clear(); localStorage.clear()")


def elsewhere(tab, address, image, label, who="Ada"):
    """Another person gives an image a label, of which the page hears nothing; None undoes that."""
    with penult.Client(address) as client:
        if label is None:
            client.undo(who=who)
        else:
            client.set_label(image, label, who=who)


def test_a_label_that_another_person_gave_since_is_shown_and_not_overwritten(page, address):
    go(page, "#review")
    page.until("!!document.querySelector('#review .question')")
    elsewhere(page, address, STRAY, "daisy")
    page.press("k")
    said(
        page, f"'{STRAY}' has the label 'daisy' now, given by Ada since, instead of the label 'tul"
    )
    assert text(page, "#review .whole .id") == STRAY
    assert text(page, "#review .now strong") == "daisy"
    assert label_of(page, address, STRAY) == "daisy"
    page.press("k")  # of what is seen now
    said(page, "“daisy” confirmed")
    page.press("u")
    said(page, f"{STRAY}: “daisy” as before it was confirmed.")
    elsewhere(page, address, STRAY, None)


@pytest.mark.parametrize("how", ["in its window", "among those chosen"])
def test_nor_is_it_where_pictures_are_browsed(page, address, how):
    go(page, "#browse?q=daisy%2F0")
    elsewhere(page, address, "daisy/05.png", "rose")
    if how == "in its window":
        click(page, "#browse .open", 5)
        page.until("document.querySelector('#viewer').open")
        click(page, "#viewer .editor [title^='The label is right']")  # Keep
    else:
        page.run("for (const one of document.querySelectorAll('#browse .pick')) one.click()")
        fill(page, "#chosen-label", "tulip")
        click(page, "#chosen .main")
        click(page, "#asking [value=yes]")
    said(page, "'daisy/05.png' has the label 'rose' now, given by Ada since")
    assert texts(page, "#browse .label")[4:7] == ["daisy", "rose", "daisy"]
    assert label_of(page, address, "daisy/05.png") == "rose"
    assert label_of(page, address, "daisy/04.png") == "daisy"  # none of them was changed
    elsewhere(page, address, "daisy/05.png", None)


@pytest.fixture(scope="module")
def strays(folder):
    """The address of a service of `folder`'s pictures, of which three more are called wrong."""
    table = folder / "strays.csv"
    wrong = {f"daisy/{k:02}.png": "rose" for k in (1, 6, 11)}
    with table.open("w", encoding="utf-8") as file:
        file.write("path,label\n")
        for image in penult.load(folder / "garden.h5").ids:
            kind = image.split("/")[0] if image.startswith(("daisy", "rose", "tulip")) else "iris"
            file.write(f"{image},{wrong.get(image, kind)}\n")
    rows = folder / "strays.h5"
    images = folder / "images"
    penult.extract(images, rows, model="toy:mean-colour", labels=table, progress=False)
    with LabelLog(folder / "strays.jsonl") as log:
        service = service_of(gallery=rows, images=[images], log=log)
        with running(service) as address:
            yield address


@pytest.fixture
def queue(tab, strays):
    """Its review, of four pictures."""
    opened(tab, strays)
    go(tab, "#review")
    tab.until("!!document.querySelector('#review .question')")
    yield tab
    while tab.run("page.corrections.done.length"):
        left = tab.run("page.corrections.undo(); page.corrections.done.length")
        tab.until(f"page.corrections.done.length < {left}")
    tab.run("sessionStorage.clear(); localStorage.clear()")
    tab.open("about:blank")  # what it still asks for is not the next page's


def middle(tab, selector):
    """Where an element is that can be clicked."""
    return tab.run(
        "(() => { const { left, right, top, bottom } = "
        f"document.querySelector({json.dumps(selector)}).getBoundingClientRect(); "
        "return [(left + right) / 2, (top + bottom) / 2] })()"
    )


def decided(tab, changes):
    """Wait until so many changes can be taken back, and none is being asked for."""
    tab.until(f"page.corrections.done.length === {changes}")
    tab.until("page.corrections.asked.size === 0 && !page.views.review.busy")
    assert tab.run("page.corrections.done.length") == changes


def test_enter_confirms_nothing_where_nothing_is_to_be_accepted(queue):
    page = "page.views.review"
    first = queue.run(f"{page}.item.id")
    queue.press("Enter")
    decided(queue, 1)
    queue.press("ArrowLeft")
    assert queue.run(f"{page}.item.id") == first
    assert queue.run("document.querySelector('#review .acts .main')") is None
    queue.press("Enter")
    decided(queue, 1)


def test_another_class_is_one_that_there_is_but_for_its_case_and_none_that_is_refused(
    queue, strays
):
    image = queue.run("page.views.review.item.id")
    asks = "document.querySelector('#asking').open"

    def give_class(label):
        fill(queue, "#review .other input", label)
        click(queue, "#review .other .button")

    give_class("rose|x")
    said(queue, "The label 'rose|x' has a | in it, which separates several labels")
    assert not queue.run(asks)
    give_class("Tulip")
    queue.until(asks)
    assert text(queue, "#asking-words") == "There is “tulip” already. Take that instead of “Tulip”?"
    click(queue, "#asking [value=no]")
    queue.until(f"{asks} && document.querySelector('#asking-words').innerText.startsWith('No pic')")
    click(queue, "#asking [value=no]")
    decided(queue, 0)
    give_class("Tulip")
    queue.until(asks)
    click(queue, "#asking [value=yes]")
    decided(queue, 1)
    assert label_of(queue, strays, image) == "tulip"


def test_undo_is_offered_where_there_is_something_and_says_of_what_another_person_changed(
    queue, strays
):
    undo = "document.querySelector('#review .undo')"
    assert queue.run(f"{undo}.hidden")
    image = queue.run("page.views.review.item.id")
    queue.press("Enter")
    decided(queue, 1)
    label = label_of(queue, strays, image)
    assert not queue.run(f"{undo}.hidden")
    elsewhere(queue, strays, image, "iris")
    click(queue, "#review .undo")
    said(queue, f"'{image}' has the label 'iris' now, given by Ada since; to undo the change of")
    queue.until(f"{undo}.hidden")
    elsewhere(queue, strays, image, None)
    with penult.Client(strays) as client:
        assert client.label(image).label == label
        client.undo(entry=client.label(image).history[-3].entry)  # before Ada came


def test_a_key_that_is_held_down_decides_once(queue):
    ids = queue.run("page.views.review.items.map(one => one.id)")
    asked = "document.querySelector('#review .whole .id').innerText"
    for made, key in enumerate(("k", "1", "Enter"), 1):
        queue.press(key, held=lambda made=made: decided(queue, made))
        decided(queue, made)
        assert queue.run(asked) == ids[made]
    queue.press("u", held=lambda: decided(queue, 2))
    decided(queue, 2)
    queue.press("z", modifiers=2, held=lambda: decided(queue, 1))
    decided(queue, 1)


def test_the_second_click_of_a_double_click_decides_nothing(queue):
    ids = queue.run("page.views.review.items.map(one => one.id)")
    asked = "document.querySelector('#review .whole .id').innerText"
    for made, what in enumerate((".main", ".acts .button:nth-child(2)", ".choice"), 1):
        place = middle(queue, f"#review {what}")
        queue.double_click(*place, between=lambda made=made: decided(queue, made))
        decided(queue, made)
        assert queue.run(asked) == ids[made]
    queue.double_click(*middle(queue, "#undo"), between=lambda: decided(queue, 2))
    decided(queue, 2)


def test_a_double_click_on_a_picture_leaves_it_open_and_x_held_down_leaves_it_chosen(page):
    go(page, "#browse?q=daisy%2F0")
    is_open = "document.querySelector('#viewer').open"
    page.double_click(*middle(page, "#browse .open"), between=lambda: page.until(is_open))
    assert page.run(is_open)
    page.press("Escape")
    page.until(f"!{is_open} && !!document.activeElement.closest('.tile')")
    chosen = "page.selection.size === 1"
    page.press("x", held=lambda: page.until(chosen))
    assert page.run(chosen)


def test_enter_held_down_does_not_answer_what_it_has_asked(page, log):
    go(page, "#browse?q=daisy%2F06")
    click(page, "#browse .open")
    fill(page, "#viewer .editor input", "a new one")
    page.run("document.querySelector('#viewer .editor input').focus()")
    asks, before = "document.querySelector('#asking').open", log()
    page.press("Enter", held=lambda: page.until(asks))
    assert page.run(asks)
    assert log() == before


@pytest.mark.parametrize("how", ["an undo", "the queue from its beginning"])
def test_a_step_that_waits_for_more_does_not_leave_what_was_opened_since(page, address, how):
    go(page, "#review")
    page.until("!!document.querySelector('#review .question')")
    page.run(HOLDS_THE_QUEUE)
    page.press("Enter" if how == "an undo" else "ArrowRight")
    page.until("window.waits")
    if how == "an undo":
        said(page, f"{STRAY}: now “rose”.")
        page.press("u")
        said(page, f"{STRAY}: “tulip” again.")
        assert label_of(page, address, STRAY) == "tulip"
    else:
        click(page, "[data-kind=errors]")
    page.run("release()")
    page.until("window.stepped && !document.querySelector('#review .queue > .soft')")
    assert text(page, "#review .whole .id") == STRAY


def test_the_end_of_the_review_says_how_many_are_not_decided(page, address):
    go(page, "#review")
    page.until("!!document.querySelector('#review .question')")
    page.press("ArrowRight")
    page.until("!!document.querySelector('#review .empty')")
    told = text(page, "#review [role=status]")
    assert told == "The end of the list; 1 is not decided; ← goes back."
    click(page, "#review .steps button")  # ‹
    assert text(page, "#review .whole .id") == STRAY


def test_no_option_of_the_command_for_changed_labels_is_broken_on_a_phone(tab, folder, tmp_path):
    with LabelLog(tmp_path / "log.jsonl") as log:
        log.put(["daisy/00.png"], "rose")
        with running(service_of(log=log, gallery=folder / "garden.h5")) as address:
            for width in range(330, PHONE + 1, 20):
                opened(tab, address, width=width)
                go(tab, "#review")
                tab.until("!document.getElementById('changed').hidden")
                command, lines = tab.run(LINES_OF_COMMAND)
                assert (
                    command == "penult extract PHOTOS --labels labels.csv -o FEATURES.h5 --update"
                )
                assert lines == {"--labels": 1, "-o": 1, "--update": 1}, width


def test_a_key_pressed_again_while_more_is_loaded_is_logged_once(page, address, log):
    go(page, "#review")
    page.until("!!document.querySelector('#review .question')")
    page.run(HOLDS_THE_QUEUE)
    before = log()
    page.press("Enter")
    page.until("window.waits")
    said(page, f"{STRAY}: now “rose”.")
    page.press("Enter")
    page.press("k")
    page.run("release()")
    page.until("window.stepped")
    assert log()[len(before) :] == ["rose"]
    page.press("u")
    said(page, f"{STRAY}: “tulip” again.")
    assert label_of(page, address, STRAY) == "tulip"


def test_what_is_pressed_twice_before_the_answer_is_one_change_and_two_that_are_taken_back(
    page, address, log
):
    go(page, "#browse?q=daisy%2F04")
    click(page, "#browse .open")
    page.until("document.querySelector('#viewer').open")
    before = len(log())
    for label in ("rose", "tulip"):
        fill(page, "#viewer .editor input", label)
        page.run(
            "for (const _ of [1, 2]) document.querySelector('#viewer .editor').requestSubmit()"
        )
        said(page, f"now “{label}”.")
    page.run("page.corrections.undo(); page.corrections.undo()")
    page.until("document.getElementById('undo').hidden")
    assert log()[before:] == ["rose", "tulip", "rose", "daisy"]


def test_the_lasso_of_the_map_chooses_pictures_and_new_labels_colour_them(page, address):
    go(page, "#map")
    page.until("!!window.rowMap")
    assert page.run("rowMap.data.size") == 53
    box = page.run(
        "(() => { const at = rowMap.canvas.getBoundingClientRect(); return [at.left + 2, at.top + 2, at.right - 2, at.bottom - 2] })()"
    )
    click(page, "[data-tool=box]")
    page.drag((box[0], box[1]), (box[2], box[3]))
    assert text(page, "#chosen .count") == "53 pictures chosen"
    click(page, "#chosen [data-act=clear]")
    assert page.run("rowMap.selection") == []
    page.run(f"rowMap.select([rowMap.data.ids.indexOf('{STRAY}')])")
    fill(page, "#chosen-label", "poppy")
    click(page, "#chosen .main")
    click(page, "#asking [value=yes]")  # of one, nobody is asked but for a new class
    said(page, "now “poppy”")
    assert "poppy" in texts(page, "#map .legend .name")
    page.run(f"rowMap.open(rowMap.data.ids.indexOf('{STRAY}'))")
    page.until("document.querySelectorAll('#map .near .thumb').length === 10")
    assert text(page, "#map .near .word") == "rose"
    click(page, "#undo")
    said(page, f"{STRAY}: “tulip” again.")
    assert label_of(page, address, STRAY) == "tulip"


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (PHONE, True)])
def test_each_view_fits_and_all_that_can_be_pressed_has_a_name(tab, address, width, dark):
    opened(tab, address, width=width, dark=dark)
    tab.call("Accessibility.enable")
    give(tab, ("a.png", photo(ROSE, (9, 9))), ("b.png", photo(GREEN, (9, 9))))
    answered(tab)
    for view in ("#try", "#browse", "#review", "#map", "#similar?id=rose%2F00.png"):
        go(tab, view)
        assert tab.run("document.documentElement.scrollWidth") <= width
        nodes = tab.call("Accessibility.getFullAXTree")["nodes"]
        named = {"button", "link", "textbox", "searchbox", "combobox", "checkbox", "dialog", "img"}
        for node in nodes:
            if not node["ignored"] and node.get("role", {}).get("value") in named:
                assert node["name"]["value"], node
    tab.call("Accessibility.disable")


def test_where_a_token_is_wanted_the_page_asks_for_it(tab, folder):
    options = ServiceOptions(access=access_rules("127.0.0.1", token=TOKEN))
    service = service_of(gallery=folder / "garden.h5", images=[folder / "images"], options=options)
    with running(service) as address:
        tab.open(address)
        tab.until("!document.getElementById('token').hidden")
        fill(tab, "#token-text", "another-token-1234")
        click(tab, "#token .main")
        tab.until("document.querySelector('#token .problem').textContent")
        assert text(tab, "#token .problem") == "The token is wrong."
        fill(tab, "#token-text", TOKEN)
        click(tab, "#token .main")
        tab.until("!!window.page")
        assert tab.run("document.getElementById('token').hidden")
        assert tab.run("document.activeElement.id") == "main"
        go(tab, "#browse")
        tab.until("document.querySelector('#browse img')?.naturalWidth > 0")  # sent with the cookie


def test_what_the_service_lacks_is_said_and_not_offered(tab, folder):
    with running(service_of(gallery=folder / "garden.h5")) as address:
        opened(tab, address)
        go(tab, "#browse?q=rose%2F01")
        assert tab.run("document.querySelector('#browse .pick')") is None
        click(tab, "#browse .open")
        assert "keeps no corrections" in text(tab, "#viewer .beside")


def test_a_classifier_alone_names_photos_and_says_that_there_is_no_gallery(tab, folder):
    penult.train(folder / "garden.h5", folder / "garden.skops", progress=False)
    with running(service_of(classifier=folder / "garden.skops")) as address:
        opened(tab, address)
        assert texts(tab, "#views a") == ["Try a photo"]
        assert "no gallery" in text(tab, "#facts")
        give(tab, ("mine.png", photo(ROSE)))
        tab.until("!!document.querySelector('.verdict')")
        assert text(tab, ".verdict h3") == "rose"
        assert text(tab, ".verdict .sure").endswith("% probable")
        assert tab.run("document.querySelector('.nearest')") is None


def test_a_gallery_without_labels_is_given_its_first_on_the_page(tab, folder, bare):
    with LabelLog(folder / "first.jsonl") as log:
        service = service_of(gallery=bare, images=[folder / "flat"], log=log)
        with running(service) as address:
            opened(tab, address)
            assert text(tab, "#facts") == "3 pictures · no labels"
            no_class = text(tab, "#try .soft")
            assert "no class is named" in no_class
            give(tab, ("mine.png", photo(ROSE)))
            answered(tab)
            assert texts(tab, "#try .soft")[0] == no_class  # once, beside the photo
            assert text(tab, "#answer .words") == no_class
            go(tab, "#review")
            tab.until("!!document.querySelector('#review .empty')")
            assert text(tab, "#review .empty").startswith("No picture has a label yet.")
            go(tab, "#browse")
            assert tab.run("document.querySelector('#browse-label').closest('p').hidden")
            for which, label in enumerate(("daisy", "rose")):
                click(tab, "#browse .open", which)
                tab.until("document.querySelector('#viewer').open")
                fill(tab, "#viewer .editor input", label)
                click(tab, "#viewer .editor .main")
                click(tab, "#asking [value=yes]")
                said(tab, f"now “{label}”")
                click(tab, "#viewer .close")
            tab.until("document.getElementById('facts').textContent === '3 pictures · 2 classes'")
            assert not tab.run("document.querySelector('#browse-label').closest('p').hidden")
            go(tab, "#review")
            tab.until(
                "!document.querySelector('#review .queue').innerText.startsWith('No picture')"
            )
            click(tab, "#undo")
            tab.until("document.getElementById('facts').textContent === '3 pictures · 1 class'")
            opened(tab, address)  # given labels do not vote, and nobody asks them to
            give(tab, ("mine.png", photo(ROSE)))
            answered(tab)
            assert text(tab, "#answer .words") == no_class
            tab.run("sessionStorage.clear(); localStorage.clear()")


@pytest.fixture(scope="module")
def several(folder, bare):
    """`several.h5`: the pictures of `bare`, with two labels, and with one."""
    table = "path,label\na.png,daisy|white\nb.png,rose\nc.png,rose\n"
    (folder / "several.csv").write_text(table, encoding="utf-8")
    penult.extract(
        folder / "flat",
        folder / "several.h5",
        model="toy:mean-colour",
        labels=folder / "several.csv",
        progress=False,
    )
    return folder / "several.h5"


def test_of_a_hit_that_has_several_labels_all_are_shown_and_changed(tab, folder, several):
    with (
        LabelLog(folder / "several.jsonl") as log,
        running(service_of(gallery=several, images=[folder / "flat"], log=log)) as address,
    ):
        opened(tab, address)
        go(tab, "#similar?id=b.png")
        tab.until("document.querySelectorAll('#similar .nearest .tile').length === 2")
        a = "#similar .nearest [data-id='a.png']"
        assert text(tab, f"{a} .label") == "daisy|white"
        click(tab, f"{a} .open")
        fill(tab, "#viewer .editor input", "daisy")
        click(tab, "#viewer .editor .main")
        said(tab, "a.png: now “daisy”.")
        assert label_of(tab, address, "a.png") == "daisy"
        tab.run("sessionStorage.clear(); localStorage.clear()")


def test_where_there_are_no_labels_and_none_can_be_given_there_is_no_review(tab, bare):
    with running(service_of(gallery=bare)) as address:
        opened(tab, address)
        assert texts(tab, "#views a") == ["Try a photo", "Browse", "Map"]


def test_what_stands_beside_a_picture_alone_keeps_its_place(page):
    go(page, "#similar?id=tulip%2Fstray.png")
    page.until("document.querySelectorAll('#similar .nearest .tile').length > 0")
    gap = (
        "document.querySelector('#viewer .stage').getBoundingClientRect().right"
        " - document.querySelector('#viewer .beside').getBoundingClientRect().right"
    )
    gaps = []
    for opener, place in ((".nearest .open", "1 of 14"), (".open", "1 of 1")):
        click(page, f"#similar {opener}")
        page.until("document.querySelector('#viewer').open")
        assert text(page, "#viewer .place") == place
        gaps.append(page.run(gap))
        click(page, "#viewer .close")
    assert gaps[0] == gaps[1]
