"""What a cache was asked to be, and the policies that come of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from engram import catalogue
from engram.activation.policies import Policies
from engram.activation.positions import Position
from engram.activation.roles import Place
from engram.errors import InvalidInput, brief


@dataclass(frozen=True, slots=True)
class Settings:
    """What a cache was asked to be.

    Attributes:
        preset: keys of the room ``activation``, joined by ``+``.
        budget: what a head keeps in the mean: tokens (int), or a share of those seen (float).
        position: where entries are shown; None is what the preset's paper does.
        slack: entries below the budget that eviction goes down to after a few tokens, so that it
            comes more seldom; None is a sixteenth of it.
        parts: settings of methods that differ from the preset's, by role: ``{"codec":
            {"bits_keys": 4, "bits_values": 4}}``.
        per_layer: number of the layer of full attention -> what differs there: the names above. A
            layer with a preset of its own takes over nothing but the slack.
    """

    preset: str = "full"
    budget: int | float | None = None
    position: Position | None = None
    slack: int | None = None
    parts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    per_layer: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    def policies(self, place: Place) -> Policies:
        """The policies of one layer.

        Raises:
            InvalidInput: the settings do not go together.
            UnknownMethod: a preset is not known.
        """
        own = self.per_layer.get(place.layer, {})
        wrong = set(own) - {"preset", "budget", "position", "slack", "parts"}
        if wrong:
            raise InvalidInput(
                f"a layer may differ in preset, budget, position, slack and parts, got "
                f"{sorted(wrong)!r}"
            )
        inherited = Settings(slack=self.slack) if "preset" in own else self
        return _policies(replace(inherited, **own))


def _policies(settings: Settings) -> Policies:
    parts: dict[str, Any] = {}
    named: dict[str, str] = {}
    common = catalogue.whole(catalogue.find("full", "activation"))
    if not isinstance(settings.preset, str):
        raise InvalidInput(
            f"preset must be keys joined by '+', got {brief(settings.preset)}; "
            "'engram list --room activation' shows them"
        )
    for key in settings.preset.split("+"):
        row = catalogue.find(key.strip(), "activation")
        if not row.parts:
            raise InvalidInput(
                f"{row.key!r} is no policy of a cache; 'engram show {row.key}' tells what it is"
            )
        for role, part in catalogue.whole(row).items():
            if common.get(role) == part:
                continue
            if role in parts and parts[role] != part:
                raise InvalidInput(
                    f"presets joined by '+' must differ in their parts, got two for {role!r} in "
                    f"{settings.preset!r}, of {named[role]!r} and {key!r}; name one of them"
                )
            parts[role], named[role] = part, key
    parts = {**common, **parts}
    unknown = settings.parts.keys() - parts.keys()
    if unknown:
        raise InvalidInput(
            f"parts must be of the roles of {settings.preset!r}, {', '.join(sorted(parts))}, got "
            f"{sorted(unknown)!r}"
        )
    made = {role: _built(part, settings.parts.get(role, {})) for role, part in parts.items()}
    position: Position = getattr(made.get("scorer"), "position", "absolute")
    if "selector" in made:
        position = made["selector"].n_local
    _check_budget(settings, made)
    return Policies(
        keep=settings.budget, slack=settings.slack, position=settings.position or position, **made
    )


def _built(part: Any, differs: Mapping[str, Any]) -> Any:
    """A method with the settings of its row, and those that differ."""
    row = {"use": part} if isinstance(part, str) else part
    try:
        return catalogue.build({**row, **differs})
    except TypeError as fault:
        raise InvalidInput(f"settings must be those of {row['use']!r}, got {differs!r}") from fault


def _check_budget(settings: Settings, made: Mapping[str, Any]) -> None:
    drops = "scorer" in made
    if "selector" in made and settings.budget is not None:
        raise InvalidInput(
            f"the preset {settings.preset!r} keeps every entry, far ones elsewhere, got "
            f"budget={settings.budget!r}; settings of its selector say what is near and what is "
            f"looked at: parts={{'selector': {{'n_local': ..., 'topk': ...}}}}"
        )
    if drops and settings.budget is None:
        raise InvalidInput(
            f"the preset {settings.preset!r} drops entries and needs a budget, got None; pass "
            f"tokens kept, such as budget=1024, or a share, such as budget=0.25"
        )
    if not drops and settings.budget is not None:
        raise InvalidInput(
            f"the preset {settings.preset!r} keeps every entry, got budget={settings.budget!r}; "
            f"join it to one that drops some: {settings.preset + '+snapkv'!r}"
        )
