"""What a bot answers, whatever the messenger."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from flower_service import GALLERY, HITS, IN_THE_GALLERY, FlowerService
from talking import MESSENGER, Talk

from penult.chat.conversation import Conversation
from penult.chat.events import NotFetchedError, PhotosSent, SentPhoto
from penult.chat.options import ChatOptions
from penult.chat.replies import Text
from penult.client.answers import Found
from penult.errors import ImageError, ServiceError

pytestmark = pytest.mark.light


@pytest.fixture
def service():
    return FlowerService()


@pytest.fixture
def talk(service):
    return Talk(service)


def test_a_photo_is_answered_with_its_class_and_the_nearest_pictures(talk):
    talk.photos(b"new")
    assert talk.text.splitlines() == [
        "daisy, 75.0%",
        "Or: rose 25.0%",
        "",
        "Nearest pictures:",
        "1. daisy, similarity 0.990",
        "2. daisy, similarity 0.980",
        "3. rose, similarity 0.970",
        "4. daisy, similarity 0.960",
        "5. tulip, similarity 0.950",
    ]
    assert talk.captions == talk.text.splitlines()[4:]
    assert talk.replies[0].pictures[2].data == b"thumbnail of rose/2.jpg"
    assert talk.on_buttons == ["More pictures", "Wrong?"]


def test_more_pictures_go_on_where_the_last_ended_and_end(talk, service):
    talk.photos(b"new").press("More pictures")
    assert talk.captions == ["6. rose, similarity 0.940", "7. tulip, similarity 0.930"]
    assert talk.on_buttons == ["Wrong?"]
    assert service.asked.count("search") == 1  # nor is the photo kept for it


def test_what_a_button_carries_fits_into_64_bytes(talk):
    pressed = []
    for text in ("Wrong?", "1", "Another class"):
        talk = talk if pressed else talk.photos(b"new")
        pressed += talk.buttons
        talk.press(text)
    assert len(pressed) > 10
    assert all(0 < len(one.data.encode()) <= 64 for one in pressed)


def test_a_photo_unlike_anything_is_said_to_be(talk):
    assert "unlike all that I know" in talk.photos(b"a shoe").text
    assert "unlike" not in talk.photos(b"new").text


def test_without_pictures_the_nearest_are_listed(talk, service):
    service.trouble = {"thumbnail": ServiceError("there is no such image", 404)}
    talk.photos(b"new")
    assert not talk.captions
    assert "1. daisy, similarity 0.990" in talk.text


def test_a_classifier_alone_gives_classes_and_a_gallery_alone_pictures(talk, service):
    service.trouble = {"search": ServiceError("no gallery is served", 404)}
    assert talk.photos(b"new").text == "daisy, 75.0%\nOr: rose 25.0%"
    assert not talk.buttons
    service.trouble = {"classify": ServiceError("no labels are served", 404)}
    assert talk.photos(b"new").text.startswith("Nearest pictures:\n1. daisy")


def test_an_album_is_answered_line_by_line_and_each_photo_can_be_looked_at(talk):
    talk.photos(b"new", b"no photo", b"a shoe")
    assert talk.text.splitlines() == [
        "1. daisy, 75.0%",
        "2. I cannot use that: the bytes are no image that penult can read.",
        "3. daisy, 75.0%",
    ]
    assert talk.on_buttons == ["Nearest to 1", "Nearest to 3"]
    talk.press("Nearest to 3")
    assert len(talk.captions) == 5
    assert "unlike" in talk.text


def test_who_sends_a_compressed_photo_is_told_once_how_to_send_a_file(talk):
    assert "Send it as a file (in a tube)" in talk.photos(b"new", as_file=False).text
    assert "as a file" not in talk.photos(b"new", as_file=False).text
    assert "as a file" not in talk.photos(b"new", user="bob").text
    assert "as a file" in talk.photos(b"new", as_file=False, user="bob").text


def test_a_photo_that_the_messenger_does_not_hand_over_is_never_fetched(talk, service):
    said = talk.photos(AssertionError(), size=1_234_567).text
    assert said == (
        "Pigeon hands files of up to 0 MB to bots, and this one has 1.2 MB. Please send a smaller one."
    )
    assert not service.asked
    assert talk.photos(NotFetchedError()).text.startswith("I could not fetch that from Pigeon.")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ServiceError("no service at http://127.0.0.1:8000"), "I cannot reach the service"),
        (ServiceError("bad gateway", 502), "I cannot reach the service"),
        (ServiceError("the queue is full", 503), "too much to do just now"),
        (ServiceError("larger than 20 MB", 413), "I cannot use that: larger than 20 MB."),
        (ServiceError("http://127.0.0.1/v1 answered 413", 413), "I cannot use that photo."),
        (
            ServiceError("rows of another recipe", 409),
            "That cannot be done: rows of another recipe.",
        ),
        (ServiceError("a token is needed", 401), "The service does not let me in."),
        (ServiceError("KeyError", 500), "Something went wrong in the service"),
        (ImageError("x"), "Something went wrong in the service"),
    ],
)
def test_trouble_with_the_service_is_told_in_a_sentence(talk, service, error, said, caplog):
    service.trouble = {"classify": error}
    text = talk.photos(b"new", user="4711").text
    assert said in text
    assert "127.0.0.1" not in text
    assert "4711" not in caplog.text


def test_start_and_help_say_what_there_is_even_where_the_service_is_down(talk, service):
    said = talk.command("start").text
    assert "among 7 pictures of 3 classes" in said
    assert said == talk.command("help").text
    service.trouble = {"gallery": ServiceError("away")}
    assert talk.command("help").text.startswith("Send me a photo, and I say what is on it.")


def test_what_is_no_photo_is_answered_kindly(talk):
    assert (
        talk.other("a sticker").text
        == "That is a sticker, and I only know photos. Please send me one."
    )
    assert talk.words("hello").text == "Please send me a photo. /help says what I can do."
    assert talk.command("dance").text == "I do not know /dance. Send me a photo; /help says more."


def test_a_picture_of_the_gallery_that_was_sent_as_a_file_gets_another_label(talk, service):
    talk.photos(IN_THE_GALLERY)
    assert "The gallery has this very file: daisy/0.jpg" in talk.text
    talk.press("Wrong?")
    assert talk.text == "daisy/0.jpg is labelled daisy. What is it?"
    assert talk.on_buttons == ["daisy", "rose", "tulip", "Another class", "Cancel"]
    talk.press("rose")
    assert talk.text == "Noted: daisy/0.jpg was daisy, and is rose now. Thank you!"
    assert talk.replies[0].replaces
    assert [(one.id, one.new, one.who) for one in service.log] == [
        ("daisy/0.jpg", "rose", "pigeon:ann")
    ]
    talk.press("Undo")
    assert talk.text == "Undone: daisy/0.jpg is daisy."
    assert service.labels["daisy/0.jpg"] == "daisy"


def test_of_two_who_put_a_label_right_at_once_the_second_is_asked_again(talk, service):
    talk.photos(IN_THE_GALLERY).press("Wrong?")
    service.labels["daisy/0.jpg"] = "tulip"  # by somebody else, meanwhile
    talk.press("rose")
    assert talk.text == (
        "Its label was changed since I showed it, and I have left it.\n"
        "daisy/0.jpg is labelled tulip. What is it?"
    )
    assert talk.replies[0].replaces
    assert "bob" not in talk.text  # who it was is no business of who asks
    assert (service.labels["daisy/0.jpg"], service.log) == ("tulip", [])
    assert talk.on_buttons == ["tulip", "daisy", "rose", "Another class", "Cancel"]
    talk.press("rose")
    assert talk.text == "Noted: daisy/0.jpg was tulip, and is rose now. Thank you!"


def test_a_label_that_was_taken_away_meanwhile_is_said_to_be_gone(talk, service):
    talk.photos(b"new").press("Wrong?").press("3")
    service.labels["rose/2.jpg"] = None
    assert talk.press("tulip").text.endswith("Picture 3 has no label. What is it?")
    talk.press("tulip")
    assert service.labels["rose/2.jpg"] == "tulip"


def test_of_several_labels_all_are_expected(service, monkeypatch):
    hit = replace(HITS[0], label=None, labels=("daisy", "wild"))

    async def search(photo=None, *, k=10):
        return Found((hit,), GALLERY, None, hit.id)

    monkeypatch.setattr(service, "search", search)
    service.labels[hit.id] = "daisy|wild"
    talk = Talk(service).photos(IN_THE_GALLERY).press("Wrong?").press("daisy")
    assert talk.text == "Noted: daisy/0.jpg was daisy|wild, and is daisy now. Thank you!"


def test_who_changes_a_label_again_or_after_an_undo_is_not_held_up(talk, service):
    talk.photos(IN_THE_GALLERY).press("Wrong?")
    on_them = {one.text: one.data for one in talk.buttons}
    talk.press("rose").press("Undo").press_data(on_them["tulip"])
    talk.press_data(on_them["rose"])
    assert talk.text == "Noted: daisy/0.jpg was tulip, and is rose now. Thank you!"


def test_the_class_that_it_has_is_confirmed(talk, service):
    talk.photos(IN_THE_GALLERY).press("Wrong?").press("daisy")
    assert talk.text == "Confirmed: daisy/0.jpg is daisy."
    assert service.log[0].old == service.log[0].new == "daisy"


def test_a_new_photo_has_no_label_but_a_picture_beside_it_may_have_a_wrong_one(talk, service):
    talk.photos(b"new").press("Wrong?")
    assert "only those have a label" in talk.text
    assert "send it as a file" not in talk.text
    assert talk.on_buttons == ["1", "2", "3", "4", "5", "No"]
    assert not service.log
    talk.press("3")
    assert talk.text == "Picture 3 is labelled rose. What is it?"
    talk.press("tulip")
    assert service.labels["rose/2.jpg"] == "tulip"


def test_of_a_compressed_photo_it_is_said_that_a_file_would_be_recognised(talk):
    talk.photos(b"new", as_file=False).press("Wrong?")
    assert "send it as a file (in a tube), so that I can see that it is" in talk.text


def test_leaving_it_changes_nothing(talk, service):
    talk.photos(IN_THE_GALLERY).press("Wrong?").press("Cancel")
    assert talk.text == "All is left as it is."
    assert not service.log


def test_a_class_can_be_typed(talk, service):
    talk.photos(IN_THE_GALLERY).press("Wrong?").press("Another class")
    assert talk.replies[0].asks
    assert "Type it again" in talk.words("a\x07").text
    assert "Type it again" in talk.words("x" * 201).text
    talk.words(" ROSE ")
    assert service.labels["daisy/0.jpg"] == "rose"
    assert talk.words("tulip").text.startswith("Please send me a photo")  # it is asked for no more


def test_a_class_that_there_is_not_is_asked_about(talk, service):
    talk.photos(IN_THE_GALLERY).press("Wrong?").press("Another class").words("rosa")
    assert talk.text == "The gallery has no class rosa. Is it a new one, or one of these?"
    assert talk.on_buttons == ["rose", "A new class", "Cancel"]
    assert not service.log
    talk.press("A new class")
    assert service.labels["daisy/0.jpg"] == "rosa"


def test_a_button_of_an_old_answer_goes_on_meaning_what_is_on_it(talk, service):
    talk.photos(IN_THE_GALLERY).press("Wrong?")
    old = {one.text: one.data for one in talk.buttons}
    talk.press("Another class").words("violet").press("A new class")
    talk.press_data(old["tulip"])
    assert [one.new for one in service.log] == ["violet", "tulip"]


def test_what_is_typed_after_something_else_is_no_class(talk, service):
    talk.photos(IN_THE_GALLERY).press("Wrong?").press("Another class").command("help")
    assert talk.words("rose").text.startswith("Please send me a photo")
    talk.photos(IN_THE_GALLERY).press("Wrong?").press("Another class").command("cancel")
    assert talk.text == "All is left as it is."
    assert talk.words("rose").text.startswith("Please send me a photo")
    assert not service.log


def test_what_another_user_types_is_no_class(talk, service):
    talk.photos(IN_THE_GALLERY).press("Wrong?").press("Another class")
    talk.words("rose", user="bob")
    assert not service.log


def test_in_a_group_all_may_see_more_and_only_who_sent_it_may_change_labels(talk, service):
    talk.photos(IN_THE_GALLERY)
    more, wrong = (one.data for one in talk.buttons)
    assert len(talk.press_data(more, user="bob").captions) == 2
    assert talk.press_data(wrong, user="bob").notice == "Only who sent the photo can do that."


def test_labels_are_left_alone_where_that_is_wanted(service):
    talk = Talk(service, ChatOptions(relabel=False))
    assert talk.photos(IN_THE_GALLERY).on_buttons == ["More pictures"]
    key = talk.buttons[0].data.split(":")[1]
    assert talk.press_data(f"w:{key}").notice == "Labels cannot be changed here."
    assert "Wrong?" not in talk.command("help").text


@pytest.mark.parametrize(
    "data", ["", "w", "w:", "w:nobody", "m:nobody:5", "c:nobody:0:0", "q:1", "m:x:y", "\x00" * 64]
)
def test_a_button_of_before_the_last_start_is_of_a_photo_that_is_forgotten(talk, data):
    assert talk.press_data(data).notice.startswith("I no longer remember that photo.")


@pytest.mark.parametrize(
    "rest", ["p:{}:99", "p:{}:-2", "c:{}:0:99", "c:{}:99:0", "c:{}:-1:0", "t:{}:7"]
)
def test_numbers_that_a_button_never_had_do_nothing(talk, service, rest):
    key = talk.photos(b"new").buttons[0].data.split(":")[1]
    assert talk.press_data(rest.format(key)).notice == "That button is of no use any more."
    assert not service.log


def test_a_label_that_the_service_does_not_take_is_said(talk, service):
    service.trouble = {"set_label": ServiceError("the disk is full", 507)}
    talk.photos(IN_THE_GALLERY).press("Wrong?").press("rose")
    assert talk.text.startswith("Something went wrong in the service")


def test_who_sends_too_much_is_told_once_and_let_through_again(service):
    now = [0.0]
    talk = Talk(service, ChatOptions(per_minute=6), clock=lambda: now[0])
    for _ in range(6):
        assert "75.0%" in talk.photos(b"new").text
    assert talk.photos(b"new").text == "That is more than I can look at. Please wait 10 seconds."
    assert talk.photos(b"new").replies == []
    assert talk.press_data("x:y").notice.startswith(
        "That is more"
    )  # or the button would go on waiting
    assert "75.0%" in talk.photos(b"new", user="bob").text
    now[0] = 10.0
    assert "75.0%" in talk.photos(b"new").text
    assert talk.photos(b"new").text.startswith("That is more")


def test_an_album_counts_by_its_photos_and_one_of_more_than_a_minutes_is_let_through_alone(service):
    talk = Talk(service, ChatOptions(per_minute=3))
    assert talk.photos(*[b"new"] * 5).text.count("75.0%") == 5
    assert talk.photos(b"new").text.startswith("That is more")


def test_only_users_that_are_let_in_are_answered(service):
    talk = Talk(service, ChatOptions(allow=frozenset({"ann"})))
    assert "75.0%" in talk.photos(b"new").text
    assert talk.photos(b"new", user="bob").text.startswith("This bot answers only people")
    assert service.asked.count("classify") == 1


def test_what_a_user_sends_is_answered_in_its_order_and_users_do_not_wait_for_each_other(service):
    conversation = Conversation(service, MESSENGER)
    read = []

    def sent(user, name, until):
        async def fetch():
            await until.wait()
            read.append(name)
            return b"new"

        photo = SentPhoto(read=fetch, as_file=True)
        return conversation.reply(PhotosSent(user=user, chat="a chat", photos=(photo,)))

    async def talk():
        late, now = asyncio.Event(), asyncio.Event()
        now.set()
        first = asyncio.create_task(sent("ann", "first", late))
        second = asyncio.create_task(sent("ann", "second", now))
        await sent("bob", "another", now)
        late.set()
        return await first, await second

    answers = asyncio.run(talk())
    assert read == ["another", "first", "second"]
    assert all(isinstance(one[-1], Text) for one in answers)
