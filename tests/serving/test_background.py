"""What is worked out beside the requests."""

from __future__ import annotations

import threading

import pytest

from penult.errors import TrainingError
from penult.progress import announce
from penult.records import Progress
from penult.serving.gallery.background import Background, Later, NotReadyError

pytestmark = pytest.mark.light

SOON = 30  # seconds; nothing waits so long that works


def test_results_come_one_after_the_other():
    order = []
    results = [Later(name, lambda _, name=name: order.append(name) or name) for name in "abc"]
    background = Background(results)
    background.start()
    background.start()
    assert results[-1].wait(SOON)
    assert [one.get() for one in results] == order == ["a", "b", "c"]


def test_until_it_is_there_a_client_is_told_when_to_ask_again():
    go = threading.Event()
    later = Later("The map", lambda _: go.wait(SOON))
    background = Background([later])
    background.start()
    with pytest.raises(NotReadyError, match="The map is still being worked out") as raised:
        later.get()
    assert 1 <= raised.value.seconds <= 60
    assert later.get_or_none() is None
    go.set()
    assert later.wait(SOON)
    assert later.get() is True


def test_a_client_never_waits_longer_than_a_minute():
    later = Later("The map", lambda _: None)
    later.began -= 3600
    with pytest.raises(NotReadyError) as raised:
        later.get()
    assert raised.value.seconds == 60


def test_what_cannot_be_had_says_why_and_the_next_one_comes_all_the_same():
    def refuse(_):
        raise TrainingError("all rows are the same")

    first, second = Later("The map", refuse), Later("The review", lambda _: 2)
    background = Background([first, second])
    background.start()
    assert second.wait(SOON)
    with pytest.raises(TrainingError, match="all rows are the same"):
        first.get()
    assert (first.get_or_none(), second.get()) == (None, 2)


def test_a_mistake_in_it_is_logged_and_told_without_its_details(caplog):
    later = Later("The map", lambda _: 1 / 0)
    later.run(lambda _: None)
    with pytest.raises(Exception, match="The map could not be worked out; the log says why"):
        later.get()
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("tells", [lambda tell: tell(Progress(1, 2, 0)), lambda _: announce("x")])
def test_closing_ends_a_step_that_says_how_far_it_is(tells):
    began, ended = threading.Event(), threading.Event()

    def work(tell):
        began.set()
        try:
            while True:
                tells(tell)
        finally:
            ended.set()

    first, second = Later("The map", work), Later("The review", lambda _: 2)
    background = Background([first, second])
    background.start()
    assert began.wait(SOON)
    background.close()
    assert ended.wait(SOON)
    assert not first.is_done
    assert not second.is_done


def test_closing_does_not_wait_for_a_step_that_says_nothing(monkeypatch):
    monkeypatch.setattr("penult.serving.gallery.background._PATIENCE", 0.01)
    go = threading.Event()
    background = Background([Later("The map", lambda _: go.wait(SOON))])
    background.start()
    background.close()
    go.set()


def test_one_that_was_closed_does_not_start():
    later = Later("The map", lambda _: 1)
    background = Background([later])
    background.close()
    background.start()
    assert not later.wait(0.05)


def test_what_fails_because_it_was_stopped_is_not_logged(caplog):
    begun, go = threading.Event(), threading.Event()

    def work(_):
        begun.set()
        assert go.wait(SOON)
        raise RuntimeError("can't register atexit after shutdown")

    background = Background([Later("The map", work)])
    background.start()
    assert begun.wait(SOON)
    closing = threading.Thread(target=background.close)
    closing.start()
    while not background._stop.is_set():
        pass
    go.set()
    closing.join(SOON)
    assert caplog.text == ""
