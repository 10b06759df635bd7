"""The page of clusters, read back with a parser."""

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from html_pages import Page, section_of
from map_rows import blobs, features_of
from PIL import Image
from reports import picture_of

import penult
from penult.errors import OutputExistsError
from penult.reporting import clusters_page
from penult.reporting.cluster_sections import clusters
from penult.reporting.clusters_page import write_clusters_page

pytestmark = pytest.mark.light


@pytest.fixture
def page_of(tmp_path, monkeypatch):
    """Cluster features and write the page; `open_image` gives the images' bytes."""

    def write(features, open_image=picture_of, **options):
        monkeypatch.setattr(clusters_page, "image_opener", lambda *_, **__: open_image)
        found = penult.cluster(features, progress=False, **options)
        return write_clusters_page(found, features, tmp_path / "page.html"), found

    return write


def text_of(html):
    return " ".join(Page(html).text.split())


def articles(path):
    return re.findall(r"<article.*?</article>", section_of(path, "clusters"), re.DOTALL)


def test_each_cluster_has_its_medoid_first_and_then_pictures_to_its_edge(page_of):
    features = blobs(3, of=20)
    path, found = page_of(features, k=3)
    shown = articles(path)
    assert len(shown) == 3
    for one, cluster in zip(shown, found.clusters, strict=True):
        pictures = [image["alt"] for image in Page(one).all("img")]
        assert pictures[0] == cluster.medoid
        assert len(pictures) == len(set(pictures)) == 12
        away = [found.distances[features.ids.index(image)] for image in pictures]
        assert away == sorted(away)
        members = found.distances[found.assignments == cluster.number]
        assert away[-1] == members.max()
        assert text_of(one).startswith(f"Cluster {cluster.number}: {cluster.label} 100% 20 images")


def test_of_identical_copies_one_is_shown(page_of):
    features = blobs(2, of=6)
    digests = [f"{k:064}" for k in range(12)]
    rows = features.features.copy()
    first, copy = np.flatnonzero(features.labels == 0)[:2]
    rows[copy], digests[copy] = rows[first], digests[first]
    copied = replace(features, features=rows, content=digests)
    path, _ = page_of(copied, k=2)
    pictures = [[image["alt"] for image in Page(one).all("img")] for one in articles(path)]
    assert sorted(map(len, pictures)) == [5, 6]
    shown = {one for some in pictures for one in some}
    assert shown == {*features.ids} - {features.ids[copy]}


def test_the_largest_is_first_and_noise_last(page_of):
    rng = np.random.default_rng(0)
    dense = [10 * np.eye(3)[k] + 0.01 * rng.standard_normal(3) for k in [0] * 6 + [1] * 9]
    features = features_of([*dense, [50, 50, 50], [-70, 20, 90]])
    path, _ = page_of(features, method="hdbscan", metric="euclidean")
    told = [text_of(one) for one in articles(path)]
    assert [one.split(" image")[0] for one in told] == [
        *("Cluster 0 9", "Cluster 1 6", "Noise 2"),
    ]
    assert "2 images in no cluster, 2 of them here" in told[-1]
    assert section_of(path, "choice") is None


def test_smaller_clusters_are_a_line_each_and_then_a_number(page_of, monkeypatch):
    monkeypatch.setattr(clusters, "MOST_CLUSTERS", 2)
    monkeypatch.setattr(clusters, "MOST_NAMED", 4)
    path, _ = page_of(blobs(6, of=3), k=6)
    assert len(articles(path)) == 2
    section = section_of(path, "clusters")
    assert len(Page(section).all("img", **{"class": "stamp"})) == 2
    assert "2 further clusters, smaller than these, are left out" in text_of(section)


def test_another_label_than_that_of_most_stands_out(page_of):
    features = features_of(
        10 * np.eye(2)[[0] * 5 + [1] * 5] + 0.1 * np.random.default_rng(0).random((10, 2)),
        [0, 0, 0, 0, 1, 1, 1, 1, 1, 1],
        names=["tulip", "<b>rose"],
    )
    path, _ = page_of(features, k=2)
    first = articles(path)[0]
    assert first.count('<span class="other"><bdi>&lt;b&gt;rose') == 1
    assert "tulip 4, <b>rose 1" in text_of(first)


def test_a_photo_that_is_gone_is_an_empty_frame(page_of):
    path, _ = page_of(blobs(2, of=3), open_image=lambda _: None, k=2)
    section = section_of(path, "clusters")
    assert not Page(section).all("img")
    assert section.count("(no picture)") == 6


def test_the_choice_is_drawn_and_the_command_makes_the_same_again(page_of):
    path, found = page_of(blobs(3, of=4), k="2:6")
    choice = section_of(path, "choice")
    assert "<svg" in choice
    assert "chosen from 2 to 6 by the highest silhouette: 3 (" in text_of(choice)
    rows = re.findall(r'<tr( class="chosen")?>', choice)
    assert rows.count(' class="chosen"') == 1
    making = section_of(path, "making")
    assert "penult cluster FEATURES.h5 --layer penultimate -k 3 -o clusters.csv" in making
    with pytest.raises(OutputExistsError):
        write_clusters_page(found, blobs(3, of=4), path)


def test_the_photos_of_a_cluster_are_whole_and_can_be_opened(page_of):
    path, _ = page_of(blobs(3, of=20), k=3)
    page = Page(path.read_text("utf-8"))
    assert page.all("template", id="lightbox")
    with Image.open(
        io.BytesIO(base64.b64decode(page.all("img")[0]["src"].split(",")[1]))
    ) as picture:
        assert picture.size == (300, 200)  # as it is, and not its middle square


def test_the_seed_and_the_metric_are_in_the_command_that_makes_it_again(page_of):
    path, _ = page_of(blobs(3, of=8), k=3, metric="euclidean", seed=7)
    assert "-k 3 --metric euclidean --seed 7 -o clusters.csv" in text_of(section_of(path, "making"))
