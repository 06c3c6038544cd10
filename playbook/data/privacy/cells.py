"""Small cells: what leaves the shop must not show groups so small that they name people."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ...missing import answers


@answers("What of this may leave the shop?")
def suppressed(frame: pd.DataFrame, *, n: str, at_least: int = 10, by: Sequence[str] | None = None) -> pd.DataFrame:
    """What of this may leave the shop?

    Parameters
    ----------
    frame : DataFrame
        One row per cell of a table.
    n : str
        The column that counts people.
    at_least : int
        The smallest group that may be shown. A group of nobody shows nobody.
    by : sequence of str, optional
        The columns that make the cells; by default all that are not numbers. Totals over everything and over each of
        these columns are taken to be known to whoever reads the table.

    Returns
    -------
    DataFrame
        The frame, its numbers empty where they are hidden, with `hidden` (flag). Where a total and the cells shown
        would give a small cell away, the smallest of the others is hidden too: in every total, what is hidden is at
        least two cells and at least `at_least` people, or all there are.

    References
    ----------
    Hundepool, A. et al., Statistical Disclosure Control, Wiley 2012, chapter 4 (primary and secondary suppression).
    """
    numbers = [c for c in frame.columns if pd.api.types.is_numeric_dtype(frame[c]) and c not in (by or ())]
    cells = list(by) if by is not None else [c for c in frame.columns if c not in numbers]
    if n not in numbers:
        numbers.append(n)
    people = pd.to_numeric(frame[n]).fillna(0)
    hidden = (people > 0) & (people < at_least)
    totals = [frame.groupby(c, dropna=False, sort=False).ngroup() for c in cells] if len(cells) > 1 else []
    totals.append(pd.Series(0, index=frame.index))
    while (more := _given_away(people, hidden, totals, at_least)) is not None:
        hidden.loc[more] = True
    out = frame.copy()
    for c in numbers:
        out[c] = out[c].astype("Float64" if pd.api.types.is_float_dtype(out[c]) else "Int64").mask(hidden)
    return out.assign(hidden=hidden)


def _given_away(people: pd.Series, hidden: pd.Series, totals: list[pd.Series], at_least: int) -> object | None:
    """The next cell that must be hidden because a total would give another one away; None where none must."""
    for group in totals:
        for _number, place in people.groupby(group).groups.items():
            shut, shown = hidden.loc[place], people.loc[place][~hidden.loc[place] & (people.loc[place] > 0)]
            if not shut.any() or not len(shown):
                continue
            if shut.sum() < 2 or people.loc[place][shut].sum() < at_least:
                # one whose other totals hide something already costs no further cell
                free = sum(~hidden.groupby(t).transform("any")[shown.index] for t in totals)
                return pd.DataFrame({"free": free, "people": shown}).sort_values(["free", "people"]).index[0]
    return None
