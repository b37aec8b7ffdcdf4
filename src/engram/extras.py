"""The one place that knows what is optional."""

import importlib
from types import ModuleType

from engram.errors import MissingExtra


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import an optional module.

    Args:
        module: dotted name, such as ``"fastembed"``.
        extra: the extra of this package that installs it.
        purpose: what needs it, for the message.

    Raises:
        MissingExtra: it is not installed; the message holds the install line.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as missing:
        if (missing.name or "").split(".")[0] != module.split(".")[0]:
            raise  # the package is there and is itself broken: that is another error
        raise MissingExtra(
            f"{purpose} needs the package {module!r}, which is not installed: "
            f"pip install 'engram[{extra}]'"
        ) from None
