"""Which days are out of the usual, and what stories they make, for every figure that is watched."""

from __future__ import annotations

import math

import ibis
import numpy as np
import pandas as pd

from ...data.engine import as_table
from ...language import _
from ...methods import alerts
from ...methods.seasonality import festivals
from ...methods.seasonality.effects import RECOVERY_DAYS
from ...missing import Missing, answers
from .kpis import ESCALATION, GROUPS, KPIS
from .series import SHOWN, one

RUSH = 3.0  # where nothing tells of earlier festivals, a rate on their days must be four times or a quarter as high
LONG = 7  # days of a sale from which it pulls forward what is lacking for weeks
LONGEST = 35  # days of a promotion that is one and not a standing offer
AROUND, LEAST = 57, 14  # days about a festival whose ordinary ones tell what it would have been without
BEGINNING = 28  # days at the beginning of the data, when a shop is not yet what it is
EDITIONS = 2  # of a festival that must have been before
FAR = 3.0  # standard deviations that a year may differ from those before
FALSE_ALARMS, MONTH = 0.5, 30.44  # a month that all figures together may give by chance; days of one
PATIENCE = 14  # days within its limit after which a rule's story is over


def special_days(days: pd.DatetimeIndex, promotions: ibis.Table | None = None) -> pd.DataFrame:
    """Days that are not like others: festivals, and the shop's own sales of everything.

    Parameters
    ----------
    days : DatetimeIndex
    promotions : Table, optional
        Canonical table; those of one category or product do not count, nor standing offers.

    Returns
    -------
    DataFrame
        day, name, year, offset (days since the first of its days that year).
    """
    about = festivals((days[0] - pd.Timedelta(days=60)).date(), (days[-1] + pd.Timedelta(days=60)).date())
    about = pd.concat([about, _recovering(about)], ignore_index=True)
    about["offset"] = (about["day"] - about.groupby(["name", "year"])["day"].transform("min")).dt.days
    out = about[["day", "name", "year", "offset"]]
    if promotions is not None and not isinstance(promotions, Missing):
        own = as_table(promotions)
        wanted = [c for c in ("name", "starts_at", "ends_at", "category", "product_id", "kind") if c in own.columns]
        rows = own.select(*wanted).to_pandas()
        first, last = (pd.to_datetime(rows[c]).dt.normalize() for c in ("starts_at", "ends_at"))
        whole = ((last - first).dt.days < LONGEST) & ~rows.get("kind", pd.Series("", rows.index)).isin(["points"])
        for c in ("category", "product_id"):
            whole &= rows[c].isna() if c in rows else True
        for name, a, z in zip(rows["name"][whole], first[whole], last[whole], strict=True):
            span = pd.date_range(a, z)
            label = "".join(ch for ch in str(name) if not ch.isdigit()).strip()
            mine = pd.DataFrame({"day": span, "name": label, "year": a.year, "offset": range(len(span))})
            out = pd.concat([out, mine], ignore_index=True)
    return out[out["day"].isin(days)].drop_duplicates("day").sort_values("day", ignore_index=True)


def _recovering(about: pd.DataFrame) -> pd.DataFrame:
    """The days after a long sale on which what was pulled forward is still lacking."""
    rows = []
    for (name, year), mine in about[about["sale"]].groupby(["name", "year"]):
        if (mine["phase"] == "during").sum() >= LONG:
            span = pd.date_range(mine["day"].max() + pd.Timedelta(days=1), periods=RECOVERY_DAYS)
            rows.append(pd.DataFrame({"day": span, "name": name, "year": year}))
    return pd.concat(rows, ignore_index=True) if rows else about.iloc[:0]


def rush(series: pd.Series, special: pd.DataFrame) -> pd.DataFrame:
    """What is each special day multiplied by, as earlier years of the same festival tell?

    Parameters
    ----------
    series : Series
        By day.
    special : DataFrame
        Of `special_days`.

    Returns
    -------
    DataFrame
        By day: factor (1 on ordinary days; NaN where the festival was not there twice before: one year does not tell
        how years differ), least (times more or less, less one, that years differ by once in forty; 0 on ordinary days).
        The factor is the geometric mean over the years of the same day's ratio to the ordinary days about it.
    """
    days = pd.DatetimeIndex(series.index)
    apart = days.isin(special["day"])
    ordinary = series.where(~apart)
    weekday = ordinary.groupby(days.day_of_week).mean() / ordinary.mean()
    beat = pd.Series(days.day_of_week, index=days).map(weekday).fillna(1.0).clip(lower=0.05)
    level = (
        (ordinary / beat).rolling(AROUND, center=True, min_periods=LEAST).median().interpolate(limit_direction="both")
    )
    ratio = (series / (beat * level).where(level > 0)).clip(lower=0.02)
    ratio.iloc[:BEGINNING] = math.nan
    out = pd.DataFrame({"factor": 1.0, "least": 0.0}, index=days)
    out.loc[apart, "factor"] = math.nan
    known = special[special["day"].isin(days)].copy()
    known["log"] = np.log(ratio.reindex(known["day"]).to_numpy(float))
    grids = {
        name: mine.pivot_table(index="offset", columns="year", values="log") for name, mine in known.groupby("name")
    }
    for name, mine in known.groupby("name"):
        grid = grids[name]
        for year in grid.columns:
            earlier = grid.loc[:, grid.columns < year].dropna(axis=1, how="all")
            if earlier.shape[1] < EDITIONS:
                continue
            told = [g.loc[:, g.columns < year] for g in grids.values()]
            spread = float(pd.concat([g.var(axis=1, ddof=1) for g in told]).mean())
            mean, noise = earlier.mean(axis=1), spread / earlier.shape[1]
            real = max(float((mean**2).mean()) - noise, 0.0)  # of a festival that moves nothing, nothing is learnt
            at = mine[mine["year"] == year].set_index("offset")["day"]
            out.loc[at.to_numpy(), "factor"] = np.exp(real / (real + noise + 1e-9) * mean.reindex(at.index).to_numpy())
            out.loc[at.to_numpy(), "least"] = math.expm1(FAR * math.sqrt(spread + noise))
    return out


@answers("Which days are out of the usual?")
def judged(
    daily: pd.DataFrame,
    *,
    since: object,
    promotions: ibis.Table | None = None,
    own: pd.DataFrame | None = None,
    false_alarms: float = FALSE_ALARMS,
) -> pd.DataFrame:
    """Which days are out of the usual, each by what was known when it ended?

    A figure is held against its own last weeks (day of the week, level, trend; not the day itself, nor the week before
    it), a festival's day against the same festival of earlier years, where it was there twice. All figures share the
    chance of a false alarm. A rule is held against its limit.

    Parameters
    ----------
    daily : DataFrame
        kpi, part, day, value, exposure: of `measured` and `told`.
    since : day
        The first to be judged.
    promotions : Table, optional
        The shop's own sales, whose days are not like others.
    own : DataFrame, optional
        The shop's own limits: kpi, part, low, high, owner (``plan/alerts.csv``).
    false_alarms : float
        A month, that chance alone may give of all figures together. Each figure that is judged has the same part of
        them, which its parts share.

    Returns
    -------
    DataFrame
        kpi, part, and by day the columns of `playbook.methods.alerts.judge`. Of a rule expected is its limit, p is NaN,
        and all days are there, so that one sees since when.
    """
    if daily.empty:
        return Missing(_("a figure by day"), remedy=_("Orders, events or traffic of some weeks are enough."))
    span = pd.date_range(daily["day"].min(), daily["day"].max())
    special = special_days(pd.DatetimeIndex(span), promotions)
    by_chance = [k for k in daily["kpi"].unique() if KPIS[k].kind != "rule"]
    alpha, parts = false_alarms / MONTH / max(len(by_chance), 1), []
    for name, of in daily.groupby("kpi", sort=False):
        kpi, many = KPIS[str(name)], of["part"].nunique()
        for part in of["part"].unique():
            if kpi.kind == "rule":
                mine = of[of["part"] == part].set_index("day").sort_index()["value"]
                found = against(mine, kpi.limit, kpi.direction, kpi.fallen)
            else:
                series, exposure, kind = one(daily, str(name), part)
                apart = special["day"] if kpi.festivals != "same" else special["day"].iloc[:0]
                least: float | pd.Series = kpi.at_least
                excused = apart if kpi.festivals == "rest" else None
                if kpi.festivals in ("rush", "apart"):
                    usual = rush(series if exposure is None else series / exposure.where(exposure > 0), special)
                    least = usual["least"].clip(lower=kpi.at_least)
                    if kpi.festivals == "rush":
                        exposure = usual["factor"]
                    else:  # what a festival did to it in earlier years is no news
                        least = (1 + least) * np.exp(np.log(usual["factor"]).abs()) - 1
                        least = least.fillna(max(RUSH, kpi.at_least))
                found = alerts.judge(
                    series, kind=kind, exposure=exposure, direction=kpi.direction, since=since, apart=apart,
                    alpha=alpha / many, at_least=least,
                    spans=kpi.spans, drift=kpi.drift, excused=excused,
                )  # fmt: skip
            if kpi.kind != "rule":
                found = found[found.index >= pd.Timestamp(since)]
            parts.append(
                _limited(found, own, kpi.name, part).rename_axis("day").reset_index().assign(kpi=name, part=part)
            )
    out = pd.concat(parts, ignore_index=True)
    return out[["kpi", "part", *out.columns.drop(["kpi", "part"])]]


def against(series: pd.Series, limit: float, direction: str, fallen: float = math.inf) -> pd.DataFrame:
    """A series held against a limit, in the form of `playbook.methods.alerts.judge`; beyond it is "orange".

    Where it must have fallen too, it is held against its median of twelve weeks, the last four left out.
    """
    beyond, known = series <= limit if direction == "down" else series > limit, series.notna()
    if fallen < math.inf:
        usual = series.rolling(alerts.HISTORY, min_periods=alerts.ENOUGH).median().shift(alerts.ADOPTED)
        beyond, known = beyond & (series <= fallen * usual), known & usual.notna()
    ratio = series / limit if limit else series * math.nan
    return pd.DataFrame(
        {
            "value": series, "exposure": math.nan, "expected": limit, "low": math.nan, "high": math.nan,
            "p": math.nan, "span": 1, "ratio": ratio, "direction": direction,
            "state": np.where(~known, "no_history", np.where(beyond, "orange", "usual")),
        },
        index=series.index,
    )  # fmt: skip


def _limited(found: pd.DataFrame, own: pd.DataFrame | None, kpi: str, part: str) -> pd.DataFrame:
    """With the shop's own limits: a day beyond one of them is at least "orange"."""
    if own is None or isinstance(own, Missing):
        return found
    mine = own[(own["kpi"] == kpi) & (own.get("part", pd.Series("", own.index)).fillna("").isin(["", part]))]
    out = found.copy()
    value = out["value"] / out["exposure"].where(out["exposure"] > 0, 1.0).fillna(1.0)
    for row in mine.to_dict("records"):
        for side, bound in (("down", row.get("low")), ("up", row.get("high"))):
            if bound is None or pd.isna(bound):
                continue
            beyond = (value < bound) if side == "down" else (value > bound)
            beyond &= out["state"] != "red"
            out.loc[beyond, ["state", "direction", "span"]] = ["orange", side, 1]
    return out


@answers("Which alerts were there?")
def episodes(days: pd.DataFrame, own: pd.DataFrame | None = None) -> pd.DataFrame:
    """Which alerts were there: one row a story of days, not a day?

    Parameters
    ----------
    days : DataFrame
        Of `judged`.
    own : DataFrame, optional
        The shop's ``plan/alerts.csv``, for owners.

    Returns
    -------
    DataFrame
        kpi, part, group, level, begins, flagged_on, ends, days, direction, value and expected (of the days together: a
        rate where the figure is one), ratio, excess, p (held against the number of days looked at; NaN of a rule),
        open, owner, hours (within which the owner is told). The worst first, then the latest.
    """
    columns = ["kpi", "part", "group", "level", "begins", "flagged_on", "ends", "days", "direction", "value",
               "expected",
               "ratio", "excess", "p", "open", "owner", "hours"]  # fmt: skip
    owners = {} if own is None or isinstance(own, Missing) or "owner" not in own else own.dropna(
        subset="owner").set_index("kpi")["owner"].to_dict()  # fmt: skip
    parts = []
    for (name, part), of in days.groupby(["kpi", "part"], sort=False):
        kpi, mine = KPIS[str(name)], of.set_index("day")
        found = alerts.episodes(mine, quiet=PATIENCE if kpi.kind == "rule" else alerts.QUIET)
        if found.empty:
            continue
        if kpi.kind == "rule":
            worst = [mine.loc[e.begins : e.ends, "value"] for e in found.itertuples()]
            found["value"] = [float(w.min() if kpi.direction == "down" else w.max()) for w in worst]
            found["expected"], found["ratio"], found["excess"] = kpi.limit, math.nan, math.nan
        elif kpi.rate:
            out_of = [
                mine.loc[e.begins : e.ends].dropna(subset="expected")["exposure"].sum() for e in found.itertuples()
            ]
            for column in ("value", "expected"):
                found[column] = found[column] / [x or math.nan for x in out_of]
        judged_days = int(mine["p"].notna().sum())
        found["p"] = (found["p"] * judged_days).clip(upper=1.0)
        parts.append(found.assign(kpi=name, part=part, group=kpi.group, owner=owners.get(name, _(kpi.owner))))
    if not parts:
        return pd.DataFrame(columns=columns)
    out = pd.concat(parts, ignore_index=True)
    out["hours"] = out["level"].map({level: hours for level, (hours, _told) in ESCALATION.items()})
    rank = out["level"].map(alerts.STATES.index)
    return out.assign(rank=rank).sort_values(
        ["rank", "flagged_on", "kpi", "part"], ascending=[False, False, True, True], ignore_index=True
    )[columns]  # fmt: skip


@answers("What is watched?")
def states(days: pd.DataFrame) -> pd.DataFrame:
    """What was watched in the last weeks, and could it be judged?

    Parameters
    ----------
    days : DataFrame
        Of `judged`.

    Returns
    -------
    DataFrame
        figure, group (their titles), parts, days (of all parts), judged, no_history, excused, flagged.
    """
    shown, rows = days[days["day"] > days["day"].max() - pd.Timedelta(days=SHOWN)], []
    of_kpi = dict(list(shown.groupby("kpi")))
    for kpi in KPIS.values():
        of = of_kpi.get(kpi.name)
        if of is None:
            continue
        counts = of["state"].value_counts()
        unjudged = {s: int(counts.get(s, 0)) for s in ("no_history", "excused")}
        rows.append(
            {
                "figure": _(kpi.title), "group": _(GROUPS[kpi.group]), "parts": of["part"].nunique(), "days": len(of),
                "judged": len(of) - sum(unjudged.values()), "no_history": unjudged["no_history"],
                "excused": unjudged["excused"], "flagged": int(of["state"].isin(list(alerts.LEVELS)).sum()),
            }
        )  # fmt: skip
    columns = ["figure", "group", "parts", "days", "judged", "no_history", "excused", "flagged"]
    return pd.DataFrame(rows, columns=columns)
