import pickle
import tarfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO, StringIO

import numpy as np
import pytest
from PIL import Image
from scratches import scratch_of_a_killed_process

import penult
from penult.classify.prediction.sorting import Sorter
from penult.errors import ImageError, UnknownNameError, UsageError

pytestmark = pytest.mark.light


@pytest.fixture
def classifier(photos, toy, tmp_path, extracted, trained):
    extracted(photos, tmp_path / "f.h5", toy)
    trained(tmp_path / "f.h5", tmp_path / "f.skops", classifier="centroid")
    classifier = penult.load_classifier(tmp_path / "f.skops")
    (tmp_path / "f.skops").unlink()
    return classifier


def test_predictions_less_probable_than_the_threshold_are_marked(classifier, photos):
    of = {p.id: p for p in classifier.predict(photos)}
    least = min(p.probability for p in of.values())
    assert not any(p.unsure for p in of.values())
    assert not any(p.unsure for p in classifier.predict(photos, threshold=least))
    for prediction in classifier.predict(photos, threshold=1):
        assert prediction.unsure == (of[prediction.id].probability < 1)
        assert prediction.label == of[prediction.id].label


@pytest.mark.parametrize("threshold", [0, -0.5, 1.5, float("nan")])
def test_a_threshold_that_is_no_probability_is_refused(classifier, photos, threshold):
    with pytest.raises(UsageError, match="threshold is"):
        classifier.predict(photos, threshold=threshold)


def test_photos_are_sorted_in_the_folder_that_they_come_from_and_not_sorted_again(
    classifier, photos
):
    (photos / "rose" / "bad.jpg").write_bytes(b"nonsense")
    for new in (True, False):
        told = classifier.predict(photos, copy_to=photos / "sorted")
        assert (len(told), [failure.id for failure in told.failures]) == (36, ["rose/bad.jpg"])
        for p in told:
            assert p.copied.path == photos / "sorted" / p.label / p.id.rpartition("/")[2]
            assert p.copied.new == new
            assert p.copied.path.read_bytes() == (photos / p.id).read_bytes()
    assert len(list((photos / "sorted").rglob("*.jpg"))) == 36


def test_a_run_that_was_killed_is_gone_on_with(classifier, photos, tmp_path):
    from penult.classify.prediction.predict import predict_images

    begun = predict_images(classifier, photos, copy_to=tmp_path / "sorted", batch_size=4)
    for _ in range(10):
        next(begun)
    begun.close()
    half = scratch_of_a_killed_process(tmp_path / "sorted" / "daisy", "penult")
    told = classifier.predict(photos, copy_to=tmp_path / "sorted")
    assert sum(p.copied.new for p in told) == 26
    assert not half.exists()
    found = {p.name for p in (tmp_path / "sorted").rglob("*.jpg")}
    assert found == {p.name for p in photos.rglob("*.jpg")}


def test_the_unsure_ones_are_sorted_apart(classifier, photos, tmp_path):
    told = classifier.predict(photos, copy_to=tmp_path / "s", copy_mode="symlink", threshold=1)
    for p in told:
        assert p.copied.path.parent.name == p.label
        assert (p.copied.path.parent.parent.name == "unsure") == p.unsure
        assert p.copied.path.is_symlink()
        assert p.copied.path.samefile(photos / p.id)


def test_what_cannot_be_sorted_is_refused_before_any_work(classifier, photos):
    with pytest.raises(UsageError, match="give another folder"):
        classifier.predict(photos / "rose", copy_to=photos)
    assert sorted(p.name for p in photos.iterdir()) == ["daisy", "rose", "tulip"]


def test_images_in_memory_are_classified_in_their_order(classifier, photos):
    path = photos / "rose" / "rose_01.jpg"
    (by_path,) = classifier.predict(path)
    image = Image.open(path)
    told = classifier.predict([image, np.asarray(image), path, Image.new("RGB", (9, 9), "white")])
    assert [p.label for p in told] == ["rose", "rose", "rose", "daisy"]
    for p in told[:3]:
        assert p.top == by_path.top
    assert [p.label for p in classifier.predict(np.stack([image, image]))] == ["rose", "rose"]


def test_images_in_memory_are_no_files_to_sort(classifier, tmp_path):
    with pytest.raises(UsageError, match="in memory are no files"):
        classifier.predict([Image.new("RGB", (9, 9))], copy_to=tmp_path / "sorted")


@pytest.mark.parametrize("given", [3, None, b"photo.jpg", [None], Image.new("RGB", (9, 9))])
def test_what_is_no_source_of_images_is_refused_in_one_line(classifier, given, toy):
    with pytest.raises(UsageError, match=r"allowed|in a list"):
        classifier.predict(given)
    with pytest.raises(
        UsageError, match=r"images (is|given as) .*; give .* are for penult\.Extractor"
    ):
        penult.extract(given, model=toy)


def test_a_classifier_is_given_as_itself_or_by_its_file(classifier, tmp_path):
    classifier.save(tmp_path / "c.skops")
    rows = tmp_path / "f.h5"
    by_file = penult.evaluate(str(tmp_path / "c.skops"), rows)
    assert by_file.scores == penult.evaluate(classifier, rows).scores
    with pytest.raises(UsageError, match="classifier is None; give a Classifier"):
        penult.evaluate(None, rows)


def test_a_photo_for_which_the_network_gives_nan_is_a_failure_and_the_others_are_classified(
    classifier, photos, monkeypatch
):
    from penult.engines import finite

    as_stored = finite.as_stored

    def spoil(rows, recipes, dtype):
        rows[0][0] = np.nan
        return as_stored(rows, recipes, dtype)

    monkeypatch.setattr(finite, "as_stored", spoil)
    found = classifier.predict(photos, batch_size=36)
    (failure,) = found.failures
    assert (len(found), failure.id) == (35, "daisy/daisy_01.jpg")
    assert failure.reason == "the network gives NaN for it (layer penultimate)"


def test_photos_for_which_the_network_gives_nothing_but_nan_are_all_failures(
    classifier, photos, monkeypatch
):
    from penult.engines import finite

    as_stored = finite.as_stored
    monkeypatch.setattr(
        finite, "as_stored", lambda rows, *rest: as_stored([r * np.nan for r in rows], *rest)
    )
    found = classifier.predict(photos)
    assert (len(found), len(found.failures)) == (0, 36)


def test_a_loop_over_predictions_meets_predictions_alone_and_what_is_left_out_is_said(
    classifier, photos, tmp_path, caplog
):
    (photos / "rose" / "bad.jpg").write_bytes(b"nonsense")
    classifier.save(tmp_path / "c.skops")
    for given in (classifier, tmp_path / "c.skops"):
        caplog.clear()
        found = penult.predict(given, photos)
        lines = [f"{photo.id:<20} {photo.label:<8} {photo.probability:.1%}" for photo in found]
        assert len(lines) == 36
        assert [failure.id for failure in found.failures] == ["rose/bad.jpg"]
        (said,) = caplog.messages
        assert said.startswith("1 of 37 images could not be read, and is in .failures of what is")
        assert f"rose/bad.jpg: {found.failures[0].reason}" in said
    copy = pickle.loads(pickle.dumps(found))
    assert (copy, copy.failures) == (found, found.failures)


def test_all_that_failed_leaves_an_empty_list(classifier, tmp_path, caplog):
    (tmp_path / "bad").mkdir()
    for number in range(7):
        (tmp_path / "bad" / f"{number}.jpg").write_bytes(b"nonsense")
    found = classifier.predict(tmp_path / "bad")
    assert (list(found), len(found.failures)) == ([], 7)
    assert caplog.messages[0].endswith("; and 2 more")


def test_of_images_in_memory_one_that_cannot_be_read_is_an_error_for_it_would_shift_the_others(
    classifier, photos, tmp_path
):
    (tmp_path / "bad.jpg").write_bytes(b"nonsense")
    black = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(ImageError, match=r"bad\.jpg"):
        classifier.predict([black, tmp_path / "bad.jpg", black])
    assert len(classifier.predict([black, photos / "rose" / "rose_01.jpg"])) == 2


def test_photos_that_cannot_be_read_are_said_of_rows_and_of_scores_too(
    classifier, photos, toy, caplog
):
    (photos / "rose" / "bad.jpg").write_bytes(b"nonsense")
    for found in (penult.extract(photos, model=toy), penult.evaluate(classifier, photos)):
        assert [failure.id for failure in found.failures] == ["rose/bad.jpg"]
    assert len(caplog.messages) == 2
    assert all(said.startswith("1 of 37 images could not be read") for said in caplog.messages)
    assert (found.total, found.scores.images) == (37, 36)


def test_one_photo_alone_opens_an_engine_for_one(photos, classifier, monkeypatch):
    from penult.extractor import opened

    hints = []
    open_engine = opened.open_engine
    monkeypatch.setattr(
        opened,
        "open_engine",
        lambda *given, **how: hints.append(how["images"]) or open_engine(*given, **how),
    )
    opened.close_all()
    list(classifier.predict(photos / "rose" / "rose_01.jpg"))
    assert hints == [1]


def test_the_first_image_that_cannot_be_read_is_raised_where_that_is_asked_for(classifier, photos):
    (photos / "rose" / "bad.jpg").write_bytes(b"nonsense")
    assert len(classifier.predict(photos).failures) == 1
    with pytest.raises(ImageError, match=r"rose/bad\.jpg: "):
        classifier.predict(photos, on_error="fail")
    with pytest.raises(UnknownNameError, match="allowed: skip, fail"):
        classifier.predict(photos, on_error="ignore")


def test_a_photo_that_is_gone_when_it_is_to_be_copied_is_a_failure_and_the_others_are_sorted(
    classifier, photos, tmp_path, monkeypatch
):
    place = Sorter.place

    def too_late(sorter, record, *others, **options):
        if record.id == "rose/rose_01.jpg":
            record.path.unlink()
        return place(sorter, record, *others, **options)

    monkeypatch.setattr(Sorter, "place", too_late)
    told = classifier.predict(photos, copy_to=tmp_path / "s")
    (failure,) = told.failures
    assert failure.id == "rose/rose_01.jpg"
    assert failure.reason == "can no longer be read: No such file or directory"
    assert len(list((tmp_path / "s").rglob("*.jpg"))) == len(told)


def test_photos_that_were_moved_are_still_photos_of_the_folder_around(classifier, photos):
    classifier.predict(photos, copy_to=photos / "sorted", copy_mode="move")
    assert {p.parts[0] for p in (f.relative_to(photos) for f in photos.rglob("*.jpg"))} == {
        "sorted"
    }
    assert len(penult.plan(photos).classes) == 3
    penult.move_back(photos / "sorted")
    assert not (photos / "sorted").exists() or not list((photos / "sorted").rglob("*.jpg"))


def test_photos_of_other_things_are_marked_and_sorted_apart(classifier, photos, tmp_path):
    Image.new("RGB", (64, 48), (10, 20, 250)).save(photos / "shark.png")
    told = classifier.predict(photos, threshold=1, copy_to=tmp_path / "s")
    assert [p.id for p in told if p.unlike] == ["shark.png"]
    for p in told:
        assert p.similarity <= 1
        where = "unlike" if p.id == "shark.png" else "unsure" if p.unsure else "s"
        assert p.copied.path.parent == tmp_path.joinpath("s", *[where] * (where != "s"), p.label)


@pytest.mark.parametrize("name", ["p.csv", "p.jsonl"])
def test_a_function_writes_the_file_that_the_command_writes(
    classifier, photos, tmp_path, name, monkeypatch
):
    from penult.cli import main

    classifier.save(tmp_path / "c.skops")
    (photos / "rose" / "bad.jpg").write_bytes(b"nonsense")
    told = penult.predict(classifier, photos, tmp_path / name, top=2, threshold=0.9)
    assert (len(told), len(told.failures)) == (36, 1)
    words = ["predict", tmp_path / "c.skops", photos, "-o", tmp_path / f"c{name}", "--top", 2]
    words += ["--threshold", 0.9, "-q"]
    monkeypatch.setattr("sys.argv", ["penult", *map(str, words)])
    with pytest.raises(SystemExit):
        main()
    assert (tmp_path / name).read_bytes() == (tmp_path / f"c{name}").read_bytes()
    with pytest.raises(penult.OutputExistsError):
        penult.predict(classifier, photos, tmp_path / name)
    penult.predict(classifier, [np.zeros((9, 9), np.uint8)], tmp_path / name, overwrite=True)
    assert "image 0" in (tmp_path / name).read_text()


def test_a_way_to_copy_needs_a_folder(classifier, photos):
    with pytest.raises(UsageError, match=r"copy_mode='move' needs .*copy_to=DIR"):
        classifier.predict(photos, copy_mode="move")
    with pytest.raises(UnknownNameError):
        classifier.predict(photos, copy_mode="mvoe")


def test_uploads_are_classified_as_their_files_are_by_two_threads_at_once(classifier, photos):
    paths = sorted(photos.rglob("*.jpg"))[:4]
    by_file = [one.top for one in classifier.predict(paths)]
    with paths[2].open("rb") as opened:
        opened.read(10)
        given = [paths[0].read_bytes(), BytesIO(paths[1].read_bytes()), opened, paths[3]]
        with ThreadPoolExecutor(2) as pool:
            for told in pool.map(classifier.predict, [given, given]):
                assert [one.top for one in told] == by_file
                assert told[0].id == "image 0 (bytes)"
        assert not opened.closed
    (told,) = classifier.predict(iter([bytearray(paths[0].read_bytes())]))
    assert told.top == by_file[0]
    with pytest.raises(ImageError, match=r"image 1 \(bytes\): is not an image"):
        classifier.predict([paths[0], b"nonsense"])
    with pytest.raises(ImageError, match="gives str, not bytes"):
        classifier.predict([StringIO("nonsense")])


def test_no_images_have_no_predictions(classifier):
    assert classifier.predict([]) == classifier.predict(iter(())) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (b"photo", "one bytes was given .*; put it in a list"),
        (BytesIO(b"photo"), "one BytesIO was given .*; put it in a list"),
        ([3], "image 0 is an int; allowed: a path, .* bytes"),
        (["a.jpg", {}], "image 1 is a dict; allowed: a path, .* bytes"),
    ],
)
def test_what_is_no_upload_is_told_what_is(classifier, given, told):
    with pytest.raises(UsageError, match=told):
        classifier.predict(given)


def test_paths_that_come_one_by_one_are_predicted_and_written_as_a_list_is(
    classifier, photos, tmp_path
):
    paths = sorted(photos.rglob("*.jpg"))[:3]
    predictions = penult.predict(classifier, iter(paths), tmp_path / "p.csv")
    assert len(predictions) == len((tmp_path / "p.csv").read_text().splitlines()) - 1 == 3
    assert predictions == classifier.predict(iter(paths)) == classifier.predict(paths)


@pytest.mark.parametrize("task", ["extract", "plan", "evaluate", "report"])
def test_paths_that_come_one_by_one_do_for_every_task(classifier, photos, toy, tmp_path, task):
    folders = iter([photos])
    if task == "evaluate":
        assert penult.evaluate(classifier, folders).total == 36
    elif task == "report":
        made = penult.report(
            folders,
            tmp_path / "r",
            model=toy,
            map=False,
            clusters=False,
            outliers=False,
            curve=False,
            label_errors=False,
        )
        assert made.page.is_file()
    elif task == "plan":
        assert penult.plan(folders, model=toy).images == 36
    else:
        assert len(penult.extract(folders, tmp_path / "rows.h5", model=toy)) == 36


def test_that_some_are_no_more_than_a_guess_is_logged_and_nothing_where_none_is(
    classifier, photos, caplog
):
    classifier.predict(photos)
    assert not caplog.messages
    Image.new("RGB", (64, 48), (10, 20, 250)).save(photos / "shark.png")
    classifier.predict(photos)
    (said,) = caplog.messages
    assert said.startswith("1 of 37 are unlike anything that the classifier was trained on")


def test_what_cannot_be_listed_stops_as_what_cannot_be_read(classifier, photos, tmp_path):
    archive = tmp_path / "photos.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(photos / "rose" / "rose_01.jpg", "rose_01.jpg")
    archive.write_bytes(archive.read_bytes() + b"x" * 5000)
    assert [failure.id for failure in classifier.predict(archive).failures] == ["photos.tar"]
    with pytest.raises(ImageError, match=r"photos\.tar: holds 5,000 bytes after its end"):
        classifier.predict(archive, on_error="fail")


def test_how_unlike_a_photo_has_to_be_can_be_chosen_and_left_out(classifier, photos):
    Image.new("RGB", (64, 48), (10, 20, 250)).save(photos / "shark.png")
    told = classifier.predict(photos, unlike="off")
    assert {p.unlike for p in told} == {None}
    (shark,) = (p for p in classifier.predict(photos) if p.unlike)
    least = min(p.similarity for p in classifier.predict(photos) if p.id != "shark.png")
    assert not any(p.unlike for p in classifier.predict(photos, unlike=shark.similarity))
    assert sum(p.unlike for p in classifier.predict(photos, unlike=least)) == 1
    assert sum(p.unlike for p in penult.predict(classifier, photos, unlike=1)) > 30
    with pytest.raises(UsageError, match="unlike=2 is no similarity; give auto, off, or a cosine"):
        classifier.predict(photos, unlike=2)
    with pytest.raises(UsageError, match="does not know what is unlike"):
        replace(classifier, likeness=None).predict(photos, unlike=0.5)


def test_a_folder_that_was_sorted_into_is_trained_on_without_the_guesses(
    classifier, photos, tmp_path
):
    Image.new("RGB", (64, 48), (10, 20, 250)).save(photos / "shark.png")
    classifier.predict(photos, copy_to=tmp_path / "s")
    planned = penult.plan(tmp_path / "s")
    assert len(planned.classes) == 3
    assert planned.notes["left_out"] == {"set aside in unlike/": 1}


def test_a_classifier_and_photos_that_are_swapped_are_told_apart(classifier, photos, tmp_path):
    classifier.save(tmp_path / "f.skops")
    with pytest.raises(UsageError, match="the classifier comes first, and then the photos: penult"):
        penult.predict(photos, tmp_path / "f.skops")


def test_no_photos_at_all_are_refused_as_an_extraction_refuses_them(classifier):
    for images in ([], (), iter([])):
        with pytest.raises(UsageError, match="no folder or image was given"):
            penult.predict(classifier, images)


def test_a_photo_that_changes_before_it_is_sorted_ends_a_run_that_is_to_fail(
    classifier, photos, tmp_path, monkeypatch
):
    def refuse(_sorter, record, *_args, **_options):
        raise ImageError("was changed meanwhile")

    monkeypatch.setattr("penult.classify.prediction.sorting.Sorter.place", refuse)
    with pytest.raises(ImageError, match=r"^daisy/daisy_01\.jpg: was changed meanwhile$"):
        penult.predict(classifier, photos, copy_to=tmp_path / "sorted", on_error="fail")
    with pytest.raises(UsageError, match="top is 0; give 1 or more"):
        penult.predict(classifier, photos, top=0)
