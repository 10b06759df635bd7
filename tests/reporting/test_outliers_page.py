"""The page of outliers, read back with a parser."""

import re

import numpy as np
import pytest
from html_pages import Page, section_of
from map_rows import features_of
from reports import picture_of

import penult
from penult.errors import OutputExistsError
from penult.records import PictureIssue
from penult.reporting.outlier_sections import issue_content, pictures, unusual, unusual_content
from penult.reporting.outliers_page import write_outliers_page
from penult.tasks import outliers as task
from penult.web.thumbnails import Thumbnails

pytestmark = pytest.mark.light


@pytest.fixture
def page_of(tmp_path, monkeypatch):
    """Find outliers and write the page; `open_image` gives the images' bytes."""

    def write(features, open_image=picture_of, **options):
        monkeypatch.setattr(task, "image_opener", lambda *_, **__: open_image)
        path = tmp_path / "page.html"
        return path, penult.outliers(features, path, progress=False, **options)

    return write


def line(far=1):
    """Rows on a line, of which some lie far away, each further than the last."""
    values = [*np.linspace(0, 1, 30), *(100 * 2.0 ** np.arange(far))]
    return features_of([[one] for one in values], labels=[0] * len(values), names=("<b>a&",))


def text_of(html):
    return " ".join(Page(html).text.split())


def test_an_unusual_image_stands_with_its_numbers_and_its_nearest(page_of):
    path, found = page_of(line(), metric="euclidean", k=3)
    section = section_of(path, "unusual")
    pictures = [image["alt"] for image in Page(section).all("img")]
    # Itself, and its nearest; then those that come next.
    assert pictures[:4] == ["30.jpg", "29.jpg", "28.jpg", "27.jpg"]
    assert len(Page(section).all("img", **{"class": "photo"})) == len(found.unusual) + unusual.NEXT
    assert "far from others, local outlier <b>a&, more unusual than 96.8% of its class" in text_of(
        section
    )
    assert f"local outlier factor {found.lof[30]:.2f} 30.jpg nearest of its class" in text_of(
        section
    )
    assert "<b>a&" not in section


def test_what_does_not_fit_is_counted(page_of, monkeypatch):
    _, found = page_of(line(5), metric="euclidean", k=1, reference="all")
    assert len(found.unusual) == 5
    shown = unusual_content(found, Thumbnails(picture_of), most=2)
    assert [one.outlier.id for one in shown["shown"]] == [found.at(k).id for k in found.unusual[:2]]
    assert (shown["left_out"], shown["following"]) == (3, [])
    assert unusual_content(found, Thumbnails(picture_of))["left_out"] == 0
    issue = PictureIssue(reason="dark", ids=("a", "b", "c"), values=(0.0, 0.1, 0.2), threshold=0.32)
    told = issue_content(issue, Thumbnails(picture_of), most=2)
    assert [(one, value) for one, value, _ in told["shown"]] == [("a", 0.0), ("b", 0.1)]
    assert told["left_out"] == 1
    assert (told["shown"][0][2].width, told["shown"][0][2].height) == (300, 200)


def test_each_kind_of_odd_pictures_has_a_section_of_whole_pictures(page_of):
    path, _ = page_of(line())  # pictures of one colour are nearly blank, all of them
    assert section_of(path, "low-information") is None
    assert "31 pictures, more than half, are nearly blank" in text_of(section_of(path, "making"))
    assert {one.name for one in pictures.PICTURES} == {
        *("dark", "light", "blurry", "low-information", "odd-aspect-ratio", "tiny", "large"),
        "grayscale",
    }


def test_pictures_that_are_gone_leave_a_frame_and_are_listed(page_of):
    path, _ = page_of(
        line(), lambda one: None if one == "30.jpg" else picture_of(one), metric="euclidean"
    )
    assert Page(section_of(path, "unusual")).all("span", **{"class": "photo missing"})
    told = text_of(section_of(path, "failures"))
    assert "1 picture could not be opened" in told
    assert "30.jpg is gone, or is another picture by now" in told


def test_the_making_has_the_references_and_the_command(page_of):
    path, found = page_of(line(), metric="euclidean", k=3)
    told = text_of(section_of(path, "making"))
    again = "penult outliers FEATURES.h5 --reference class -k 3 --layer penultimate"
    assert f"{again} --metric euclidean -o outliers.csv" in told
    assert f"31 {found.references[0].median:.3f}" in told


def test_without_pictures_measured_the_page_says_so_and_still_shows_some(page_of):
    path, _ = page_of(line(), pictures=False)
    assert "Pictures not measured" in text_of(section_of(path, "making"))
    assert Page(section_of(path, "unusual")).all("img")


def test_every_photo_opens_large(page_of):
    path, _ = page_of(line(), reference="class", k=3)
    html = path.read_text("utf-8")
    photos = re.findall(r'<img class="photo[^>]*>', html)
    in_figures = re.findall(r'<figure[^>]*>\s*<img class="photo[^>]*>', html)
    assert len(photos) == len(in_figures) > 3
    assert html.count('<template id="lightbox">') == html.count("const gallery = ") == 1


def test_a_page_is_not_replaced_without_asking(page_of):
    path, found = page_of(line())
    before = path.read_bytes()
    with pytest.raises(OutputExistsError):
        write_outliers_page(found, line(), path, picture_of)
    assert path.read_bytes() == before
