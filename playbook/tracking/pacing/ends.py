"""Where campaigns on their way will end, whether that is the plan, and what follows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from scipy import stats

from ... import style
from ...findings import Figure, Finding, Verdict
from ...language import N_, _, listing
from ...missing import Missing, answers, quietly
from ...outlook import Forecast
from ...period import Period
from .plan import METRICS, TITLES
from .spread import GUESS, Spread

METRICS_TOLD = ("paid_sales", "orders_paid", "participants")  # which of them a sentence is about, the first there is
LEVEL = 0.8
UNITS = {"days_gone": "count", "days_left": "count", "pace": "ratio", "needed": "ratio"}


@answers("Where will the campaigns end?")
def projected(paces: pd.DataFrame, spreads: Mapping[str, Spread] | None = None) -> pd.DataFrame:
    """Where will each campaign end, and what must the days that are left bring?

    What came so far is held against what was due by then; the ratio is drawn towards 1 while little is known, and the
    rest of the plan is multiplied by it. How little that is, and how wide the interval, earlier campaigns tell.

    Parameters
    ----------
    paces : DataFrame
        Of `pace`.
    spreads : mapping of str to Spread, optional
        Of `spreads`, by metric; a rule of thumb where there is none.

    Returns
    -------
    DataFrame
        campaign, metric, unit, days_gone, days_left, planned_so_far, actual_so_far, pace (of them, 1 is on plan),
        planned, projected, low, high (80 %), needed (times the pace so far that the days left must run at, to meet the
        plan), state ("ahead", "on plan", "behind", "over", "not begun", "no plan"). NaN where there is no plan.
    """
    rows = []
    for (pid, metric), of in paces.groupby(["promotion_id", "metric"], sort=False):
        gone = int(of["actual"].notna().sum())
        left = len(of) - gone
        so_far = float(of["actual"].max()) if gone else 0.0
        total = float(of["planned"].iloc[-1])
        due = float(of["planned"].iloc[gone - 1]) if gone else 0.0
        row = {
            "promotion_id": pid, "campaign": of["name"].iloc[0], "metric": metric, "unit": of["unit"].iloc[0],
            "days_gone": gone, "days_left": left, "planned_so_far": due, "actual_so_far": so_far,
            "pace": so_far / due if due > 0 else math.nan, "planned": total, "basis": of["basis"].iloc[0],
            "first": of["day"].iloc[0], "last": of["day"].iloc[-1],
        }  # fmt: skip
        rows.append(row | _end(so_far, due, total, gone, left, (spreads or {}).get(str(metric), GUESS)))
    names = ["promotion_id", "campaign", "metric", "unit", "days_gone", "days_left", "planned_so_far", "actual_so_far",
             "pace", "planned", "projected", "low", "high", "needed", "state", "basis", "first", "last"]  # fmt: skip
    frame = pd.DataFrame(rows, columns=names)
    frame.attrs["notes"] = paces.attrs.get("notes", [])
    if spreads and len(frame):
        told = _("The intervals are as wide as {n} campaigns that are over ended from their plan.")
        frame.attrs["notes"] = [*frame.attrs["notes"], told.format(n=max(s.campaigns for s in spreads.values()))]
    return frame


def _end(so_far: float, due: float, total: float, gone: int, left: int, wide: Spread) -> dict[str, Any]:
    """Where it will end: the ratio to the plan is normal in logs, before and after what is known."""
    nothing = {"projected": math.nan, "low": math.nan, "high": math.nan, "needed": math.nan}
    if not left:
        state = "over" if total > 0 else "no plan"
        return nothing | {"projected": so_far, "low": so_far, "high": so_far, "state": state}
    if not total > 0:
        return nothing | {"state": "no plan"}
    rest, mean, spread = max(total - due, 0.0), 0.0, wide.plan
    if gone and due > 0:
        error = wide.day**2 / gone + wide.shape**2 + 1 / max(so_far, 1.0)
        weight = wide.plan**2 / (wide.plan**2 + error)
        mean = weight * math.log(max(so_far, 0.5) / due)
        spread = math.sqrt(wide.plan**2 * (1 - weight))
    ahead = math.sqrt(spread**2 + wide.shape**2 + wide.day**2 / left)
    z = float(stats.norm.ppf(0.5 + LEVEL / 2))
    low, middle, high = (so_far + rest * math.exp(mean + k * ahead) for k in (-z, 0.0, z))
    state = "not begun" if not gone else "behind" if high < total else "ahead" if low > total else "on plan"
    pace = so_far / due if due > 0 else math.nan
    needed = (total - so_far) / (rest * pace) if rest > 0 and pace > 0 else math.nan
    return {"projected": middle, "low": low, "high": high, "needed": max(needed, 0.0), "state": state}


@answers("Where will the campaigns end?")
def in_words(ends: pd.DataFrame) -> pd.DataFrame:
    """The projections in long form, as `show` takes them: one row a campaign and figure, its plan as the target."""
    whole = ends["unit"] == "count"
    said = {c: ends[c].where(~whole, ends[c].round()) for c in ("projected", "low", "high", "planned")}
    frame = ends.assign(**said).rename(columns={"projected": "value", "planned": "target"})
    frame = frame[["campaign", "metric", "unit", "value", "low", "high", "target"]]
    frame.attrs = {"by": ["campaign"], "titles": TITLES, "notes": ends.attrs.get("notes", [])}
    return frame


@answers("Are the campaigns on plan?")
def states(ends: pd.DataFrame) -> pd.DataFrame:
    """Is each campaign on plan? campaign, figure, pacing (its state), days_gone, days_left, pace, needed, plan_from."""
    said = {"own": _("the shop's own plan"), "earlier": _("the last edition"), "": _("no plan, no earlier edition")}
    frame = ends.assign(
        figure=[_(TITLES[m]) for m in ends["metric"]], pacing=ends["state"], plan_from=ends["basis"].map(said)
    )
    frame = frame[["campaign", "figure", "pacing", "days_gone", "days_left", "pace", "needed", "plan_from"]]
    frame.attrs = {}  # what is to be noted stands below the projections
    return frame


@answers("Which campaign needs a hand?")
def findings(ends: pd.DataFrame, *, currency: str = "CNY") -> list[Finding]:
    """Which campaign needs a hand?

    Parameters
    ----------
    ends : DataFrame
        Of `projected`.

    Returns
    -------
    list of Finding
        One a campaign on its way or over, by its sales (else its orders); "act" where it is behind its plan even at the
        upper end. Stake: what will be lacking of the sales.
    """
    found = []
    for _pid, of in ends.groupby("promotion_id", sort=False):
        by_metric = {r["metric"]: r for r in of.to_dict("records")}
        row = next((by_metric[m] for m in METRICS_TOLD if m in by_metric), None)
        if row is None or row["state"] not in _SAID:
            continue
        said = ("projected", "low", "high", "planned", "actual_so_far")
        words = {k: style.value(row[k], row["unit"], currency=currency) for k in said}
        words |= {k: style.value(row[k], "count") for k in ("days_left", "days_gone")}
        change = row["projected"] / row["planned"] - 1 if row["planned"] > 0 else math.nan
        words |= {"needed": style.value(row["needed"], "ratio"), "change": style.change(change, "count")}
        text = _(_SAID[row["state"]]).format(campaign=row["campaign"], metric=_(TITLES[row["metric"]]), **words)
        verdict: Verdict = "act" if row["state"] == "behind" else "hold"
        stake = row["planned"] - row["projected"] if row["unit"] == "currency" and verdict == "act" else None
        by = {"campaign": row["promotion_id"], "metric": row["metric"]}
        figure = Figure("campaign.projected", row["projected"], row["unit"], row["low"], row["high"], by)
        found.append(Finding(verdict, text, stake, (figure,)))
    return found


_SAID = {
    "over": N_("“{campaign}” is over. {metric}: {actual_so_far}, {change} against a plan of {planned}."),
    "behind": N_(
        "“{campaign}” is behind. {metric}: {projected} ({low} to {high}) expected by its end, {planned} planned. "
        "To meet the plan, the {days_left} days left must run at {needed} times the pace so far: more budget or a "
        "better offer for those days, or a lower plan."
    ),
    "ahead": N_(
        "“{campaign}” is ahead. {metric}: {projected} ({low} to {high}) expected by its end, {planned} planned. "
        "Check that stock and service hold for the {days_left} days left."
    ),
    "on plan": N_(
        "“{campaign}” is on plan. {metric}: {projected} ({low} to {high}) expected by its end, {planned} planned; "
        "days gone: {days_gone}."
    ),
}


def forecasts(ends: pd.DataFrame, plans: pd.DataFrame) -> list[Forecast]:
    """Where campaigns of the whole shop that are on their way will end; scored when they are over.

    Parameters
    ----------
    ends, plans : DataFrame
        Of `projected` and `running`. Those of one category cannot be measured again by their days alone.
    """
    if isinstance(ends, Missing) or isinstance(plans, Missing):
        return []
    whole = plans[plans["category"].isna()].set_index("promotion_id")
    said, seen = [], set[tuple]()
    for r in ends.to_dict("records"):
        if (
            r["promotion_id"] not in whole.index
            or r["metric"] == "participants"
            or not r["days_left"]
            or math.isnan(r["low"])
        ):
            continue
        label = Period(r["first"].date(), (r["last"] + pd.Timedelta(days=1)).date()).label
        platform = whole.loc[r["promotion_id"], "platform"]
        by = {"platform": str(platform)} if platform else {}
        thing = (r["metric"], label, str(platform))
        if thing in seen:
            continue
        seen.add(thing)
        said.append(Forecast(r["metric"], label, r["projected"], r["low"], r["high"], r["unit"], LEVEL, by, "pacing"))
    return said


@quietly
def plot_pace(
    paces: pd.DataFrame, ends: pd.DataFrame, *, currency: str = "CNY", most: int = 3
) -> Sequence[Axes] | None:
    """What came, beside what was due, day by day, and where it will end: one row a campaign."""
    if paces.empty:
        return None
    import matplotlib.pyplot as plt

    latest = ends.sort_values("last", ascending=False)["promotion_id"].drop_duplicates().head(most).tolist()
    metrics = [m for m in METRICS if m in set(paces.loc[paces["promotion_id"].isin(latest), "metric"])]
    _figure, grid = plt.subplots(len(latest), len(metrics), figsize=(9, 2.7 * len(latest)), squeeze=False)
    for row, pid in zip(grid, latest, strict=True):
        for ax, metric in zip(row, metrics, strict=True):
            of = paces[(paces["promotion_id"] == pid) & (paces["metric"] == metric)]
            if of.empty or of["planned"].isna().all():
                ax.axis("off")
                continue
            end = ends[(ends["promotion_id"] == pid) & (ends["metric"] == metric)].iloc[0]
            ax.plot(of["day"], of["planned"], color=style.COMPARISON, linewidth=1.6)
            ax.plot(of["day"], of["actual"], color=style.OWN, linewidth=2.4, marker="o", markersize=3)
            if end["days_left"] and not math.isnan(end["low"]):
                ax.plot([end["last"]] * 2, [end["low"], end["high"]], color=style.OWN, linewidth=5, alpha=0.35)
                ax.plot([end["last"]], [end["projected"]], "o", color=style.OWN, markersize=6)
            (style.money_axis(ax, currency) if of["unit"].iloc[0] == "currency" else style.count_axis(ax))
            style.date_axis(ax)
            ax.set_xticks([of["day"].iloc[0], of["day"].iloc[-1]])
            ax.margins(x=0.06)
            ax.set_ylim(bottom=0)
            ax.set_title(_(TITLES[metric]), fontsize=10.5)
        row[0].set_ylabel(str(ends.loc[ends["promotion_id"] == pid, "campaign"].iloc[0]), fontsize=9)
    style.alt(grid[0][0], _("Campaigns against their plan: {campaigns}").format(
        campaigns=listing(str(c) for c in ends.loc[ends["promotion_id"].isin(latest), "campaign"].drop_duplicates())
    ))  # fmt: skip
    return list(grid.ravel())
