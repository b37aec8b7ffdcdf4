"""Of a dialogue the last turn of the user is searched for."""

from engram import Memory


def test_the_last_turn_of_the_user_is_the_topic() -> None:
    """With its rare words once more; a plain query stays as it is."""
    with Memory.open(":memory:", preset="mirix", embedder="none") as memory:
        memory.add(["The kayak is red.", "The house is old."])
        talk = "user: How is the house?\nassistant: Old.\nuser: Where is the kayak?"

        topic = memory.search(talk, explain=True)["query"]["content"]
        plain = memory.search("Where is the kayak?", explain=True)["query"]["content"]

    assert topic == "Where is the kayak? kayak"
    assert plain == "Where is the kayak?"
