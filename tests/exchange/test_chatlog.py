"""Chat logs as text: WhatsApp, Signal, IRC, transcripts."""

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engram.errors import InvalidInput
from engram.exchange.chatlog import Chatlog
from engram.exchange.files import Opening
from engram.exchange.roles import Incoming, Problem
from engram.exchange.stamps import Order

NARROW = "\u202f"
"""The space that phones put before AM and PM."""


def log(path: Path, *lines: str, name: str = "chat with Ana.txt") -> Path:
    """A log of these lines."""
    file = path / name
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def read(path: Path, dates: Order | None = None) -> tuple[list[Incoming], list[Problem]]:
    """Everything that the reader yields, the good and the bad apart."""
    found = list(Chatlog(dates=dates).read(path))
    good = [one for one in found if isinstance(one, Incoming)]
    return good, [one for one in found if isinstance(one, Problem)]


def texts(path: Path) -> list[tuple[str | None, str]]:
    """Name and words of every message."""
    return [(one.name, one.text) for each in read(path)[0] for one in each.messages]


def utc(*parts: int) -> float:
    """Seconds of a moment in UTC."""
    return datetime(*parts, tzinfo=UTC).timestamp()  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("[31.12.23, 22:15:01] Ana: Hei", utc(2023, 12, 31, 22, 15, 1)),
        ("31/12/2023, 22:15 - Ana: Hei", utc(2023, 12, 31, 22, 15)),
        (f"12/31/23, 10:15{NARROW}PM - Ana: Hei", utc(2023, 12, 31, 22, 15)),
        ("[2023-12-31 22:15] Ana: Hei", utc(2023, 12, 31, 22, 15)),
        ("2023-12-31T22:15:01Z <Ana> Hei", utc(2023, 12, 31, 22, 15, 1)),
        ("2023-12-31 22:15:01 +0200\tAna:\tHei".replace("\t", " "), utc(2023, 12, 31, 20, 15, 1)),
        ("31.12.2023 klo 22.15 - Ana: Hei", utc(2023, 12, 31, 22, 15)),
        ("\u200e[31.12.23, 12:05:00 a.m.] Ana: Hei", utc(2023, 12, 31, 0, 5)),
        ("2023-12-31 22:15:01\tAna\tHei", utc(2023, 12, 31, 22, 15, 1)),
    ],
)
def test_stamps_of_many_countries_are_understood(tmp_path: Path, line: str, at: float) -> None:
    """Local times, which is what logs hold, count as UTC; an offset that is written is kept."""
    (incoming,), problems = read(log(tmp_path, line))

    (message,) = incoming.messages
    assert problems == []
    assert (message.name, message.text, message.at) == ("Ana", "Hei", at)


def test_lines_without_a_stamp_belong_to_the_message_above(tmp_path: Path) -> None:
    """Messages have paragraphs; a blank line at their end says nothing."""
    file = log(tmp_path, "[31.12.23, 22:15:01] Ana: One", "", "two: three", "", "")

    assert texts(file) == [("Ana", "One\n\ntwo: three")]


def test_notices_of_the_app_and_left_out_media_are_skipped(tmp_path: Path) -> None:
    """WhatsApp marks what it writes itself, or names nobody."""
    file = log(
        tmp_path,
        "31/12/2023, 22:14 - Messages are end-to-end encrypted",
        "31/12/2023, 22:15 - Ana: <Media omitted>",
        "31/12/2023, 22:16 - Ana: \u200eimage omitted",
        "31/12/2023, 22:17 - Ana: Look at that! \u200e<This message was edited>",
    )

    assert texts(file) == [("Ana", "Look at that!")]


def test_irc_is_read_with_the_day_of_the_file_or_of_the_log(tmp_path: Path) -> None:
    """Ranks before a nick fall away; joins and parts are nobody's words."""
    lines = [
        "[22:15] <@ana> hei",
        "[22:16] *** ben has joined",
        "[22:17] * ben waves",
        "--- Day changed Mon Jan 01 2024",
        "[00:01] <ben> happy new year",
    ]
    found, _ = read(log(tmp_path, *lines, name="#whales.2023-12-31.log"))

    messages = [one for each in found for one in each.messages]
    assert [(one.name, one.text, one.at) for one in messages] == [
        ("ana", "hei", utc(2023, 12, 31, 22, 15)),
        ("ben", "waves", utc(2023, 12, 31, 22, 17)),
        ("ben", "happy new year", utc(2024, 1, 1, 0, 1)),
    ]


def test_a_transcript_has_names_only(tmp_path: Path) -> None:
    """Names of roles are roles; times are unknown."""
    file = log(tmp_path, "User: Do whales sing?", "Assistant: Yes.", "They do.", "Ana B.: I know.")

    (incoming,), _ = read(file)

    assert [(one.role, one.name, one.text, one.at) for one in incoming.messages] == [
        ("user", None, "Do whales sing?", None),
        ("assistant", None, "Yes.\nThey do.", None),
        ("user", "Ana B.", "I know.", None),
    ]


def test_each_day_is_a_conversation(tmp_path: Path) -> None:
    """The run names the chat and the day; ``_chat.txt``, as phones call it, by its archive."""
    file = log(tmp_path, "[31.12.23, 22:15:01] Ana: One", "[01.01.24, 00:01:01] Ana: Two")

    found, _ = read(file)

    assert [one.run for one in found] == [
        "chatlog chat with Ana 2023-12-31",
        "chatlog chat with Ana 2024-01-01",
    ]
    with zipfile.ZipFile(tmp_path / "WhatsApp Chat - Ana.zip", "w") as archive:
        archive.write(file, "_chat.txt")
        archive.writestr("photo.jpg", b"\xff\xd8")
    packed, _ = read(tmp_path / "WhatsApp Chat - Ana.zip")
    assert packed[0].run == "chatlog WhatsApp Chat - Ana 2023-12-31"


def test_the_order_of_a_date_is_found_out_from_the_whole_log(tmp_path: Path) -> None:
    """The 13th is no month: where it turns up, every date before it is clear too."""
    american = log(tmp_path, "[5/6/24, 9:00:00] Ana: One", "[5/13/24, 9:00:00] Ana: Two")

    (first, _), _ = read(american)

    assert first.messages[0].at == utc(2024, 5, 6, 9)
    assert "date_order" not in first.messages[0].metadata


def test_a_guess_is_confessed_and_can_be_overruled(tmp_path: Path) -> None:
    """Nothing in the file tells the fifth of June from the sixth of May."""
    file = log(tmp_path, "[5/6/24, 9:00:00] Ana: One")

    (guessed,), _ = read(file)
    (told,), _ = read(file, dates="mdy")

    assert guessed.messages[0].at == utc(2024, 6, 5, 9)
    assert guessed.messages[0].metadata["date_order"] == "dmy, guessed"
    assert told.messages[0].at == utc(2024, 5, 6, 9)


def test_a_day_that_does_not_exist_is_a_problem(tmp_path: Path) -> None:
    """The message says in which line, and the rest is read."""
    file = log(
        tmp_path,
        "[29.02.24, 9:00:00] Ana: leap",
        "[30.02.24, 9:00:00] Ana: too far",
        "[01.03.24, 9:00:00] Ana: spring",
    )

    found, problems = read(file)

    assert [one.messages[0].text for one in found] == ["leap", "spring"]
    assert [one.source.rpartition(", ")[2] for one in problems] == ["line 2"]
    assert "30.02.24" in problems[0].reason


def test_the_last_hour_of_time_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    """Nothing is stored that no calendar can show."""
    file = log(tmp_path, "[24:00] <ana> late", name="9999-12-31.log")

    found, problems = read(file)

    assert found == []
    assert [one.source.rpartition(", ")[2] for one in problems] == ["line 1"]


def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    """With an example of what is expected."""
    file = log(tmp_path, "Once upon a time there was a whale.", "It sang.")

    with pytest.raises(InvalidInput, match=r"lines such as '\[2024-05-08 13:56\] Ada: Hi'"):
        read(file)


def test_a_long_line_is_looked_at_in_no_time(tmp_path: Path) -> None:
    """A pattern that tries every way to cut a word in four would never end here."""
    file = log(tmp_path, "a" * 60_000, "b " * 20_000, "a.b'c" * 10_000)

    assert not Chatlog().sniff(file, Opening().head(file))


@pytest.mark.parametrize(
    ("lines", "known"),
    [
        (["Ana: Hi", "Ben: Hello"], True),
        (["Note: only one line like this", "and prose"], False),
        (["http://a.org: a page"], False),
        ([], False),
    ],
)
def test_a_transcript_is_recognised_by_two_names(
    tmp_path: Path, lines: list[str], known: bool
) -> None:
    """One colon is prose."""
    file = log(tmp_path, *lines)

    assert Chatlog().sniff(file, Opening().head(file)) is known


@pytest.mark.parametrize(
    "lines", [["---", "title: Oslo", "date: 2026-05-10", "---"], ["10:30 - Call: the flat is ours"]]
)
def test_a_note_is_no_log(tmp_path: Path, lines: list[str]) -> None:
    """Its settings look like names, and a diary has clock times; also in a folder."""
    file = log(tmp_path, *lines, name="note.md")

    assert not Chatlog().sniff(file, Opening().head(file))
    assert not Chatlog().sniff(tmp_path, Opening().head(tmp_path))


def test_a_log_in_an_old_encoding_is_read_when_it_is_named(tmp_path: Path) -> None:
    """It is never guessed: the wrong guess would be stored for good."""
    file = tmp_path / "log.txt"
    file.write_bytes("[31.12.23, 22:15:01] Ana: Tromsø".encode("latin-1"))

    with pytest.raises(InvalidInput, match="encoding='latin-1'"):
        read(file)
    (incoming,) = Chatlog(Opening(encoding="latin-1")).read(file)

    assert isinstance(incoming, Incoming)
    assert incoming.messages[0].text == "Tromsø"
