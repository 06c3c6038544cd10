"""Reports: what a notebook shows, how notebooks are run, and the pages that come out."""

from typing import Any

__all__ = ["conclude", "propose", "setup", "show", "tiles", "verdict", "wall"]


def __getattr__(name: str) -> Any:
    # these bring pandas and IPython along; a run that finds nothing to do must not wait for them
    if name == "wall":
        from .personas import wall

        return wall
    if name in __all__:
        from . import page

        return getattr(page, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
