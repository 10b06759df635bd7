"""The page of duplicates, read back with a parser."""

import base64
import dataclasses
import io
import re

import numpy as np
import pytest
from duplicate_records import FOUND, duplicates_of, group, pair
from feature_files import record, write
from html_pages import Page, section_of
from PIL import Image
from reports import picture_of

from penult.errors import OutputExistsError
from penult.features.read import load
from penult.records import RepairedSplit
from penult.reporting import duplicates_page
from penult.reporting.duplicate_sections import across, groups
from penult.reporting.duplicates_page import write_duplicates_page

pytestmark = pytest.mark.light


@pytest.fixture
def page_of(make_features, tmp_path, monkeypatch):
    """Write the page of duplicates; `open_image` gives the images' bytes."""

    def write(found, open_image=picture_of, **options):
        monkeypatch.setattr(duplicates_page, "image_opener", lambda *_, **__: open_image)
        return write_duplicates_page(
            found, make_features({"iris": 2}), tmp_path / "page.html", **options
        )

    return write


def text_of(html):
    return " ".join(Page(html).text.split())


def articles(section):
    return re.findall(r"<article.*?</article>", section, re.DOTALL)


def test_groups_stand_side_by_side_the_likeliest_to_differ_first_and_exact_copies_last(page_of):
    found = articles(section_of(page_of(FOUND), "groups"))
    assert [text_of(one).split(" ✓")[0] for one in found] == [
        "Group 3: 2 images, weakest link 0.9520",
        "Group 1: 3 images, weakest link 0.9610",
        "Group 2: 2 images exact copies",
    ]
    pictures = [[image["alt"] for image in Page(one).all("img")] for one in found]
    assert pictures[1] == ["iris/2.jpg", "iris/1.jpg", "iris/3.jpg"]  # the kept one first
    assert pictures[2] == ["tulip/2.jpg", "tulip/1.jpg"]


def test_the_kept_image_is_marked_in_words_with_what_is_known_of_each(page_of):
    chain = articles(section_of(page_of(FOUND), "groups"))[1]
    kept, *others = re.findall(r"<figure.*?</figure>", chain, re.DOTALL)
    size = f"300 × 200, {len(picture_of('iris/2.jpg'))} bytes"  # as `picture_of` draws it
    assert text_of(kept) == f"✓ keep: most pixels iris · in train {size} iris/2.jpg"
    assert [text_of(one).split(" iris")[0] for one in others] == ["cosine 0.9750"] * 2
    assert "✓" not in "".join(others)


def test_what_holds_a_chain_together_is_listed_and_needless_of_a_pair(page_of):
    pair_of_two, chain, exact = articles(section_of(page_of(FOUND), "groups"))
    links = re.findall(r"<li>.*?</li>", chain, re.DOTALL)
    assert [text_of(one) for one in links] == [
        "0.9610: iris/1.jpg and iris/2.jpg",
        "0.9610: iris/2.jpg and iris/3.jpg",
    ]
    assert "<details" not in pair_of_two + exact


def test_an_image_is_shown_whole(page_of):
    (image, *_) = Page(section_of(page_of(FOUND), "groups")).all("img")
    data = base64.b64decode(image["src"].removeprefix("data:image/webp;base64,"))
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.size == (192, 128)  # of 300 × 200


def test_pairs_across_the_parts_come_with_what_they_do_to_the_accuracy(page_of):
    text = text_of(section_of(page_of(FOUND), "across"))
    assert "As penult train draws them: 24 images in train, 8 images in test." in text
    assert "Of 8 held-out images, 1 has a near-duplicate in the training part." in text
    assert "The accuracy is 50.0% on all of them, and 42.9% without those." in text
    assert "Cosine 0.9870 iris · in train" in text
    assert "iris · in test" in text


def test_parts_that_were_not_asked_for_have_no_section(page_of):
    found = dataclasses.replace(FOUND, leaks=None, across_splits=())
    assert section_of(page_of(found), "across") is None


def test_a_repaired_split_is_said(page_of):
    repaired = RepairedSplit(
        splits=(), moved=3, before={}, after={}, share_off=0.0125, path="repaired.h5"
    )
    text = text_of(section_of(page_of(dataclasses.replace(FOUND, repaired=repaired)), "across"))
    assert "Repaired in repaired.h5: 3 images moved to another part" in text
    assert "differs by at most 1.2% from before" in text


def test_suspects_are_pairs_with_both_labels(page_of):
    text = text_of(section_of(page_of(FOUND), "suspects"))
    assert "1 pair of near-duplicates with different labels" in text
    assert re.search(r"Cosine 0.9550 iris · in train .* tulip · in test", text)
    unlabelled = duplicates_of(group("1.jpg", "2.jpg", label=None))
    assert section_of(page_of(unlabelled, overwrite=True), "suspects") is None


def test_the_calibration_has_an_example_where_there_is_one_at_each_level(page_of):
    section = section_of(page_of(dataclasses.replace(FOUND, least=0.93)), "calibration")
    levels = [text_of(f"<h3>{one}") for one in section.removesuffix("</section>").split("<h3>")[1:]]
    assert [one.split()[0] for one in levels] == ["0.99", "0.97", "0.95", "0.93", "0.90"]
    assert levels[0] == "0.99 No pair of files that differ is above it."
    assert "From this threshold on: 2 pairs, 1 group of 3 images. Cosine 0.9870" in levels[1]
    assert levels[2] == (
        "0.95 this page’s threshold No pair is between this level and the one before."
    )
    assert "Cosine 0.938" in levels[3]
    assert "Not looked for" in levels[4]


def test_where_all_that_is_shown_is_one_picture_the_calibration_says_how_to_look_below(page_of):
    text = text_of(section_of(page_of(duplicates_of(counts=FOUND.counts, threshold=0.8, least=0.8)), "calibration"))  # fmt: skip
    assert "down to 0.80, is one picture, take 0.80, and look at what is below:" in text
    assert "penult duplicates FEATURES.h5 --threshold 0.75 -o " in text
    too_many = dataclasses.replace(FOUND, least=0.93)
    text = text_of(section_of(page_of(too_many, overwrite=True), "calibration"))
    assert "down to 0.93, is one picture, take 0.93." in text  # 0.90 was not looked for
    assert "penult duplicates" not in text


def test_groups_of_different_labels_are_not_among_what_may_go(page_of):
    torn = dataclasses.replace(group("a.jpg", "b.jpg"), labels=("iris", "tulip"))
    text = text_of(page_of(duplicates_of(torn, group("c.jpg", "d.jpg"))).read_text("utf-8"))
    assert "1 image may go, not counting 1 group of different labels" in text


def test_images_that_training_leaves_out_are_said_to_be(page_of):
    leaks = dataclasses.replace(FOUND.leaks, not_trained_on=2)
    text = text_of(section_of(page_of(dataclasses.replace(FOUND, leaks=leaks)), "across"))
    assert "2 images of the pairs are not trained on: images identical to held-out ones" in text


def test_parts_of_the_file_are_mended_and_drawn_ones_drawn_otherwise(page_of):
    def commands(**changes):
        leaks = dataclasses.replace(FOUND.leaks, **changes)
        return text_of(section_of(page_of(dataclasses.replace(FOUND, leaks=leaks), overwrite=True), "next"))  # fmt: skip

    assert "penult train FEATURES.h5 -o rows.skops --near-duplicates 0.95" in commands(drawn=True)
    assert "--near-duplicates" not in commands(drawn=False)
    assert "--repair repaired.h5" in commands(drawn=False)
    repaired = RepairedSplit(splits=(), moved=3, before={}, after={}, path="my/mended.h5")
    found = dataclasses.replace(FOUND, repaired=repaired)
    text = text_of(section_of(page_of(found, overwrite=True), "next"))
    assert "penult train my/mended.h5 -o my/mended.skops" in text


def test_what_to_type_next_names_the_file_and_the_threshold(page_of, monkeypatch):
    monkeypatch.setattr(duplicates_page, "feature_file_name", lambda _: "my rows.h5")
    commands = text_of(section_of(page_of(FOUND), "next"))
    assert "penult duplicates 'my rows.h5' --threshold 0.95 --write-list drop.txt" in commands
    assert "penult duplicates 'my rows.h5' --threshold 0.95 --repair repaired.h5" in commands
    none = duplicates_of()
    assert "drop.txt" not in section_of(page_of(none, overwrite=True), "next")


def test_the_file_is_named_as_it_lies_on_disk(tmp_path):
    rows = write(tmp_path / "rows.h5", [record("iris/1.jpg", "iris")], [np.ones((1, 4))])
    page = write_duplicates_page(FOUND, load(rows), tmp_path / "page.html")
    assert f"penult duplicates {rows} --threshold" in page.read_text("utf-8")
    assert "<h1><bdi>rows</bdi></h1>" in page.read_text("utf-8")


def test_however_many_there_are_the_page_has_a_bounded_number_of_pictures(page_of, monkeypatch):
    monkeypatch.setattr(groups, "MOST_NEAR", 2)
    monkeypatch.setattr(across, "MOST_PAIRS", 1)
    many = [group(*(f"{k}/{n}.jpg" for n in range(9)), weakest=0.99 - k / 1000) for k in range(5)]
    pairs = tuple(pair(f"a{k}.jpg", f"b{k}.jpg", 0.96) for k in range(4))
    path = page_of(duplicates_of(*many, across_splits=pairs, across_total=1_000_000))
    shown = section_of(path, "groups")
    assert len(Page(shown).all("img")) == 2 * 6
    text = text_of(shown)
    assert "The 2 of 5 groups with the weakest links" in text
    assert "3 are left out" in text
    assert "Group 5: 9 images" in text
    assert text.count("3 further images of this group are not shown.") == 2
    text = text_of(section_of(path, "across"))
    assert "1,000,000 pairs, of which the 1 most similar are shown; 999,999 are left out" in text


def test_a_photo_that_can_no_longer_be_read_is_an_empty_frame_with_its_id(page_of):
    def open_image(image_id):
        if image_id == "iris/1.jpg":
            raise OSError("gone")
        return None if image_id == "iris/3.jpg" else picture_of(image_id)

    chain = articles(section_of(page_of(FOUND, open_image), "groups"))[1]
    frames = [a["aria-label"] for a in Page(chain).all("span") if "missing" in a.get("class", "")]
    assert frames == ["iris/1.jpg (no picture)", "iris/3.jpg (no picture)"]
    assert text_of(chain).count("no picture iris/") == 2


def test_one_of_a_kind_is_named_in_the_singular(page_of, monkeypatch):
    monkeypatch.setattr(groups, "MOST_NEAR", 1)
    one = pair("a.jpg", "b.jpg", 0.96)
    made = duplicates_of(
        group("a.jpg", "b.jpg"), group("c.jpg", "d.jpg"), suspects=(one,), suspects_total=1
    )
    text = " ".join(text_of(page_of(made).read_text("utf-8")).split())
    assert "pair of different labels 1" in text
    assert "groups 2" in text
    assert "; 1 is left out." in text


def test_no_duplicates_are_said_to_be_none(page_of):
    path = page_of(duplicates_of(zeros=("black.jpg",), unseen=2))
    text = text_of(path.read_text("utf-8"))
    assert "No two of 32 images are the same file, or have a cosine of at least 0.95." in text
    assert "None at this threshold." in text
    assert "1 image with a row of zeros only" in text
    assert "2 images of the groups could not be found" in text


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}.jpg'


def test_hostile_names_are_shown_and_never_run_and_nothing_outside_is_asked_for(page_of):
    named = dataclasses.replace(
        group(HOSTILE, "iris/\x1b[2J\u202e.jpg", HOSTILE + "2"), labels=(HOSTILE, "a", "b")
    )
    both = (pair(HOSTILE, "b.jpg", 0.96, (HOSTILE, HOSTILE), (HOSTILE, HOSTILE)),)
    found = duplicates_of(named, across_splits=both, suspects=both, examples=both)
    page = Page(page_of(found).read_text("utf-8"))
    assert page.text.count(HOSTILE) >= 8
    (script,) = page.inside["script"]
    assert "alert" not in script
    assert "\x1b" not in page.text
    assert "\u202e" not in page.text
    for tag, attributes in page.elements:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form"}
        assert attributes.get("src", "data:image/").startswith("data:image/")
        assert attributes.get("href", "#").startswith("#")
        assert not [name for name in attributes if name.startswith("on")]


def test_an_existing_page_is_kept_unless_overwriting(page_of):
    path = page_of(FOUND)
    before = path.read_bytes()
    with pytest.raises(OutputExistsError, match=r"page\.html exists"):
        page_of(duplicates_of())
    assert path.read_bytes() == before
    page_of(duplicates_of(), overwrite=True)
    assert b"None at this threshold" in path.read_bytes()
