"""Reports: what a notebook shows, how notebooks are run, and the pages that come out."""

from .page import conclude, setup, show, tiles

__all__ = ["conclude", "setup", "show", "tiles"]
