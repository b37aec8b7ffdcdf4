"""What is asked of the conversation: one row a question, with the line that answers it."""

from typing import NamedTuple


class Question(NamedTuple):
    """One question.

    Attributes:
        text: as it is asked.
        fragment: what the answering line says, word for word; "" where no line answers.
        run_id: the chat of that line.
        time: when it was said, ISO 8601.
        staged: whether the play asks it aloud.
    """

    text: str
    fragment: str
    run_id: str = ""
    time: str = ""
    staged: bool = False

    @property
    def answerable(self) -> bool:
        """Whether the conversation holds the answer."""
        return bool(self.fragment)


QUESTIONS: tuple[Question, ...] = (
    Question(
        "What is the name of Ben's sourdough starter?",
        "Clint Yeastwood",
        "chat-02",
        "2026-01-10T09:13:20Z",
        staged=True,
    ),
    Question(
        "What did the hydrophone off Andøya pick up?",
        "a blue whale",
        "chat-03",
        "2026-01-16T20:47:00Z",
        staged=True,
    ),
    Question(
        "When did Ben finish the West Highland Way?",
        "last Friday",
        "chat-17",
        "2026-06-01T18:44:00Z",
        staged=True,
    ),
    Question("Who repaired Ana's cello?", "Ingrid", "chat-19", "2026-06-15T11:25:34Z", staged=True),
    Question("京都で何を飲みましたか?", "抹茶", "chat-29", "2026-09-21T06:37:11Z", staged=True),
    Question("Where does Ana live?", "I moved to Oslo in May", "chat-15", "2026-05-10T15:30:00Z"),
    Question("Where does Ben work?", "Northlight Maps", "chat-21", "2026-07-09T18:52:17Z"),
    Question(
        "When is Tola's wedding?", "on the 14th, not the 12th", "chat-10", "2026-03-16T18:34:09Z"
    ),
    Question("What is Ana allergic to?", "walnuts", "chat-01", "2026-01-04T17:42:35Z"),
    Question("How many cats does Ana have?", "three cats", "chat-23", "2026-07-26T16:24:51Z"),
    Question("What is Ana's favourite coffee?", "cold brew", "chat-24", "2026-08-09T13:28:41Z"),
    Question("Is Ben a vegetarian?", "pescatarian", "chat-25", "2026-08-16T18:12:00Z"),
    Question(
        "Where is the workshop of the woman who repaired the cello?",
        "Markveien",
        "chat-15",
        "2026-05-10T15:37:21Z",
    ),
    Question("Where does Ana's mother live?", "Porto", "chat-02", "2026-01-10T09:17:54Z"),
    Question(
        "Når har Ana time hos tannlegen?", "onsdag klokka tre", "chat-11", "2026-03-27T12:21:52Z"
    ),
    Question("米苏最喜欢吃什么?", "三文鱼", "chat-26", "2026-08-24T20:25:43Z"),
    Question(
        "What did Ben find for Einar's birthday?", "barometer", "chat-31", "2026-10-07T20:03:46Z"
    ),
    Question("When is Ben's birthday?", "17 April", "chat-13", "2026-04-17T08:02:57Z"),
    Question(
        "Where did Ana put the last hydrophone in?", "Drøbak", "chat-27", "2026-09-01T06:01:33Z"
    ),
    Question(
        "Who is moving into Ben's front room?",
        "moving her workbench to Leith",
        "chat-31",
        "2026-10-07T20:08:41Z",
    ),
    Question("What is Ben's blood type?", "", staged=True),
    Question("Which football team does Ben support?", "", staged=True),
)
"""The two without a fragment have no answer, and a good memory says so."""
