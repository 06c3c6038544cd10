"""What cleaning took away: by which rule, how many rows, and where those in quarantine lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from ... import style
from ...language import N_, _, term
from ...missing import answers, quietly

STEPS = ("skipped", "quarantined", "duplicate", "superseded")
"""What is taken away, in this order; what is left is accepted."""

SKIPPED = {"blank": N_("blank line", "rule"), "preamble": N_("preamble", "rule"), "totals": N_("row of totals", "rule")}


@answers("What did cleaning take away, rule by rule?")
def steps(accounting: Mapping[str, Any]) -> pd.DataFrame:
    """What did cleaning take away, rule by rule?

    Parameters
    ----------
    accounting : mapping
        `Shop.accounting`.

    Returns
    -------
    DataFrame
        One row per rule, in the order in which they are applied to all files: step (read, skipped, quarantined,
        duplicate, superseded, accepted), rule, before, taken, after (rows). Each `before` is the `after` above it; the
        row "read" holds all rows, the row "accepted" those that the tables are made of.
    """
    files = accounting["files"]
    taken: list[tuple[str, str, int]] = [
        ("skipped", text, sum(f.get(name, 0) for f in files)) for name, text in SKIPPED.items()
    ]
    reasons: dict[str, int] = {}
    for entry in accounting["quarantine"]:
        reasons[entry["reason"]] = reasons.get(entry["reason"], 0) + entry["rows"]
    named = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    taken += [("quarantined", reason, n) for reason, n in named] or [("quarantined", "", 0)]
    taken += [
        ("duplicate", N_("the same row again", "rule"), sum(f.get("duplicate", 0) for f in files)),
        ("superseded", N_("a later row of the same key", "rule"), sum(f.get("superseded", 0) for f in files)),
    ]
    left = sum(f["read"] for f in files)
    rows = [{"step": "read", "rule": "", "before": left, "taken": 0, "after": left}]
    for step, rule, n in taken:
        rows.append({"step": step, "rule": rule, "before": left, "taken": n, "after": left - n})
        left -= n
    rows.append({"step": "accepted", "rule": "", "before": left, "taken": 0, "after": left})
    return pd.DataFrame(rows)


@quietly
def plot_steps(steps: pd.DataFrame) -> Axes:
    """Rows from the first to the last step; each step's bar is what is left, and says what was taken."""
    drawn = steps.groupby("step", sort=False).agg(taken=("taken", "sum"), after=("after", "last"))
    ax = style.axes(height=0.9 + 0.42 * len(drawn))
    first_and_last = drawn.index.isin(["read", "accepted"])
    ax.barh(range(len(drawn)), drawn.after, height=0.62, color=[style.OWN if e else "#BFD3E6" for e in first_and_last])
    ax.barh(range(len(drawn)), drawn.taken, left=drawn.after, height=0.62, color=style.BAD)
    for place, row in enumerate(drawn.itertuples()):
        text = style.value(row.after, "count") if first_and_last[place] else style.value(-row.taken, "count")
        style.direct_label(ax, row.after + row.taken, place, text)
    ax.set_yticks(range(len(drawn)), [term("step", str(step)) for step in drawn.index])
    ax.invert_yaxis()
    ax.grid(False)
    style.count_axis(ax, which="x")
    ax.set_xlabel(_("rows"))
    ax.set_title(_("From the rows that were read to those that count"))
    return ax


@answers("Which rows could not be read, and why?")
def quarantine(accounting: Mapping[str, Any]) -> pd.DataFrame:
    """Which rows could not be read, and why?

    Returns
    -------
    DataFrame
        Worst first: file, field, reason, rows, share (of the file's rows). ``attrs["notes"]`` says where the rows lie,
        each with its file and line.
    """
    read = {f["file"]: f["read"] for f in accounting["files"]}
    rows = [
        {"file": q["file"], "field": q["field"] or None, "reason": q["reason"], "rows": q["rows"]}
        | {"share": q["rows"] / read[q["file"]] if read.get(q["file"]) else None}
        for q in accounting["quarantine"]
    ]
    found = pd.DataFrame(rows, columns=["file", "field", "reason", "rows", "share"])
    found = found.sort_values(["rows", "file", "reason"], ascending=[False, True, True], ignore_index=True)
    where = _("Each of these rows, with its file and line, is in tables/{key}/quarantine.csv of the shop's folder.")
    found.attrs["notes"] = [
        where.format(key=accounting.get("key", "…")) if len(found) else _("No row is in quarantine.")
    ]
    return found
