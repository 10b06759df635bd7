"""`penult look`."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

import penult as library

pytestmark = pytest.mark.light


@pytest.fixture
def made(photos, toy, tmp_path, extracted, trained, monkeypatch):
    """Two photos of different colours, and a classifier of three."""
    monkeypatch.chdir(tmp_path)
    extracted(photos, tmp_path / "f.h5", toy)
    trained("f.h5", tmp_path / "c.skops")
    (photos / "rose" / "rose_01.jpg").rename("rose.jpg")
    (photos / "tulip" / "tulip_01.jpg").rename("tulip.jpg")
    return tmp_path


def test_activations_are_told_drawn_and_kept_as_numbers(penult, made, toy):
    done = penult("look", "rose.jpg", "-m", toy, "-o", "maps.png", "-o", "maps.npz")
    assert done.code == 0
    line, *paths = done.out.splitlines()
    assert line.startswith("pixels of toy:mean-colour: 3 channels of 8 × 8 places, from 0.")
    assert line.endswith("strongest 0, 2, 1")
    assert paths == ["maps.png", "maps.npz"]
    with Image.open("maps.png") as picture:
        assert picture.format == "PNG"
    with np.load("maps.npz") as kept:
        assert kept["names"].tolist() == ["pixels"]
        assert kept["map_0"].shape == (3, 8, 8)
        assert kept["seen_0"].shape == (8, 8, 3)


def test_classes_in_the_order_given_sum_to_their_logits(penult, made):
    typed = ["look", "rose.jpg", "--classifier", "c.skops", "--class", "tulip", "--class", "rose"]
    told = json.loads(penult(*typed, "-o", "c.svg", "--json", "-q").out)
    assert told["outputs"] == ["c.svg"]
    assert [one["label"] for one in told["classes"]] == ["tulip", "rose"]
    for one in told["classes"]:
        assert one["predicted"] == "rose"
        total = np.sum(one["maps"][0]["values"])
        assert total + one["intercept"] == pytest.approx(one["logit"], abs=1e-3)
    said = penult(*typed).out
    assert "tulip: " in said
    assert "(most probable: rose)" in said
    assert "pixels of toy:mean-colour: " in said


def test_without_an_output_it_says_how_to_get_one(penult, made, toy):
    done = penult("look", "rose.jpg", "--classifier", "c.skops", "--class", "tulip")
    assert done.err.splitlines()[-1] == (
        "next: penult look rose.jpg --classifier c.skops --class tulip -o maps.png"
    )
    typed = ("-m", toy, "--channels", "2", "--engine", "openvino", "--offline")
    done = penult("look", "rose.jpg", *typed)
    assert done.err.splitlines()[-1] == (
        f"next: penult look rose.jpg --model {toy} --channels 2 --engine openvino --offline "
        "-o maps.png"
    )


def test_two_photos_are_compared(penult, made, toy):
    done = penult("look", "rose.jpg", "tulip.jpg", "--similar", "-m", toy, "-o", "s.png")
    assert done.code == 0
    assert done.out.startswith("cosine 0.")
    assert "  tulip.jpg: 0." in done.out
    told = json.loads(penult("look", "rose.jpg", "tulip.jpg", "--similar", "-m", toy, "--json").out)
    for heat in told["similarity"]["maps"][0]:
        assert heat["total"] == pytest.approx(told["similarity"]["cosine"], abs=1e-4)


CONTRADICTIONS = {
    "--similar compares two photos, and there are 1; give two": ["--similar"],
    "2 photos are given; give one, or two and --similar": ["tulip.jpg"],
    "--class rose needs a classifier that knows the class; give --classifier FILE": [
        "--class", "rose"],
    "the classifier says which network made its rows; leave out --model": [
        "--classifier", "c.skops", "--model", "toy:mean-colour"],
    "and with which weights; leave out --weights": [
        "--classifier", "c.skops", "--weights", "random"],
    "--similar compares rows, whatever the class; leave out --class": [
        "tulip.jpg", "--similar", "--classifier", "c.skops", "--class", "rose"],
    "the classifier says which rows are compared; leave out --layer": [
        "tulip.jpg", "--similar", "--classifier", "c.skops", "--layer", "pixels"],
    "2 layers are for activations": [
        "--classifier", "c.skops", "--layer", "pixels", "--layer", "mean.0"],
    "--layer '*' stands for several layers, which are for activations; of a class": [
        "--classifier", "c.skops", "--layer", "*"],
    "--layer 'mean.?' stands for several layers": ["tulip.jpg", "--similar", "--layer", "mean.?"],
    "a class is given twice": ["--classifier", "c.skops", "--class", "rose", "--class", "rose"],
    "--channels is for activations": ["--classifier", "c.skops", "--channels", "3"],
    "--channels 0; give a number from 1 to 400": ["--channels", "0"],
    "unknown class 'roze'; did you mean rose?": ["--classifier", "c.skops", "--class", "roze"],
    "a.jpg would hold a picture of maps, or their numbers; name it a.png": ["-o", "a.jpg"],
}  # fmt: skip


@pytest.mark.parametrize("said", CONTRADICTIONS)
def test_what_does_not_go_together_is_one_line(said, penult, made):
    done = penult("look", "rose.jpg", *CONTRADICTIONS[said])
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1


def test_a_photo_that_is_not_there_or_none_is_named(penult, made, toy):
    done = penult("look", "roze.jpg", "-m", toy)
    assert (done.code, "no such file: roze.jpg; did you mean rose.jpg" in done.err) == (2, True)
    (made / ".penult-wrote").touch()
    assert "did you mean" not in penult("look", "a.penult", "-m", toy).err
    (made / "text.jpg").write_text("text")
    done = penult("look", "text.jpg", "-m", toy)
    assert done.code == 1
    assert done.err.startswith("penult: text.jpg: is not an image")
    done = penult("look", "rose.jpg", "-m", toy, "-o", "rose.jpg", "--overwrite")
    assert (done.code, "rose.jpg is what is read" in done.err) == (2, True)


@pytest.mark.parametrize("photo", ["https://example.org/a.jpg", "https:/example.org/a.jpg"])
def test_an_address_is_told_from_a_file(photo, penult, made):
    said = "https://example.org/a.jpg is an address; download the photo, and give its file"
    assert penult("look", photo).err == f"penult: {said}\n"
    with pytest.raises(library.PenultError, match=said):
        library.look(photo)


def test_two_photos_may_be_a_tuple_or_an_array(made, toy):
    pixels = np.zeros((2, 16, 16, 3), np.uint8)
    pixels[0] = (200, 10, 10)
    pixels[1] = (190, 20, 10)
    for photos in (tuple(pixels), list(pixels), pixels):
        assert library.look(photos, model=toy, similar=True).similarity is not None


def test_in_a_notebook_it_is_a_picture(made, toy):
    found = library.look("rose.jpg", classifier="c.skops")
    assert found._repr_html_().startswith('<img alt="maps"')
    assert len(repr(found)) < 700
