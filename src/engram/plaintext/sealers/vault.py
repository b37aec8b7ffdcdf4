"""A secret leaves the message before it is stored, and is kept where only its caption is found.

Source: Wang and Chen 2025, MIRIX, arXiv:2507.07957, section 3, the Knowledge Vault: entry type,
    source, sensitivity, secret value and caption.
Differs: rules over shapes, the words around and the variety of signs find secrets, before a record
    exists and not after it was stored; in the text, in metadata and in the keys of metadata. The
    value is encrypted, where the paper keeps it as text behind access control. In its place stands
    a mark that differs for two secrets.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engram.plaintext.cipher import cipher, ready
from engram.plaintext.roles import Candidate, Message
from engram.plaintext.text.secrets import Secret, secrets
from engram.plaintext.text.sentences import sentences

KIND = "secret"
_SHORTEST = 4  # characters of a secret that is looked for elsewhere in the message


@dataclass(frozen=True, slots=True)
class Vault:
    """Seals passwords, keys, tokens, codes and the numbers of cards.

    Attributes:
        caption: characters of a caption; the secret's sentence without the secret, or where it
            stands in the metadata.
    """

    caption: int = 200

    def __post_init__(self) -> None:
        """Say at once, and not at the first secret, that something is not installed."""
        ready()

    def seal(self, message: Message) -> tuple[Message, Sequence[Candidate]]:
        """The message with a mark for each secret, and a candidate with what it stands for."""
        taken = _Taken(self.caption, message.name)
        text = taken.text(message.text)
        metadata = taken.metadata(message.metadata, len(text))
        if not taken.kept:
            return message, []
        return replace(message, text=text, metadata=metadata), taken.kept


@dataclass(slots=True)
class _Taken:
    """What is taken out of one message; ``marks`` says what stands in place of a secret."""

    caption: int
    speaker: str | None
    kept: list[Candidate] = field(default_factory=list)
    marks: dict[str, str] = field(default_factory=dict)

    def text(self, text: str) -> str:
        """The text with its marks, which are the evidence of what is kept."""
        found, sealed, last = secrets(text), "", 0
        for each in found:
            sealed += text[last : each.start]
            caption = f"{each.entry_type}: {_without(text, each, found)}"
            mark = self._keep(each, text[each.start : each.end], caption, len(sealed))
            self.kept[-1] = replace(self.kept[-1], end=len(sealed) + len(mark))
            sealed, last = sealed + mark, each.end
        return sealed + text[last:]

    def metadata(self, value: Any, length: int, path: tuple[str, ...] = ()) -> Any:
        """Metadata with its marks; what is kept of it rests on the ``length`` of the text."""
        if isinstance(value, Mapping):
            return {
                self._words(key, (*path, f"key {at}"), length): self.metadata(
                    each, length, (*path, key)
                )
                for at, (key, each) in enumerate(value.items(), 1)
            }
        if isinstance(value, list):
            return [self.metadata(each, length, path) for each in value]
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            return value
        sealed = self._words(str(value), path, length)
        if sealed != str(value):
            return sealed
        named = _named(path, value)
        return value if named is None else self._noted(named, str(value), path, length)

    def _words(self, text: str, path: tuple[str, ...], length: int) -> str:
        """One text of the metadata: what the message gave away before, then what is new."""
        for secret, mark in self.marks.items():
            if len(secret) >= _SHORTEST:
                text = text.replace(secret, mark)
        found = secrets(text)
        for each in reversed(found):
            around = _without(text, each, found)
            mark = self._noted(each, text[each.start : each.end], path, length, around)
            text = text[: each.start] + mark + text[each.end :]
        return text

    def _noted(
        self, found: Secret, value: str, path: tuple[str, ...], length: int, around: str = "…"
    ) -> str:
        """Keep a secret of the metadata; the same one is kept once."""
        if value in self.marks:
            return self.marks[value]
        where = self._shown(path)
        caption = f"{found.entry_type}: {where}" + (f": {around}" if around != "…" else "")
        mark = self._keep(found, value, caption, 0)
        self.kept[-1] = replace(self.kept[-1], end=length)
        return mark

    def _shown(self, path: tuple[str, ...]) -> str:
        """Where in the metadata, without a secret that is part of a key."""
        where = ".".join(path)
        for secret, mark in self.marks.items():
            where = where.replace(secret, mark)
        return where

    def _keep(self, found: Secret, value: str, caption: str, start: int) -> str:
        """Encrypt a value under a caption that no other secret at this place has."""
        caption, others = caption[: self.caption], {(each.text, each.start) for each in self.kept}
        base, number = caption, 1
        while (caption, start) in others:
            number += 1
            caption = f"{base} ({number})"
        fields = {
            "entry_type": found.entry_type,
            "sensitivity": found.sensitivity,
            "caption": caption,
            "value": cipher(make=True).seal(value, caption),
        }
        if self.speaker:
            fields["speaker"] = self.speaker
        self.kept.append(Candidate(KIND, caption, start, start, fields, method="vault"))
        # Its digits follow from what only the key could write.
        digits = hashlib.sha256(fields["value"].encode()).hexdigest()[:8]
        mark = f"[sealed {found.entry_type} {digits}]"
        self.marks.setdefault(value, mark)
        return mark


def _without(text: str, secret: Secret, found: Sequence[Secret]) -> str:
    """The sentence around a secret on one line, with an ellipsis for every secret in it."""
    start, end = secret.start, secret.end
    for span in sentences(text):
        if span.start < secret.end and secret.start < span.end:
            start, end = min(start, span.start), max(end, span.end)
    said, last = "", start
    for each in found:
        if each.end > start and each.start < end:
            said += text[last : max(last, each.start)] + "…"
            last = min(each.end, end)
    return " ".join((said + text[last:end]).split())


def _named(path: Sequence[str], value: str | int) -> Secret | None:
    """The value itself, where the keys that lead to it say that it is a secret."""
    keys = f"{' '.join(path)}: "
    for each in secrets(f"{keys}{value}"):
        # Counts of tokens are no tokens.
        if each.end > len(keys) and (isinstance(value, str) or each.entry_type != "token"):
            return each
    return None
