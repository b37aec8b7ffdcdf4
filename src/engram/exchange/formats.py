"""The formats that can be read, and how one is recognised."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path

from engram.errors import InvalidInput, UnknownMethod
from engram.exchange.chatgpt import ChatGPT
from engram.exchange.chatlog import Chatlog
from engram.exchange.claude import Claude
from engram.exchange.files import Opening
from engram.exchange.jsonl import Jsonl
from engram.exchange.markdown import Markdown
from engram.exchange.mcp_memory import McpMemory
from engram.exchange.mem0 import Mem0
from engram.exchange.roles import Reader
from engram.exchange.slack import Slack
from engram.exchange.telegram import Telegram

READERS: Mapping[str, Callable[[Opening], Reader]] = {
    "chatgpt": ChatGPT,
    "claude": Claude,
    "mem0": Mem0,
    "mcp-memory": McpMemory,
    "telegram": Telegram,
    "slack": Slack,
    "jsonl": Jsonl,
    "chatlog": Chatlog,
    "markdown": Markdown,
}
"""Name and reader, those with the surest marks first: the first that knows a file reads it."""

_OPENING = Opening()


def reader(name: str, opening: Opening = _OPENING) -> Reader:
    """The reader of a format.

    Raises:
        UnknownMethod: no format has that name; the message names the nearest.
    """
    make = READERS.get(name)
    if make is None:
        near = get_close_matches(name, READERS, n=1)
        hint = f"nearest: {near[0]}" if near else f"there are: {', '.join(READERS)}"
        raise UnknownMethod(f"no format is called {name!r}; {hint}")
    return make(opening)


def detect(path: Path, opening: Opening = _OPENING) -> Reader:
    """The reader that knows the file, folder or archive.

    Raises:
        InvalidInput: none does, or nothing readable is there.
    """
    head = opening.head(path)
    for make in READERS.values():
        if (known := make(opening)).sniff(path, head):
            return known
    raise InvalidInput(
        f"an import must be in one of the formats {', '.join(READERS)}, {str(path)!r} looks like "
        "none of them; name the format if it is one"
    )
