"""Every preset of plaintext memory keeps the laws of the house."""

from pathlib import Path

import pytest

from engram import catalogue
from engram.testing import presets as law

every_preset = pytest.mark.parametrize(
    "preset", [row.key for row in catalogue.ROWS if row.room == "plaintext"]
)


@every_preset
def test_a_preset_replays(preset: str) -> None:
    """The store is what its log says."""
    law.replays(preset)


@every_preset
def test_a_preset_isolates(preset: str) -> None:
    """A user sees nothing of another."""
    law.isolates(preset)


@every_preset
def test_a_preset_never_learns_from_itself(preset: str) -> None:
    """Ten cycles of recall and add leave as many memories as before."""
    law.never_learns_from_itself(preset)


@every_preset
def test_a_preset_only_archives(preset: str) -> None:
    """Ten years and two rounds of maintenance lose no word."""
    law.only_archives(preset)


@every_preset
def test_a_preset_erases(preset: str, tmp_path: Path) -> None:
    """What is erased is in no file."""
    law.erases(preset, tmp_path)


@every_preset
def test_a_preset_keeps_to_the_budget(preset: str) -> None:
    """A prompt never gets more than it has room for."""
    law.keeps_to_the_budget(preset)


@every_preset
def test_a_preset_is_deterministic(preset: str) -> None:
    """The same talk gives the same memory."""
    law.is_deterministic(preset)


@every_preset
def test_a_preset_survives_a_broken_model(preset: str) -> None:
    """Nonsense in, nothing out."""
    law.survives_a_broken_model(preset)
