"""Only what users say: the conversation and the evidence shrink together."""

from engram.evals.hearing import user_turns
from engram.evals.roles import Episode, Probe, Session, Turn


def test_what_the_assistant_said_is_neither_heard_nor_evidence() -> None:
    """A question that only the assistant answers is left without evidence, a mute session goes."""
    one = Session("S1", (Turn("1", "I moved."), Turn("2", "Try Lyon.", "assistant")), 5.0)
    two = Session("S2", (Turn("3", "Noted.", "assistant"),), 9.0)
    asked = (
        Probe("a", "?", "", "any", ("1", "2"), ("S1",)),
        Probe("b", "?", "", "any", ("3",), ("S2",)),
    )

    heard = user_turns(Episode("e", (one, two), asked, ("a note",)))

    assert heard.conversation == (Session("S1", one.turns[:1], 5.0),)
    assert heard.questions[0].evidence == ("1",)
    assert heard.questions[0].evidence_sessions == ("S1",)
    assert heard.questions[1].evidence == heard.questions[1].evidence_sessions == ()
    assert heard.notes == ("a note",)
