"""The Playbook: the operating book of an e-commerce marketing team."""

from typing import Any

__version__ = "0.1.0"

_OPENERS = ("open_shop", "shop_from")


def __getattr__(name: str) -> Any:
    # the shop brings pandas and the engine along; the command line must not wait for them to say what it can do
    if name in _OPENERS:
        from . import shop

        return getattr(shop, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *_OPENERS]
