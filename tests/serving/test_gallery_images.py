"""Images of a gallery, by their ids: those that the rows were made of, and no others."""

from __future__ import annotations

import io
from threading import Event

import feature_files
import numpy as np
import pytest
from PIL import Image

from penult.errors import PathNotFoundError
from penult.images.read import digest_of
from penult.retrieve.search.opening import open_gallery
from penult.serving.gallery.images import GalleryImages, NoImage
from penult.serving.gallery.thumbnails import ThumbnailCache

pytestmark = pytest.mark.light

IDS = ["daisy/1.jpg", "rose/2.png"]


def picture(folder, name, colour, size=(600, 300)):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    picture(folder, IDS[0], "white")
    picture(folder, IDS[1], "red", (40, 80))
    return folder


def gallery(tmp_path, digests, **options):
    file = tmp_path / f"rows{len([*tmp_path.iterdir()])}.h5"
    records = [feature_files.record(name, name.split("/")[0]) for name in IDS]
    feature_files.write(file, records, [np.eye(2, 3)], digests=digests, **options)
    return open_gallery(file, layer=None, metric=None)


@pytest.fixture
def images(tmp_path, photos):
    digests = [digest_of((photos / name).read_bytes()) for name in IDS]
    return GalleryImages(gallery(tmp_path, digests), photos)


def test_an_image_is_its_file_as_it_is(images, photos):
    found = images.read(IDS[0])
    assert found.data == (photos / IDS[0]).read_bytes()
    assert found.content == images.content(IDS[0]) == digest_of(found.data)
    assert not images.is_empty


def test_one_that_was_changed_or_is_gone_is_none(images, photos):
    picture(photos, IDS[0], "blue")
    assert images.read(IDS[0]) == NoImage("has changed since its row was made", changed=True)
    (photos / IDS[1]).unlink()
    gone = images.read(IDS[1])
    assert (gone.changed, "is gone" in gone.reason) == (False, True)


def test_a_link_that_leads_out_of_the_folder_is_refused_and_one_within_is_not(
    tmp_path, images, photos
):
    (photos / IDS[0]).rename(tmp_path / "elsewhere.jpg")
    (photos / IDS[0]).symlink_to(tmp_path / "elsewhere.jpg")
    assert "leads out of the folder" in images.read(IDS[0]).reason
    (photos / IDS[1]).rename(photos / "other")
    (photos / IDS[1]).symlink_to(photos / "other")
    assert images.read(IDS[1]).content == images.content(IDS[1])


def test_where_a_folder_is_gone_links_out_of_the_others_are_refused_all_the_same(tmp_path):
    digests = []
    for name in IDS:
        path = picture(tmp_path, name, "red")
        digests.append(digest_of(path.read_bytes()))
    (tmp_path / IDS[1]).rename(tmp_path / "elsewhere.png")
    (tmp_path / IDS[1]).symlink_to(tmp_path / "elsewhere.png")
    (tmp_path / "daisy").rename(tmp_path / "gone")
    origin = {"sources": [str(tmp_path / "daisy"), str(tmp_path / "rose")]}
    images = GalleryImages(gallery(tmp_path, digests, origin=origin))
    assert "leads out of the folder" in images.read(IDS[1]).reason


def test_a_folder_that_is_a_link_itself_is_where_the_images_are(tmp_path, photos):
    (tmp_path / "link").symlink_to(photos)
    digests = [digest_of((photos / name).read_bytes()) for name in IDS]
    found = GalleryImages(gallery(tmp_path, digests), tmp_path / "link").read(IDS[0])
    assert found.content == digests[0]


def test_without_their_folder_they_are_looked_for_where_the_rows_were_made(tmp_path, photos):
    digests = [digest_of((photos / name).read_bytes()) for name in IDS]
    images = GalleryImages(gallery(tmp_path, digests, origin={"sources": [str(photos)]}))
    assert images.read(IDS[1]).content == digests[1]
    moved = gallery(tmp_path, digests, origin={"sources": [str(tmp_path / "none")]})
    images = GalleryImages(moved)
    assert images.is_empty
    assert images.read(IDS[1]) == NoImage("is not where the images are")


def test_rows_that_do_not_know_their_bytes_open_no_file_that_they_name_themselves(tmp_path, photos):
    unknown = gallery(tmp_path, ["", ""], origin={"sources": [str(photos)]})
    assert "images=" in GalleryImages(unknown).read(IDS[0]).reason
    assert GalleryImages(unknown, photos).read(IDS[0]).content  # they were said to be there


def test_a_folder_of_no_images_is_refused_at_once(tmp_path, images):
    with pytest.raises(PathNotFoundError):
        GalleryImages(gallery(tmp_path, ["", ""]), tmp_path / "none")


def test_a_thumbnail_is_a_small_jpeg_of_the_whole_image(images):
    cache = ThumbnailCache(images)
    opened = Image.open(io.BytesIO(cache.get(IDS[0]).result()))
    assert (opened.format, opened.size) == ("JPEG", (256, 128))
    assert np.asarray(opened).min() > 250
    small = Image.open(io.BytesIO(cache.get(IDS[1]).result()))
    assert small.size == (40, 80)  # it is not enlarged


def test_what_was_asked_for_last_is_kept_as_far_as_there_is_room(images, monkeypatch):
    read, asked = images.read, []
    monkeypatch.setattr(images, "read", lambda one: asked.append(one) or read(one))
    cache = ThumbnailCache(images)
    sizes = [len(cache.get(one).result()) for one in IDS]
    cache.get(IDS[0]).result()
    assert asked == IDS
    for room, expected in ((sum(sizes), IDS), (sum(sizes) - 1, [*IDS, IDS[0]])):
        asked.clear()
        cache = ThumbnailCache(images, max_bytes=room)
        for one in [*IDS, IDS[0]]:
            cache.get(one).result()
        cache.close()
        assert asked == expected


def test_a_picture_that_several_ask_for_at_once_is_made_once(images, monkeypatch):
    read, asked, go_on = images.read, [], Event()

    def slow(one):
        asked.append(one)
        go_on.wait(10)
        return read(one)

    monkeypatch.setattr(images, "read", slow)
    cache = ThumbnailCache(images)
    futures = [cache.get(IDS[0]) for _ in range(5)]
    go_on.set()
    assert len({one.result() for one in futures}) == 1
    assert asked == [IDS[0]]


def test_what_has_no_picture_is_asked_for_again(images, photos):
    cache = ThumbnailCache(images)
    whole = (photos / IDS[1]).read_bytes()
    (photos / IDS[1]).write_bytes(b"broken")
    assert cache.get(IDS[1]).result().changed
    (photos / IDS[1]).write_bytes(whole)
    assert isinstance(cache.get(IDS[1]).result(), bytes)
