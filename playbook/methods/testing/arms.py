"""Who was in which arm: rows that do not count are named and set aside, and the split is checked before all else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd
from scipy import stats

from ...data.engine import as_table

SUSPICIOUS = 0.001
"""A split as uneven as this comes about by chance once in a thousand experiments: then the assignment is broken."""

STATES = ("mismatched", "both", "repeated", "unseen", "kept")


@dataclass(frozen=True)
class Assigned:
    """The units of an experiment that count, and what became of all rows.

    Parameters
    ----------
    units : Table
        One row a unit, as it came, with the column ``arm``.
    arms : DataFrame
        One row an arm: arm, rows, mismatched (saw another arm), both (units found in several arms), repeated (later
        rows of a unit), unseen (saw no arm; only where those are left out), kept. rows = the sum of the others.
    mismatches : DataFrame
        arm, exposed (what was seen instead), rows.
    """

    units: ibis.Table
    arms: pd.DataFrame
    mismatches: pd.DataFrame


def assigned(
    rows: pd.DataFrame | ibis.Table,
    *,
    unit: str = "unit_id",
    arm: str = "arm",
    exposed: str | None = None,
    shown: Mapping[str, str] | None = None,
    seen_only: bool = False,
    at: str | None = None,
) -> Assigned:
    """Which units count, and why do the others not?

    A row whose unit saw another arm than its own is set aside, then units that are in several arms, then all but the
    first row of a unit.

    Parameters
    ----------
    rows : DataFrame or Table
        One row an assignment: `unit`, `arm`, the outcomes.
    unit, arm : str
        Columns.
    exposed : str, optional
        Column of the arm that was really seen; empty: not known, which is no mismatch.
    shown : mapping of str to str, optional
        What each arm is to see, where `exposed` names pages rather than arms: ``{"control": "old_page", …}``.
    seen_only : bool
        Leave out units that saw no arm. Right only where arms cannot differ before they are seen.
    at : str, optional
        Column of time, which says what a unit's first row is; without it the order of the cells says it.

    Raises
    ------
    ValueError
        A column is lacking, or `shown` does not name an arm.
    """
    table = as_table(rows)
    for column in filter(None, (unit, arm, exposed, at)):
        if column not in table.columns:
            raise ValueError(f"the rows have no column {column!r}; they have: {', '.join(table.columns)}")
    if unit != "unit_id":
        table = table.rename(unit_id=unit)
    table = table.mutate(arm=table[arm].cast("string"))
    seen = ibis.literal(None, "string") if exposed is None else table[exposed].cast("string")
    if shown is not None:
        strange = sorted(set(table.select("arm").distinct().execute()["arm"].dropna()) - set(shown))
        if strange:
            raise ValueError(f"shown says nothing of the arm {strange[0]!r}")
    expected = table.arm if shown is None else table.arm.cases(*shown.items(), else_=None)
    table = table.mutate(exposed_=seen, mismatched_=(seen.notnull() & (seen != expected)).fill_null(False))
    order = [table[c] for c in ([at] if at else []) + sorted(set(table.columns) - {at, "exposed_", "mismatched_"})]
    of_unit = ibis.window(group_by=[table.unit_id, table.mismatched_])
    table = table.mutate(
        number_=ibis.row_number().over(ibis.window(group_by=[table.unit_id, table.mismatched_], order_by=order)),
        least_=table.arm.min().over(of_unit),
        most_=table.arm.max().over(of_unit),
    )
    left_out = (table.exposed_.isnull() if exposed else ibis.literal(False)) & ibis.literal(seen_only)
    table = table.mutate(
        state_=ibis.cases(
            (table.mismatched_, "mismatched"),
            (table.least_ != table.most_, "both"),
            (table.number_ > 0, "repeated"),
            (left_out, "unseen"),
            else_="kept",
        )
    )
    counted = table.group_by("arm", "state_", "exposed_").agg(rows=table.count()).execute()
    counted["rows"] = counted["rows"].astype(int)
    arms = counted.pivot_table(index="arm", columns="state_", values="rows", aggfunc="sum", fill_value=0)
    arms = arms.reindex(columns=list(STATES), fill_value=0).astype(int)
    arms.insert(0, "rows", arms.sum(axis=1))
    arms.columns.name = None
    off = counted[counted["state_"] == "mismatched"].rename(columns={"exposed_": "exposed"})
    off = off[["arm", "exposed", "rows"]].sort_values(["arm", "exposed"], ignore_index=True)
    kept = table.filter(table.state_ == "kept")
    kept = kept.drop("exposed_", "mismatched_", "number_", "least_", "most_", "state_")
    return Assigned(kept, arms.reset_index(), off)


def sample_ratio(counts: Mapping[str, int], *, split: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Is the split of the units the one that was meant?

    Parameters
    ----------
    counts : mapping of str to int
        Units by arm.
    split : mapping of str to float, optional
        Shares that were meant, in any unit; all alike if not given.

    Returns
    -------
    DataFrame
        One row an arm: arm, units, expected, p (of the arm against all others; two-sided). ``attrs["p"]`` is that of
        the whole split, by χ².

    Raises
    ------
    ValueError
        Fewer than two arms, or `split` names others.

    References
    ----------
    Fabijan, A. et al. (2019). Diagnosing sample ratio mismatch in online controlled experiments. KDD 2019.
    """
    arms = list(counts)
    if len(arms) < 2 or (split is not None and set(split) != set(arms)):
        raise ValueError(
            f"arms {sorted(arms)}, meant {sorted(split or arms)}: an experiment needs the same two or more"
        )
    units = np.array([counts[a] for a in arms], dtype=float)
    share = np.array([1.0 if split is None else split[a] for a in arms])
    share = share / share.sum()
    expected = units.sum() * share
    frame = pd.DataFrame({"arm": arms, "units": units.astype(int), "expected": expected})
    if units.sum() == 0:
        frame["p"], frame.attrs["p"] = np.nan, np.nan
        return frame
    z = (units - expected) / np.sqrt(expected * (1 - share))
    frame["p"] = 2 * stats.norm.sf(np.abs(z))
    frame.attrs["p"] = float(stats.chisquare(units, expected).pvalue)
    return frame
