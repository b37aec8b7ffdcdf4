"""A secret leaves the message before it is stored, and is kept where only its caption is found.

Source: Wang and Chen 2025, MIRIX, arXiv:2507.07957, section 3, the Knowledge Vault: entry type,
    source, sensitivity, secret value and caption.
Differs: rules over shapes, the words around and the variety of signs find secrets, before a record
    exists and not after it was stored. The value is encrypted, where the paper keeps it as text
    behind access control. In its place stands a mark that differs for two secrets. What a system
    prompt or a quarantined message gives away is taken out and kept nowhere.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
        caption: characters of a caption; the secret's sentence without the secret.
    """

    caption: int = 200

    def __post_init__(self) -> None:
        """Say at once, and not at the first secret, that something is not installed."""
        ready()

    def seal(self, message: Message) -> tuple[Message, Sequence[Candidate]]:
        """The message with a mark for each secret, and a candidate with what it stands for."""
        found = secrets(message.text)
        clean, hidden = _cleared(message.metadata, [message.text[s.start : s.end] for s in found])
        if not found:
            return (message if not hidden else replace(message, metadata=clean)), ()
        text, candidates, last = "", [], 0
        for each in found:
            text += message.text[last : each.start]
            candidate = self._kept(message, each, found, len(text))
            candidates.append(candidate)
            text += _mark(candidate)
            last = each.end
        return replace(message, text=text + message.text[last:], metadata=clean), candidates

    def _kept(
        self, message: Message, secret: Secret, found: Sequence[Secret], start: int
    ) -> Candidate:
        caption = f"{secret.entry_type}: {_without(message.text, secret, found)}"[: self.caption]
        fields = {
            "entry_type": secret.entry_type,
            "sensitivity": secret.sensitivity,
            "caption": caption,
            "value": cipher(make=True).seal(message.text[secret.start : secret.end], caption),
        }
        if message.name:
            fields["speaker"] = message.name
        kept = Candidate(KIND, caption, start, start, fields, method="vault")
        return replace(kept, end=start + len(_mark(kept)))


def _mark(candidate: Candidate) -> str:
    """What stands in place of a secret; the digits follow from what only the key could write."""
    digits = hashlib.sha256(candidate.fields["value"].encode()).hexdigest()[:8]
    return f"[sealed {candidate.fields['entry_type']} {digits}]"


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


def _cleared(value: Any, known: Sequence[str]) -> tuple[Any, bool]:
    """Metadata without its secrets, which are kept nowhere, and whether it held any."""
    if isinstance(value, Mapping):
        pairs = {key: _entry(key, each, known) for key, each in value.items()}
        return {key: each for key, (each, _) in pairs.items()}, any(h for _, h in pairs.values())
    if isinstance(value, list):
        items = [_cleared(each, known) for each in value]
        return [each for each, _ in items], any(hidden for _, hidden in items)
    if not isinstance(value, str):
        return value, False
    clean = value
    for secret in (s for s in known if len(s) >= _SHORTEST):
        clean = clean.replace(secret, "[sealed]")
    for each in reversed(secrets(clean)):
        clean = clean[: each.start] + "[sealed]" + clean[each.end :]
    return clean, clean != value


def _entry(key: str, value: Any, known: Sequence[str]) -> tuple[Any, bool]:
    """One entry of an object: its key may tell that the value is a secret."""
    if isinstance(value, (str, int)):
        found = secrets(f"{key}: {value}")
        # Counts of tokens are no tokens.
        if any(isinstance(value, str) or each.entry_type != "token" for each in found):
            return "[sealed]", True
    return _cleared(value, known)
