"""Ingest: raw exports become canonical tables, and every row is accounted for."""

from .build import ingest

__all__ = ["ingest"]
