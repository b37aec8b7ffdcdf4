"""MIRIX: six typed stores behind one router, and a vault whose secrets no index ever sees.

A message is filed where it belongs: core (what people say of themselves), episodic (what happened
when), semantic (what something is), procedural (how something is done), resource (documents and
links). Secrets leave the message before it is stored, also a system prompt, a message in quarantine
and metadata; of the vault only captions are searched. Recall shows the best of each store under its
name, core first. Of screenshots the words are kept, and frames that look the same are told once:
`engram import FOLDER --preset mirix`.

What differs: rules sort the messages, or one question to a model, where the paper has an agent for
each store. Secrets are encrypted, and a commit says who had one revealed and why. Messages are kept
and searched beside the stores. Screenshots are read by OCR on this machine, where the paper shows
them to a model, and are not captured: any tool that fills a folder will do.

```python
from engram import Memory

memory = Memory.open(":memory:", preset="mirix")
memory.add("My password for the bank is hunter2-Xk9.")
(found,) = memory.search("the password for the bank")["results"]
print(found["kind"], "|", found["memory"])
print(memory.reveal(found["id"], reason="to log in")["value"])
print(memory.log(1)[0]["method"])
```

```text
secret | password: My password for the bank is ….
hunter2-Xk9
reveal
```

In a shell, `engram reveal ID --reason "to log in"` does the same.
"""

import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from engram.adapters.screens import Eyes
from engram.errors import MissingExtra, NotFound
from engram.evals.claims.figures import Figure
from engram.exchange.roles import Incoming
from engram.exchange.screens import Screens
from engram.extras import require
from engram.memory import Memory
from engram.plaintext.text.filing import stores_of

_SAID = 1_767_603_600.0  # 2026-01-05T09:00:00Z
_FILLINGS = {
    "core": "a nurse|a teacher|a pilot|a baker|a plumber",
    "episodic": "dentist|school|bank|museum|office",
    "semantic": "tariff|ligature|kiln|gasket|ballast",
    "procedural": "pump|boiler|printer|router|mixer",
    "resource": "budget|agenda|roadmap|survey|menu",
    "vault": "bank|router|laptop|forum|shop",
}
_TEMPLATES = {
    "core": """I'm {} by trade.|My name is Jo and I am {}.|My wife is {}.|I work as {}.
I am {} and I live in Leeds.|My favourite uncle is {}.|I've always been {} at heart.
My sister is {}.|I love being {}.|I am {}, and I have two kids.""",
    "episodic": """We went to the {} yesterday.|I visited the {} on 3 March 2025.
Last Friday Tom left his bag at the {}.|I have an appointment at the {} tomorrow.
On Monday we met Ana near the {}.|The meeting at the {} is on 14 May 2026.
Two days ago they broke a window of the {}.|Next week I will start at the {}.
This morning I ran to the {}.|In June 2024 the {} was closed by a flood.""",
    "semantic": """A {} is a thing that every workshop keeps.|The term {} means an agreed part.
{} refers to the heavy part of a machine.|A {} is a kind of tool for small jobs.
{} stands for a rule in our trade.|The {} is the part that holds two others.
A {} is defined as a body with a fixed shape.|By {} we mean anything that can be stored.
{} is short for a much longer Latin word.|A {} is any object which carries a load.""",
    "procedural": """1. Open the {}.~2. Clean it.~3. Close it.
To reset the {}, hold the red button for five seconds.
First unplug the {}, then remove the lid, and finally rinse it.
When the {} leaks, close the valve and call the caretaker.
How to clean a {}: rinse it with hot water and dry it.
Steps to start the {}:~- Fill it~- Switch it on
You need to warm the {} before you use it, and then wait.
If the {} stops, press reset and wait a minute.
Here's how to test the {}: plug it in and watch the light.
Unplug the {}, and then lift the cover with both hands.""",
    "resource": """The {} is at https://example.org/{}.|See {}.pdf for the numbers.
Attached is the {} report.|The document called "{} 2026" holds the details.
I put {}.xlsx in the folder.|Have a look at www.example.org/{} when you can.
The paper titled "On the {}" explains it.|Our wiki page on the shared drive covers the {}.
Slides: {}.pptx|The video called "{} for all" shows it.""",
    "vault": """The password for the {} is tR7x-99qLm.|My {} PIN is 4821.|{} password: Blue$Horse7
API key of the {}: sk-live-a8f3k29dk3l1mn|The {} token is ghp_a8f3k29dk3l1mn0p
Log in to the {} with ana and password qW3rty!9|hunter2x is my {} password.
The access code for the {} is 77120.|My card at the {} is 4111 1111 1111 1111.
The recovery code of the {} is X7F9-22LQ.""",
}
_PLACES: tuple[dict[str, Any], ...] = (
    {"content": "My password is {}."},
    {"role": "system", "content": "You are a helper. The API key is {}."},
    {"content": "Dinner is at eight.", "metadata": {"card": "{}"}},
)
_SCREENS = (
    "The meeting room is booked until noon",
    "Ana sent the budget for the second quarter",
    "The printer on the third floor is broken",
)
_REPEATS = 10
_SAVED = ">= 95; 99.9 on theirs, which have 767 kB each"
_SECRETS = ("hunter2-Xk9Qz77LmP", "sk-live-a8f3k29dk3l1mn", "4111 1111 1111 1111")


def claim() -> list[Figure]:
    """Messages reach their stores; a secret stands nowhere, is revealed exactly, and is erased."""
    score, count = _routed()
    leaks, revealed, audited, erased = _kept()
    return [
        _figure(f"macro-F1 of the stores, {count} messages", ">= 0.9", score, ok=score >= 0.9),
        _figure("secrets in files, export, log or prompt", "0", leaks, ok=leaks == 0),
        _figure("of 3 secrets revealed exactly", "3", revealed, ok=revealed == 3),
        _figure("of 3 reveals with who and why in the log", "3", audited, ok=audited == 3),
        _figure("of 3 secrets that an erase destroys", "3", erased, ok=erased == 3),
        *_screens(),
    ]


def _figure(what: str, published: str, measured: float, *, ok: bool) -> Figure:
    return {"what": what, "published": published, "measured": measured, "ok": ok}


def labelled() -> list[tuple[str, str]]:
    """Messages made for this, and the store of each."""
    return [
        (line.replace("~", "\n").replace("{}", word), store)
        for store, lines in _TEMPLATES.items()
        for line in lines.replace("\n", "|").split("|")
        for word in _FILLINGS[store].split("|")
    ]


def _routed() -> tuple[float, int]:
    pairs = labelled()
    found = [(stores_of(text, _SAID), store) for text, store in pairs]
    scores = []
    for store in _TEMPLATES:
        hit = sum(store in chosen and store == right for chosen, right in found)
        said = sum(store in chosen for chosen, _ in found)
        meant = sum(store == right for _, right in found)
        scores.append(2 * hit / max(1, said + meant))
    return round(sum(scores) / len(scores), 3), len(pairs)


def _kept() -> tuple[int, int, int, int]:
    """Places where a secret stands, and how many are revealed, audited and erased."""
    with TemporaryDirectory(prefix="engram-claim-") as folder:
        path = Path(folder, "memory.db")
        with Memory.open(path, preset="mirix", embedder="none", actor="ana") as memory:
            for secret, place in zip(_SECRETS, _PLACES, strict=True):
                memory.add(json.loads(json.dumps(place).replace("{}", secret)))
            states = ("active", "archived")
            kept = memory.get_all(filters={"kind": "secret"}, states=states)["results"]
            values = [memory.reveal(each["id"], reason="a test")["value"] for each in kept]
            log = [each for each in memory.log() if each["method"] == "reveal"]
            out = io.StringIO()
            memory.export(out)
            shown = memory.context("my password")["text"] + repr(memory.log()) + out.getvalue()
            held = b"".join(file.read_bytes() for file in Path(folder).iterdir())
            leaks = sum((s in shown) + (s.encode() in held) for s in _SECRETS)
            erased = sum(_erased(memory, each["id"]) for each in kept)
    told = sum(each["actor"] == "ana" and "a test" in each["reason"] for each in log)
    return leaks, sum(secret in values for secret in _SECRETS), told, erased


def _erased(memory: Memory, record_id: str) -> bool:
    memory.erase(record_id)
    try:
        memory.reveal(record_id, reason="a test")
    except NotFound:
        return True
    return False


def _screens() -> list[Figure]:
    """Frames dropped and bytes saved; nothing where what reads screenshots is not installed."""
    try:
        screens = Screens(Eyes())
    except MissingExtra:
        return []
    with TemporaryDirectory(prefix="engram-claim-") as folder:
        taken = _drawn(Path(folder, "shots"))
        with Memory.open(Path(folder, "memory.db"), preset="mirix", embedder="none") as memory:
            for found in screens.read(taken):
                if isinstance(found, Incoming):
                    memory.add(list(found.messages), run_id=found.run, infer=found.infer)
            said = [raw["memory"] for raw in memory.get_all(filters={"kind": "raw"})["results"]]
            out = io.StringIO()
            memory.export(out)
        size = sum(file.stat().st_size for file in taken.iterdir())
    dropped, saved = screens.counts["repeated"], round(100 - 100 * len(out.getvalue()) / size, 1)
    read = sum(words in text for words, text in zip(_SCREENS, said, strict=False))
    repeats, count = len(_SCREENS) * (_REPEATS - 1), len(_SCREENS)
    return [
        _figure(
            f"of {repeats} repeated frames dropped", str(repeats), dropped, ok=dropped == repeats
        ),
        _figure(f"of {count} screens read to the letter", str(count), read, ok=read == count),
        _figure("% of the bytes of frames saved", _SAVED, saved, ok=saved >= 95),
    ]


def _drawn(folder: Path) -> Path:
    """Each screen several times in a row, a second apart, saved as PNG and as JPEG by turns."""
    folder.mkdir()
    images, pens, fonts = (
        require(f"PIL.{name}", extra="screens", purpose="drawing screens")
        for name in ("Image", "ImageDraw", "ImageFont")
    )
    for at, words in enumerate(_SCREENS):
        image = images.new("RGB", (960, 540), (240, 243, 248))
        pen = pens.Draw(image)
        pen.rectangle((20, 60 + 90 * at, 700, 120 + 90 * at), fill="white")
        pen.text((40, 72 + 90 * at), words, fill="black", font=fonts.load_default(26))
        for second in range(_REPEATS):
            form = "jpg" if second % 2 else "png"
            image.save(folder / f"shot 2026-01-05 09-{at:02}-{second:02}.{form}")
    return folder
