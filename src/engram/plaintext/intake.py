"""Messages in any usual shape, checked once, at the door."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeAlias, TypedDict

from engram.errors import InvalidInput, brief
from engram.plaintext.roles import Message, Scope
from engram.plaintext.text.times import seconds

Said: TypeAlias = str | Mapping[str, Any] | Message | Sequence[str | Mapping[str, Any] | Message]


class Ids(TypedDict, total=False):
    """The ids of a scope, as every public call takes them."""

    user_id: str | None
    agent_id: str | None
    run_id: str | None
    app_id: str | None


ROLES = ("user", "assistant", "system", "tool", "developer", "function", "human", "ai")
_SAME_ROLE = {"human": "user", "ai": "assistant", "function": "tool", "developer": "system"}
LONGEST_TEXT = 4 * 1024 * 1024  # characters
LONGEST_ID = 256  # characters
_KEYS = (
    "role",
    "content",
    "text",
    "name",
    "time",
    "timestamp",
    "created_at",
    "metadata",
    "expires_at",
)


def messages_of(said: Any, metadata: Mapping[str, Any] | None = None) -> tuple[Message, ...]:
    """Normalise what the caller passed to ``add``.

    Args:
        said: text; a mapping with ``content`` and perhaps ``role``, ``name``, ``time``,
            ``metadata``, ``expires_at``; or a list of these.
        metadata: added to every message; a message's own keys win.

    Raises:
        InvalidInput: some part cannot be used; the message says which.
    """
    shared = checked_metadata(metadata, "metadata")
    if isinstance(said, (str, Mapping, Message)):
        return (_message(said, shared, "the message"),)
    if isinstance(said, (bytes, bytearray)) or not isinstance(said, Sequence):
        raise InvalidInput(
            f"messages must be text, an object with 'content', or a list of these, got "
            f"{type(said).__name__}; decode bytes first"
        )
    return tuple(_message(one, shared, f"message {at}") for at, one in enumerate(said))


def _message(one: Any, shared: Mapping[str, Any], where: str) -> Message:
    if isinstance(one, Message):
        one = _plain(one)
    if isinstance(one, str):
        return Message(checked_text(one, where), metadata=shared)
    if not isinstance(one, Mapping):
        raise InvalidInput(f"{where} must be text or an object with 'content', got {brief(one)}")
    unknown = [key for key in one if key not in _KEYS]
    if unknown and "content" not in one and "text" not in one:
        raise InvalidInput(f"{where} needs 'content', got only {brief(list(one))}")
    own = checked_metadata(one.get("metadata"), f"metadata of {where}")
    rest = {key: one[key] for key in unknown}
    time = next(
        (one[k] for k in ("time", "timestamp", "created_at") if one.get(k) is not None), None
    )
    expires = one.get("expires_at")
    return Message(
        text=checked_text(_content(one, where), where),
        role=_role(one.get("role", "user"), where),
        name=identifier(one.get("name"), f"name in {where}"),
        at=None if time is None else seconds(time, f"time in {where}"),
        metadata={**shared, **checked_metadata(rest, where), **own},
        expires_at=None if expires is None else seconds(expires, f"expires_at in {where}"),
    )


def _plain(message: Message) -> dict[str, Any]:
    """A message made elsewhere, as what everybody else passes: nothing is taken on trust."""
    return {
        "content": message.text,
        "role": message.role,
        "name": message.name or None,
        "time": message.at,
        "metadata": message.metadata,
        "expires_at": message.expires_at,
    }


def _content(one: Mapping[str, Any], where: str) -> Any:
    content = one.get("content", one.get("text"))
    if isinstance(content, Sequence) and not isinstance(content, (str, bytes)):
        # The chat formats allow a list of parts; the text parts are the message.
        parts = [p.get("text") if isinstance(p, Mapping) else p for p in content]
        if not all(isinstance(part, str) or part is None for part in parts):
            raise InvalidInput(
                f"{where}: every part of 'content' must hold text, got {brief(content)}"
            )
        return "\n".join(part for part in parts if part)
    return content


def _role(role: Any, where: str) -> str:
    if not isinstance(role, str) or role.lower() not in ROLES:
        raise InvalidInput(f"role in {where} must be one of {', '.join(ROLES)}, got {brief(role)}")
    return _SAME_ROLE.get(role.lower(), role.lower())


def checked_text(text: Any, where: str) -> str:
    """The text itself, when it can be stored.

    Raises:
        InvalidInput: it is no text, blank, too long, or not encodable as UTF-8.
    """
    if not isinstance(text, str):
        raise InvalidInput(f"{where} must be text, got {type(text).__name__}; decode or format it")
    if not text.strip():
        raise InvalidInput(f"{where} must not be blank, got {text!r:.20}")
    if len(text) > LONGEST_TEXT:
        raise InvalidInput(
            f"{where} may hold {LONGEST_TEXT} characters, got {len(text)}; split it into parts"
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(
            f"{where} must be valid Unicode, got a lone surrogate at {error.start}; "
            "decode it with errors='replace'"
        ) from None
    return text


def checked_note(note: Any, what: str) -> str:
    """Who or why, as a commit keeps it; may be empty.

    Raises:
        InvalidInput: it is no text, too long, or not encodable as UTF-8.
    """
    return "" if isinstance(note, str) and not note else checked_text(note, what)


def checked_path(path: Any) -> Path:
    """A path of this machine, with ``~`` for the home folder.

    Raises:
        InvalidInput: nothing can have that path.
    """
    try:
        found = Path(path).expanduser()
        if "\0" not in str(found).encode().decode():
            return found
    except (TypeError, ValueError, RuntimeError) as error:
        raise InvalidInput(f"a path must name a file, got {brief(path)} ({error})") from None
    raise InvalidInput(f"a path must name a file, got {brief(path)}")


def checked_metadata(metadata: Any, where: str) -> dict[str, Any]:
    """A copy of the caller's metadata that JSON gives back unchanged.

    Raises:
        InvalidInput: it is not an object of JSON values with text keys.
    """
    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping):
        raise InvalidInput(f"{where} must be an object, got {brief(metadata)}")
    plain = {key: _isoformat(value) for key, value in metadata.items()}
    try:
        text = json.dumps(plain, allow_nan=False, ensure_ascii=False)
        text.encode()
        copy: dict[str, Any] = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{where} must hold JSON values, got {error}") from None
    if copy != plain:
        raise InvalidInput(f"{where} must come back from JSON unchanged; use text keys and lists")
    return copy


def _isoformat(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (datetime, date)) else value


def identifier(value: Any, what: str) -> str | None:
    """An id as text, trimmed; None stays None.

    Raises:
        InvalidInput: it is not text or a number, blank, too long or holds control characters.
    """
    if value is None:
        return None
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        raise InvalidInput(f"{what} must be text or a whole number, got {brief(value)}")
    if isinstance(value, int) and value.bit_length() > LONGEST_ID:
        raise InvalidInput(f"{what} may have {LONGEST_ID} bits, got {value.bit_length()}")
    text = str(value).strip()
    if not text or len(text) > LONGEST_ID:
        raise InvalidInput(f"{what} must have 1 to {LONGEST_ID} characters, got {text!r:.40}")
    if any(ord(char) < 32 or 0xD800 <= ord(char) <= 0xDFFF for char in text):
        raise InvalidInput(f"{what} must hold no control characters, got {text!r:.40}")
    return text


def scope_of(
    *,
    user_id: object = None,
    agent_id: object = None,
    run_id: object = None,
    app_id: object = None,
) -> Scope:
    """The scope that the ids name; without a user it is the user ``default``."""
    return Scope(
        user=identifier(user_id, "user_id") or "default",
        agent=identifier(agent_id, "agent_id"),
        run=identifier(run_id, "run_id"),
        app=identifier(app_id, "app_id"),
    )
