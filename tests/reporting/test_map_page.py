"""The page of a row map: what it holds, read back from its block of JSON."""

import base64
import io
import json
import re
from collections import Counter
from unittest.mock import Mock

import numpy as np
import pytest
from html_pages import Page
from PIL import Image
from reports import colour_of, picture_of
from row_maps import grid_ids, grid_map, write_grid_page

from penult.errors import OutputExistsError, UnknownNameError, UsageError
from penult.records import Neighbors, Progress
from penult.reporting import map_page
from penult.web.map import neighbors

pytestmark = pytest.mark.light

HOSTILE = '"></script><script>alert(1)</script><!--<img src=x onerror=alert(2)>{{ 7 * 7 }}.jpg'


@pytest.fixture
def page_of(tmp_path, monkeypatch):
    """Write a page; `open_image` gives the images' bytes."""

    def write(row_map=None, open_image=picture_of, **options):
        opener = Mock(side_effect=open_image, lacks_places=False)
        monkeypatch.setattr(map_page, "image_opener", lambda *_, **__: opener)
        return write_grid_page(tmp_path / "map.html", row_map, **options)

    return write


def data_of(path):
    (block,) = re.findall(r'id="map-data">(.*?)</script>', path.read_text("utf-8"), re.DOTALL)
    return json.loads(block)


def array_of(packed):
    numbers = np.frombuffer(base64.b64decode(packed["base64"]), packed["dtype"])
    return numbers.reshape(packed["shape"])


def pictures_on(data):
    """The pixel in the middle of each row's small picture, None where it has none."""
    side, across = data["pictures"]["side"], data["pictures"]["across"]
    sheets = [
        Image.open(io.BytesIO(base64.b64decode(one.split(",")[1]))).convert("RGB")
        for one in data["pictures"]["sheets"]
    ]
    found = []
    for tile in array_of(data["pictures"]["tiles"]).tolist():
        number, place = divmod(tile, across**2)
        down, right = divmod(place, across)
        middle = ((right + 0.5) * side, (down + 0.5) * side)
        found.append(None if tile < 0 else sheets[number].getpixel(middle))
    return found


def text_of(path):
    return " ".join(Page(path.read_text("utf-8")).text.split())


def test_a_script_reads_the_coordinates_the_ids_and_the_columns_back(page_of):
    data = data_of(page_of(columns={"confidence": [k / 60 for k in range(60)]}))
    assert data["ids"] == grid_ids(60)
    assert array_of(data["xy"])[:2].tolist() == [[0, 0], [1, 0]]
    label, confidence = data["columns"]
    assert label["values"] == ["aster", "daisy", "iris", "rose", "tulip"]
    assert array_of(label["codes"])[:6].tolist() == [0, 1, 2, 3, 4, 0]
    assert array_of(confidence["values"])[30] == pytest.approx(0.5)
    assert data["color_by"] == 0
    split = ["train"] * 60
    data = data_of(page_of(columns={"split": split}, color_by="split", overwrite=True))
    assert data["color_by"] == 1


def test_neighbours_are_those_of_the_full_space_and_not_of_the_map(page_of):
    data = data_of(page_of())
    places, values = (array_of(data["neighbors"][key]) for key in ("places", "values"))
    assert places.shape == values.shape == (60, 10)
    assert sorted(places[30]) == [25, 26, 27, 28, 29, 31, 32, 33, 34, 35]  # not 20 and 40, above
    assert places[0].tolist() == list(range(1, 11))
    assert values[0] == pytest.approx(np.cos(np.deg2rad(np.arange(1, 11))), abs=1e-6)


def test_a_row_of_zeros_has_no_cosine_and_no_neighbours_and_is_nobodys():
    rows = np.array([[1, 0], [0, 0], [1, 1]], np.float32)
    told: list[Progress] = []
    found = neighbors.map_neighbors(rows, "cosine", told.append)
    assert found.places.tolist() == [[2, -1], [-1, -1], [0, -1]]
    assert [(one.done, one.total) for one in told] == [(2, 2)]
    by_distance = neighbors.map_neighbors(rows, "euclidean", told.append)
    assert by_distance.places.tolist() == [[1, 2], [0, 2], [0, 1]]
    assert neighbors.map_neighbors(rows[:1], "cosine", told.append).places.tolist() == [[-1]]


def test_of_long_rows_fewer_search_at_a_time(monkeypatch):
    rows = np.random.default_rng(0).random((9, 4)).astype(np.float32)
    told: list[Progress] = []
    at_once = neighbors.map_neighbors(rows, "cosine", told.append)
    monkeypatch.setattr(neighbors, "_QUERY_BYTES", 4 * 16)
    in_turn = neighbors.map_neighbors(rows, "cosine", told.append)
    assert [one.done for one in told] == [9, 4, 8, 9]
    np.testing.assert_array_equal(in_turn.places, at_once.places)


def test_each_row_has_its_own_picture_and_each_image_is_opened_once(page_of):
    opened = Counter()

    def open_image(image_id):
        opened[image_id] += 1
        return picture_of(image_id)

    data = data_of(page_of(open_image=open_image))
    assert opened == dict.fromkeys(grid_ids(60), 1)
    for image_id, pixel in zip(data["ids"], pictures_on(data), strict=True):
        assert np.abs(np.subtract(pixel, colour_of(image_id))).max() < 16
    assert sorted(data["pictures"]["large"]["places"]) == list(range(60))
    first = data["pictures"]["large"]["addresses"][0]
    with Image.open(io.BytesIO(base64.b64decode(first.split(",")[1]))) as large:
        assert large.size == (160, 107)  # all of 300 × 200


def noise_of(image_id):
    """A picture that takes many bytes."""
    pixels = np.random.default_rng(len(image_id) + int(image_id[-7:-4])).integers(
        0, 256, (80, 80, 3)
    )
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def test_a_page_stays_within_its_bytes_and_says_what_was_left_out(page_of, monkeypatch):
    monkeypatch.setattr(map_page, "MOST_BYTES", 300_000)
    monkeypatch.setattr(map_page, "_FRAME_BYTES", 150_000)
    path = page_of(grid_map(300, 20), noise_of)
    assert path.stat().st_size <= 300_000
    data = data_of(path)
    shown = sum(one is not None for one in pictures_on(data))
    assert data["pictures"]["side"] == 32
    assert data["pictures"]["left_out"] == 300 - shown
    assert 100 < shown < 300
    assert f"{shown} images have pictures, drawn at random; those of {300 - shown} are left" in (
        text_of(path)
    )


def test_more_points_than_a_page_can_move_are_sampled_and_that_is_said(page_of, monkeypatch):
    monkeypatch.setattr(map_page, "MOST_POINTS", 40)
    path = page_of(columns={"row": list(range(60))})
    assert "40 of 60 points are shown, drawn at random" in text_of(path)
    data = data_of(path)
    assert len(data["ids"]) == 40
    rows = [int(data["columns"][1]["values"][k]) for k in array_of(data["columns"][1]["codes"])]
    assert [grid_ids(60)[row] for row in rows] == data["ids"]
    assert array_of(data["xy"]).tolist() == [[row % 10, row // 10] for row in rows]
    # What is said of the map is said of all of it.
    half = grid_map(fit_on="train", placed=np.arange(60) >= 45)
    text = text_of(page_of(half, overwrite=True))
    assert "t-SNE of 60 rows" in text
    assert "fitted on train (45), the others placed on it" in text
    with pytest.raises(UsageError, match="59 values for 40 rows"):
        page_of(columns={"row": list(range(59))}, overwrite=True)


def test_many_points_are_a_file_of_bounded_size(page_of, monkeypatch):
    size, asked = 20_000, []

    def nearest(rows, queries, k, **_):
        asked.append(len(queries))
        return Neighbors(places=np.zeros((len(queries), k), int), values=np.ones((len(queries), k)))

    monkeypatch.setattr(neighbors, "nearest", nearest)
    opened = []
    path = page_of(grid_map(size, 200), open_image=opened.append)
    assert sum(asked) == size  # each row searches once, thousands at a time
    assert len(asked) < 7
    assert len(opened) == size  # and each image is looked for once
    assert path.stat().st_size < 3_600_000
    assert (
        "20,000 images cannot be found any more, or have changed since, and have no picture."
        in text_of(path)
    )


def test_images_that_are_gone_or_broken_cost_their_pictures_alone(page_of, caplog):
    def open_image(image_id):
        if image_id.startswith("iris"):
            raise OSError("gone")
        return b"no image" if image_id.startswith("rose") else picture_of(image_id)

    path = page_of(open_image=open_image)
    data = data_of(path)
    for image_id, pixel in zip(data["ids"], pictures_on(data), strict=True):
        assert (pixel is None) == image_id.startswith(("iris", "rose"))
    assert (
        "24 images cannot be found any more, or have changed since, and have no picture."
        in text_of(path)
    )
    assert caplog.messages == [
        f"penult: {path} has no pictures of 24 images that cannot be found any more, or changed "
        "since; images=FOLDER says where they are, and penult.extract(update=True) makes the "
        "rows of what is there now"
    ]


def test_a_page_that_has_all_pictures_says_nothing(page_of, caplog):
    page_of()
    assert caplog.messages == []


def test_the_page_says_how_the_map_was_made_and_what_it_does_not_show(page_of):
    text = text_of(page_of())
    assert "t-SNE of 60 rows, layer penultimate, cosine, perplexity 30, seed 0." in text
    assert "Distances between far groups, and sizes of groups, mean nothing" in text


def test_hostile_names_stand_in_the_data_and_nowhere_else(page_of):
    ids = [f"{HOSTILE}{k}" for k in range(60)]
    row_map = grid_map(ids=ids, columns={HOSTILE: [f"{HOSTILE}{k % 3}" for k in range(60)]})
    path = page_of(row_map)
    data = data_of(path)
    assert data["ids"] == ids
    assert data["columns"][0]["name"] == HOSTILE
    page = Page(path.read_text("utf-8"))
    assert len(page.all("script")) == 2  # the data, and the page's own
    assert [a.get("src") for a in page.all("img")] == []
    assert "alert" not in page.inside["script"][1]
    broken = data_of(page_of(grid_map(ids=["\udcff\u2028.jpg", *grid_ids(59)]), overwrite=True))
    assert broken["ids"][0] == "\udcff\u2028.jpg"


def test_an_existing_page_is_kept_and_a_stranger_on_the_map_is_refused(page_of, tmp_path):
    path = page_of()
    before = path.read_bytes()
    with pytest.raises(OutputExistsError):
        page_of()
    assert path.read_bytes() == before
    from row_maps import features_of

    with pytest.raises(UnknownNameError, match="tulip/059"):
        map_page.write_map_page(grid_map(), features_of(grid_ids(59)), tmp_path / "other.html")
    assert not (tmp_path / "other.html").exists()


def test_several_labels_have_a_row_each_in_the_legend_which_says_how(page_of):
    labels = ["a|b" if k % 2 else "a" for k in range(60)]
    row_map = grid_map(columns={"label": labels}, joined=frozenset({"label"}))
    label = data_of(page_of(row_map))["columns"][0]
    assert (label["values"], label["names"]) == (["a", "a|b"], ["a", "b"])
    assert label["sets"] == [[0], [1, 0]]
    assert "shown while one of them is" in label["note"]
    assert data_of(page_of(overwrite=True))["columns"][0]["note"] == ""


def test_a_page_is_called_by_what_it_shows_and_the_file_it_is_of(tmp_path):
    from feature_files import record, write

    import penult

    records = [record(f"{k}.jpg", "x") for k in range(6)]
    rows = write(tmp_path / "f0.h5", records, [np.eye(6, 8, dtype=np.float32)])
    penult.map(rows, tmp_path / "map.html", method="pca", progress=False)
    page = (tmp_path / "map.html").read_text("utf-8")
    assert "<title>f0.h5 · map of 6 images · penult</title>" in page
    assert "<h1>Map of 6 images</h1>" in page
    assert data_of(tmp_path / "map.html")["name"] == "f0"
