"""`penult duplicates`."""

from __future__ import annotations

import json

import pytest
from PIL import Image

pytestmark = pytest.mark.light


@pytest.fixture
def planted(penult, toy, tmp_path, monkeypatch):
    """Plain colours, 11 degrees or more apart, and three copies: larger, byte for byte, and mislabelled."""
    monkeypatch.chdir(tmp_path)
    for hue in range(0, 360, 20):
        label = "warm" if hue < 180 else "cold"
        path = tmp_path / "photos" / label / f"{hue:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.new("HSV", (8, 8), (hue * 255 // 360, 255, 255)).convert("RGB")
        image.save(path)
        if hue == 20:
            image.resize((16, 16)).save(path.with_name("large.png"))
        if hue == 40:
            path.with_name("same.png").write_bytes(path.read_bytes())
        if hue == 200:
            image.resize((16, 16)).save(tmp_path / "photos" / "warm" / "taken_for_warm.png")
    assert penult("extract", "photos", "-o", "rows.h5", "-m", toy, "-q").code == 0
    return tmp_path


NEAR = ("--threshold", "0.99", "-q")


def test_groups_are_shown_with_the_one_to_keep(penult, planted):
    done = penult("duplicates", "rows.h5", *NEAR)
    assert (done.code, done.err) == (0, "")
    assert [line.split() for line in done.out.splitlines()[:5]] == [
        ["keep", "others", "weakest", "link"],
        [done.out.splitlines()[1].strip()],
        ["warm/taken_for_warm.png", "cold/200.png", "1"],
        ["warm/large.png", "warm/020.png", "1"],
        ["warm/040.png", "warm/same.png", "identical"],
    ]
    assert "1 pair of different labels, one of which is likely wrong:" in done.out
    assert " cold/200.png (cold)   warm/taken_for_warm.png (warm)        1\n" in done.out
    assert done.out.splitlines()[-1] == (
        "21 images compared, from a cosine of 0.99 up: 3 pairs in 3 groups of 6 images, 1 set of "
        "identical files among them; 2 images may go; 1 group of different labels is left out"
    )


def test_json_has_what_scripts_rely_on(penult, planted):
    told = json.loads(penult("duplicates", "rows.h5", "--across-splits", "--json", *NEAR).out)
    groups = [[one[name] for name in ("ids", "keep", "weakest", "exact")] for one in told["groups"]]
    assert [["warm/040.png", "warm/same.png"], "warm/040.png", 1, True] in groups
    assert [["warm/020.png", "warm/large.png"], "warm/large.png", 1, False] in groups
    assert told["pairs"] == 3
    for first, second, cosine in told["across_splits"]:
        assert [first, second] in [one[0] for one in groups]
        assert cosine == 1


def test_csv_is_a_row_an_image(penult, planted):
    done = penult("duplicates", "rows.h5", "--csv", *NEAR)
    assert done.out.splitlines() == [
        "group,id,keep,cosine,label,split",
        "1,cold/200.png,false,1.0,cold,",
        "1,warm/taken_for_warm.png,true,1.0,warm,",
        "2,warm/020.png,false,1.0,warm,",
        "2,warm/large.png,true,1.0,warm,",
        "3,warm/040.png,true,1.0,warm,",
        "3,warm/same.png,false,1.0,warm,",
    ]
    assert penult("duplicates", "rows.h5", "--csv", "--json").code == 2


def test_a_list_names_those_that_may_go(penult, planted, caplog):
    done = penult("duplicates", "rows.h5", "--write-list", "drop.txt", "--threshold", "0.99")
    assert (planted / "drop.txt").read_text() == "warm/020.png\nwarm/same.png\n"
    assert done.out.splitlines()[-1] == "drop.txt"
    assert caplog.messages == [
        "penult: drop.txt leaves out 1 group of different labels, one of which is likely wrong: decide "
        "which; penult duplicates rows.h5 --output duplicates.html --threshold 0.99 shows it"
    ]
    assert "next: penult duplicates rows.h5 -o duplicates.html --threshold 0.99\n" in done.err
    assert (planted / "photos" / "cold" / "200.png").exists()


def test_parts_are_told_and_mended(penult, planted):
    done = penult("duplicates", "rows.h5", "--repair", "new.h5", *NEAR)
    assert done.code == 0, done.err
    assert "parts, as penult train draws them: " in done.out
    assert "repaired: " in done.out
    again = penult("duplicates", "new.h5", "--across-splits", *NEAR)
    assert "no near-duplicates are in different parts" in again.out
    assert "parts, the file's own splits: " in again.out


def test_after_a_repair_comes_training_on_it(penult, planted):
    told = ("--threshold", "0.99", "--repair")
    assert "next: penult train new.h5 -o new.skops\n" in penult("duplicates", "rows.h5", *told, "new.h5").err  # fmt: skip
    assert "next: penult duplicates " in penult("duplicates", "rows.h5", *told, "new.csv").err


def test_images_that_training_leaves_out_are_said_to_be(penult, planted):
    for part, name in (("train", "040"), ("train", "041"), ("train", "042"), ("train", "043"), ("test", "100"), ("test", "101")):  # fmt: skip
        for label in ("warm", "cold"):
            path = planted / "parts" / part / label / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            color = (int(name), 0, 255) if label == "cold" else (255, int(name), 0)
            Image.new("RGB", (8, 8), color).save(path)
    copy = planted / "parts" / "test" / "warm" / "copy.png"
    copy.write_bytes((planted / "parts" / "train" / "warm" / "040.png").read_bytes())
    assert penult("extract", "parts", "-o", "parts.h5", "-m", "toy:mean-colour", "-q").code == 0
    done = penult("duplicates", "parts.h5", "--across-splits", "--threshold", "1", "-q")
    assert "1 pair is in different parts:" in done.out
    assert "1 image of these is not trained on: images identical to held-out ones" in done.out
    assert "0 of 5 held-out images have a near-duplicate" in done.out


def test_no_duplicates_are_a_good_result(penult, planted):
    for name in ("large.png", "same.png", "taken_for_warm.png"):
        (planted / "photos" / "warm" / name).unlink()
    assert (
        penult("extract", "photos", "-o", "rows.h5", "--update", "-m", "toy:mean-colour", "-q").code
        == 0
    )
    done = penult("duplicates", "rows.h5", "--threshold", "0.99")
    assert done.code == 0
    assert done.out.splitlines()[-1] == "18 images compared: no copies, and no near-duplicates from a cosine of 0.99 up"  # fmt: skip
    assert "next:" not in done.err


def test_a_group_that_takes_in_much_is_told(penult, planted):
    done = penult("duplicates", "rows.h5", "--threshold", "0.9", "-q")
    assert "the largest group has 21 of 21 images, down to a cosine of 0." in done.out
    assert "try a higher --threshold" in done.out
    assert "groups of more than two hold together by these, their weakest links:" in done.out


@pytest.mark.parametrize("width", [40, 80, 120])
def test_tables_fit_the_terminal(penult, planted, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    done = penult("duplicates", "rows.h5", "--across-splits", *NEAR)
    tables = [line for line in done.out.splitlines() if line.startswith(" ")]
    assert tables
    assert max(map(len, tables)) <= width


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("duplicates rows.h5 --threshold 0", "give a cosine above 0 and up to 1"),
        ("duplicates rows.h5 --layer nothing", "unknown layer 'nothing' in rows.h5"),
        ("duplicates rows.h5 --repair rows.h5 --overwrite", "rows.h5 is what is read"),
        ("duplicates rows.h5 --repair new.json", "name it new.h5 or new.hdf5 or new.csv"),
        ("duplicates rows.h5 -o page.png", "name it page.html or page.htm"),
        ("duplicates rows.h5 --images nowhere --threshold 0.999", "nowhere"),
        ("duplicates rows.h5 --max-memory much", "is no size"),
    ],
)
def test_what_cannot_be_is_a_line(penult, planted, typed, said):
    done = penult(*typed.split(), "-q")
    assert (done.code, done.out) == (2, ""), done
    (line,) = done.err.splitlines()
    assert said in line
