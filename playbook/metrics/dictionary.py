"""The metric dictionary: every key figure with its names in two languages, unit, formula and definition."""

from __future__ import annotations

import pandas as pd

from .measure import METRICS


def dictionary() -> pd.DataFrame:
    """What does each key figure mean, and what is it called?

    Returns
    -------
    DataFrame
        One row per metric: name, title (English), chinese, unit, formula, definition.
    """
    rows = [
        {"name": m.name, "title": m.title, "chinese": m.chinese, "unit": m.unit}
        | {"formula": m.formula, "definition": m.definition}
        for m in METRICS.values()
    ]
    return pd.DataFrame(rows)
