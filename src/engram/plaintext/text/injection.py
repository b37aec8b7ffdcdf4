# ruff: noqa: E501  # a pattern broken in odd places is harder to read than a long line
"""Whether a text speaks to the machine that will read it instead of to a person.

A memory is shown to a language model later, so a stored instruction is an attack that waits. A
table of patterns, each with its reason; a quick look for any of their words comes first. Hidden
characters are removed and base64 is decoded before looking, for that is where such text hides.
"""

import base64
import re
import unicodedata

_TARGET = (
    r"(?:instructions?|prompts?|directives?|guidelines?|guardrails|safety (?:rules|policies|filters)"
    r"|system messages?|programming|training|constraints)"
)
_EARLIER = r"(?:all |any |of |the |these |those |your |my |our |every |other )*"
_PAST = (
    r"(?:previous|prior|preceding|earlier|above|existing|original|initial|former|foregoing|system)"
)
_DROP = r"(?:ignore|disregard|forget|override|overrule|bypass|dismiss|drop|discard|do not follow)"
_SECRET = (
    r"(?:passwords?|credentials?|api[ _-]?keys?|secrets?|tokens?|private keys?|system prompt"
    r"|conversation history|chat history|all (?:the |your )?(?:memories|messages|emails)"
    r"|user(?:'s)? (?:data|memories|emails|messages|files))"
)
_REASONS = (
    (
        "tells the reader to drop its instructions",
        rf"\b{_DROP} {_EARLIER}{_PAST},? (?:and |or )?{_EARLIER}(?:{_PAST} )?{_TARGET}"
        rf"|\b{_DROP} (?:all |any )(?:of )?(?:your |the |these )?(?:previous )?{_TARGET}"
        rf"|\b{_DROP} your (?:\w+ )?{_TARGET}"
        rf"|\b{_DROP} (?:everything|anything|all) (?:that )?(?:you (?:were|have been) told"
        r"|(?:said )?(?:above|before this))\b(?! about)"
        r"|\byour (?:previous |prior )?instructions (?:are|have been) (?:now )?(?:void|cancel|replaced"
        r"|overrid|superseded|updated)|\bnew (?:system )?instructions?:",
    ),
    (
        "gives the reader a new role",
        r"\byou (?:are|will) (?:now|from now on)(?: be)? (?:an? )?(?:\w+ ){0,3}(?:ai\b|assistant"
        r"|model|dan\b|agent|unrestricted|jailbroken|chatbot|bot\b|root|admin mode|developer mode)"
        r"|\b(?:enter|enable|activate|switch to) (?:developer|dan|god|debug|jailbreak|admin) mode\b"
        r"|\bpretend (?:that )?you (?:are|have) (?:an? )?(?:unrestricted|uncensored|no (?:rules"
        r"|restrictions|guidelines|filters))"
        r"|\bact as (?:an? )?(?:unrestricted|uncensored|jailbroken)"
        r"|\b(?:as|dear|attention,?|hey,?) (?:an? )?(?:ai (?:assistant|model|agent)|language model)"
        r"s?,? (?:reading this|you (?:must|should|will|have to)|please|must)"
        r"|\b(?:ai|llm|assistant|language model)s? (?:reading|processing|summari[sz]ing) this\b"
        r"|\bfrom now on,? (?:you (?:must|will|are)|always (?:answer|respond|reply|recommend))",
    ),
    (
        "asks for or prints the system prompt",
        r"\b(?:reveal|print|show|repeat|output|display|leak|dump|tell me|what (?:is|are|was)) (?:me )?"
        r"(?:back )?(?:the |your )*(?:full |entire |exact |hidden |secret |initial |original )*"
        r"(?:system (?:prompt|message|instructions)|hidden (?:prompt|instructions)"
        r"|initial (?:prompt|instructions))"
        r"|\brepeat (?:the words|everything|all text) above\b",
    ),
    (
        "tells the reader to send secrets",
        rf"\b(?:send|post|upload|forward|e-?mail|transmit|exfiltrate|leak|copy|submit) [^.\n]{{0,40}}?"
        rf"{_SECRET}[^.\n]{{0,40}}? (?:to|via|at) (?:https?:|[\w.-]{{1,64}}@|this (?:url|address"
        r"|server|webhook|endpoint)|the (?:following|attacker|webhook|url|server|endpoint)|my server)"
        rf"|\bexfiltrate\b[^.\n]{{0,60}}(?:data|{_SECRET}|to )"
        r"|!\[[^\]\n]{0,40}\]\(https?://[^)\s]{1,200}\?[^)\s]{0,80}(?:=\{|=<|data=|prompt=|secret=)",
    ),
    (
        "tells the reader to keep it from the user",
        r"\b(?:do not|don't|never|without) (?:tell|inform|telling|informing|alert(?:ing)?"
        r"|notify(?:ing)?|mention(?:ing)? (?:this|it|these instructions) to|reveal(?:ing)? this to"
        r"|show(?:ing)? this to) the (?:user|human|operator)\b"
        r"|\b(?:keep|hide) (?:this|these instructions) (?:secret |hidden )?from the (?:user|human)\b",
    ),
    (
        "imitates the markup of a model or a tool",
        r"<\|?(?:im_start|im_end|system|endoftext|eot_id|start_header_id)\|?>"
        r"|</?(?:tool_call|function_call|function_calls|tool_use|invoke|tool_result)\b[^>\n]{0,80}>"
        r"|\[/?(?:inst|system)\]|<</?sys>>"
        r"|\{\s*\"(?:tool|tool_name|function|function_call|tool_calls|recipient_name)\"\s*:"
        r"|(?:^|\n)\s*(?:#{1,4} ?)?(?:system|assistant|developer)(?: (?:message|prompt|note"
        r"|override|instruction))?\s*:\s*\S"
        r"|(?:^|\n)\s*#{2,4} ?(?:system|instructions?|new instructions?)\s*(?:\n|$)"
        r"|\[(?:system|admin|developer) (?:message|override|note|instruction)s?\]",
    ),
    (
        "orders the reader to act in the user's name",
        r"\byou must (?:now |always |immediately )+(?:obey|comply|execute|call|run|send|reply|respond"
        r"|answer|recommend|delete|transfer|ignore)\b"
        r"|\b(?:call|invoke|execute|use) the (?:\w+ )?(?:tool|function|api|plugin) (?:to|with|now)\b"
        r"[^.\n]{0,60}(?:delete|transfer|send|password|wire|all (?:files|records|memories))"
        r"|\bwhen(?:ever)? the (?:user|human) asks\b[^.\n]{0,80}\b(?:always|instead|reply|respond|say"
        r"|recommend)\b"
        r"|\b(?:decode|decrypt) (?:this|the following)[^.\n]{0,70}?"
        r"(?:and|then) (?:follow|execute|obey|run|do what)",
    ),
    (
        "tells the reader to drop its instructions",
        r"(?:ignor(?:iere|ieren sie)|vergiss|missachte) (?:bitte )?(?:alle |deine |die )*(?:vorherigen"
        r"|bisherigen|obigen|früheren) (?:anweisungen|befehle|regeln)"
        r"|(?:ignora|olvida|ignore[zr]?|oublie[zr]?|ignori|dimentica|esqueça) (?:todas |tutte |toutes"
        r" |as |las |les |le |tus |vos |suas )*(?:instrucciones|instructions|istruzioni|instruções)"
        r" (?:anteriores|précédentes|precedenti|previas)"
        r"|(?:忽略|无视|忽視|無視)[^。\n]{0,12}(?:指令|指示|提示|说明)|игнорируй[^.\n]{0,30}инструкц"
        r"|以前の(?:指示|命令)[^。\n]{0,6}無視|이전[^.\n]{0,8}(?:지시|명령)[^.\n]{0,6}무시",
    ),
)
_TABLE = tuple((reason, re.compile(pattern)) for reason, pattern in _REASONS)
_HINT = re.compile(
    r"instruction|prompt|directive|guideline|guardrail|safety |constraint|programming|training"
    r"|you (?:are|will)(?: be)? (?:now|from)|you must |you (?:were|have been) told|mode\b|\bai\b|llm"
    r"|language model|from now on|words above|everything above|all text above|said above|before this"
    r"|send|post|upload|forward|mail|transmit|exfiltrate|leak|copy|submit|!\[|the (?:user|human|operator)|<|\[/?(?:inst|sys"
    r"|admin|dev)|\{\s*\"|system|assistant|developer|#|decode|decrypt|tool|function|\bapi\b|plugin"
    r"|act as|pretend|anweisung|befehle|regeln|instruccion|istruzion|instruç|指|提示|说明|инструкц|이전"
)
_HIDDEN = re.compile("[\u200b\u2060-\u2064\ufeff\u00ad\u180e]")
_TAGS = re.compile("(?<!\U0001f3f4)[\U000e0020-\U000e007e]{4,}")
_REVERSED = re.compile("[\u202d\u202e]")
_MANY_HIDDEN = 8  # a pasted text holds a few by accident
_BASE64 = re.compile(r"[A-Za-z0-9+/]{24,4096}={0,2}")
_TRIES = 8  # stretches that are decoded; a text with more is data


def instruction(text: str) -> str | None:
    """A short reason why the text looks like an instruction to an AI, or None.

    Ordinary talk gives None: "please ignore the typo", "forget about it".
    """
    if not text.isascii():
        if _TAGS.search(text) or _REVERSED.search(text):
            return "hides text in invisible characters"
        shown, removed = _HIDDEN.subn("", text)
        if removed >= _MANY_HIDDEN and removed * 4 > len(shown):
            return "hides text in invisible characters"
        text = unicodedata.normalize("NFKC", shown).replace("\u2019", "'")
    return _plain_reason(text) or _encoded_reason(text)


def _plain_reason(text: str) -> str | None:
    folded = text.lower()
    if not _HINT.search(folded):
        return None
    folded = re.sub(r"[^\S\n]{1,20}", " ", folded)
    return next((reason for reason, pattern in _TABLE if pattern.search(folded)), None)


def _encoded_reason(text: str) -> str | None:
    if len(text) < 24:
        return None
    for tried, found in enumerate(_BASE64.finditer(text)):
        if tried == _TRIES:
            return None
        written = found.group().rstrip("=")
        if len(written) % 4 == 1:
            continue
        decoded = base64.b64decode(written + "=" * (-len(written) % 4))
        if decoded.isascii() and _plain_reason(decoded.decode("ascii")):
            return "hides an instruction in base64"
    return None
