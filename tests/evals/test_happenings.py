"""What sentences about people, rooms and things leave true."""

from engram.evals.happenings import before, witnessed


def test_a_thing_is_where_its_carrier_is_until_it_is_put_down() -> None:
    """And stays where it was put when its carrier goes on."""
    told = [
        "Ruth went to the attic.",
        "Ruth picked up the lamp there.",
        "Ruth travelled to the cellar.",
        "Ruth put down the lamp.",
        "Ruth journeyed to the garden.",
    ]

    assert witnessed(told[:3]).where("lamp") == ("cellar",)
    assert witnessed(told).where("lamp") == ("cellar",)
    assert witnessed(told).where("Ruth") == ("garden",)
    assert witnessed(told).trail["lamp"] == ["attic", "cellar"]


def test_a_gift_changes_who_carries_and_is_remembered() -> None:
    """The thing is then where the taker is."""
    world = witnessed(
        ["Max is in the cellar.", "Ruth got the lamp.", "Ruth handed the lamp to Max there."]
    )

    assert world.carrier("lamp") == "Max"
    assert world.held["Ruth"] == []
    assert world.where("lamp") == ("cellar",)
    assert world.gifts == [("Ruth", "lamp", "Max")]


def test_who_is_not_named_is_who_was_named_last() -> None:
    """One person or several."""
    world = witnessed(
        ["Ruth and Max went to the attic.", "Following that they moved to the cellar."]
    )

    assert world.where("Ruth") == world.where("Max") == ("cellar",)


def test_what_is_denied_or_open_is_no_place() -> None:
    """Two rooms may be; a room may be ruled out until somebody walks again."""
    told = ["Ruth is either in the attic or the cellar.", "Max is not in the attic."]

    assert witnessed(told).where("Ruth") == ("attic", "cellar")
    assert witnessed(told).where("Max") == ()
    assert witnessed(told).absent["Max"] == {"attic"}
    assert "Max" not in witnessed([*told, "Max went to the attic."]).absent


def test_the_part_of_the_day_orders_what_is_told_in_any_order() -> None:
    """Yesterday comes before this morning, wherever it stands in the sentence."""
    world = witnessed(["Ruth went to the attic this morning.", "Yesterday Ruth went to the hall."])

    assert before(world, "Ruth", "attic") == "hall"
    assert before(world, "Ruth", "hall") == ""
    assert before(world, "Nobody", "hall") == ""


def test_other_sentences_are_passed_over() -> None:
    """Nothing is known after them."""
    world = witnessed(["", "It rains.", "The box is red.", "Somebody left."])

    assert (world.places, world.held, world.gifts) == ({}, {}, [])
