"""The content calendar: what goes out where and when, where nothing does, and what gets in each other's way."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .. import style
from ..data.engine import as_table
from ..findings import Figure, Finding
from ..language import _, listing, term
from ..missing import answers, quietly
from ..period import Period

AHEAD_WEEKS = 9
GAP_FACTOR, GAP_RUNS = 2.0, 8  # a gap is longer than this many of a channel's usual pauses, told by that many of them
SAME_HOURS = 2  # pieces of one channel that close together take each other's readers
READY = {"planned": 3, "drafted": 1}  # days before going out from which a stage is late


@answers("What goes out where and when?", needs={"content": ["publish_at", "channel"]})
def pieces(content: ibis.Table, period: Period, *, weeks: int = AHEAD_WEEKS) -> pd.DataFrame:
    """What went out in the period, and what is planned for the weeks after it?

    Parameters
    ----------
    content : Table
        content_id, publish_at, channel; title, form, theme, stage, product_id, campaign_id, owner (optional).
    period : Period
    weeks : int
        After the period.

    Returns
    -------
    DataFrame
        One row per piece, in order of time; ``attrs``: begins, ends (days), today (the day after the period),
        usual (channel → its median pause in days over the year before).
    """
    table = as_table(content)
    ends = pd.Timestamp(period.end) + pd.Timedelta(weeks=weeks)
    since = pd.Timestamp(period.start) - pd.Timedelta(days=365)
    kept = [c for c in table.columns if c not in ("text", "recorded_at")]
    rows = table.filter(
        (table["publish_at"] >= ibis.timestamp(since.isoformat()))
        & (table["publish_at"] < ibis.timestamp(ends.isoformat()))
    )
    every = rows.select(kept).order_by(["publish_at", "content_id"]).to_pandas()
    every = every.assign(**{c: None for c in ("stage", "owner", "title", "product_id") if c not in every})
    past = every[every["publish_at"] < pd.Timestamp(period.end)]
    usual = {c: _pauses(mine["publish_at"]) for c, mine in past.groupby("channel")}
    out = every[every["publish_at"] >= pd.Timestamp(period.start)].reset_index(drop=True)
    out.attrs = {
        "begins": pd.Timestamp(period.start),
        "ends": ends,
        "today": pd.Timestamp(period.end),
        "usual": {c: float(p.median()) for c, p in usual.items() if len(p) >= GAP_RUNS},
        "last": past.groupby("channel")["publish_at"].max().to_dict(),
    }
    return out


def _pauses(at: pd.Series) -> pd.Series:
    """Days between the days on which a channel published."""
    days = pd.Series(sorted(set(at.dt.normalize())))
    return days.diff().dt.days.dropna()


@answers("How full is each week?")
def by_week(planned: pd.DataFrame) -> pd.DataFrame:
    """How many pieces does each channel publish in each week?

    Returns
    -------
    DataFrame
        week (its Monday), channel, pieces; every channel in every week. ``attrs["today"]`` as of `pieces`.
    """
    monday = planned["publish_at"].dt.normalize() - pd.to_timedelta(planned["publish_at"].dt.day_of_week, unit="D")
    begins, ends = planned.attrs["begins"], planned.attrs["ends"]
    weeks = pd.date_range(begins - pd.Timedelta(days=begins.day_of_week), ends - pd.Timedelta(days=1), freq="7D")
    channels = sorted({*planned["channel"].dropna(), *planned.attrs["usual"]})
    count = planned.groupby([monday, "channel"]).size()
    index = pd.MultiIndex.from_product([weeks, channels], names=["week", "channel"])
    out = count.reindex(index, fill_value=0).rename("pieces").reset_index()
    out.attrs = {"today": planned.attrs["today"]}
    return out


@answers("Where does a channel fall silent?")
def gaps(planned: pd.DataFrame) -> pd.DataFrame:
    """Where does a channel fall silent for longer than it usually does?

    Returns
    -------
    DataFrame
        channel, begins, ends (first and last day without a piece), days, usual_days (its median pause). Only after the
        period, up to the last piece that any channel has planned: beyond it nothing is planned yet.
    """
    today, rows = planned.attrs["today"], []
    ahead = planned[planned["publish_at"] >= today]
    horizon = ahead["publish_at"].max()
    for channel, usual in sorted(planned.attrs["usual"].items()) if len(ahead) else ():
        days = sorted(set(ahead.loc[ahead["channel"] == channel, "publish_at"].dt.normalize()))
        before = planned.attrs["last"].get(channel, today).normalize()
        for first, second in zip([before, *days], [*days, horizon.normalize() + pd.Timedelta(days=1)], strict=True):
            if (second - first).days > GAP_FACTOR * usual + 1:
                begins = max(first + pd.Timedelta(days=1), today)
                ends = second - pd.Timedelta(days=1)
                if begins <= ends:
                    rows.append((channel, begins, ends, (ends - begins).days + 1, usual))
    return pd.DataFrame(rows, columns=["channel", "begins", "ends", "days", "usual_days"])


@answers("What gets in each other's way?")
def clashes(
    planned: pd.DataFrame, *, campaigns: ibis.Table | None = None, inventory: ibis.Table | None = None
) -> pd.DataFrame:
    """Which pieces get in each other's way, or speak of what is not there?

    Parameters
    ----------
    planned : DataFrame
        Of `pieces`.
    campaigns : Table, optional
        campaign_id, starts_on, ends_on: a piece that goes out after its campaign has ended is told.
    inventory : Table, optional
        day, product_id, on_hand: a piece on a product of which nothing is left is told.

    Returns
    -------
    DataFrame
        kind ("same_time", "same_product", "after_campaign", "sold_out", "not_ready"), content_id, with_id, channel,
        publish_at, why. Only pieces after the period.
    """
    today = planned.attrs["today"]
    ahead = planned[planned["publish_at"] >= today]
    rows: list[dict[str, Any]] = [*_close(ahead), *_unready(ahead, today)]
    if campaigns is not None and "campaign_id" in ahead and {"campaign_id", "ends_on"} <= set(campaigns.columns):
        table = as_table(campaigns)
        mine = table.filter(table["campaign_id"].isin([*ahead["campaign_id"].dropna().unique(), ""]))
        ends = mine.select("campaign_id", "ends_on").to_pandas().set_index("campaign_id")["ends_on"]
        ends = pd.to_datetime(ends[~ends.index.duplicated()])
        last = pd.to_datetime(ahead["campaign_id"].map(ends.to_dict()))
        why = _("its campaign ends on {day}")
        rows += [
            _clash("after_campaign", p, why.format(day=style.date(last[p.Index])))
            for p in ahead[ahead["publish_at"].dt.normalize() > last].itertuples()
        ]
    if inventory is not None and {"day", "product_id", "on_hand"} <= set(inventory.columns):
        stock = as_table(inventory)
        about = [*ahead["product_id"].dropna().unique(), ""]
        mine = stock.filter((stock["day"] == stock["day"].max()) & stock["product_id"].isin(about))
        left = mine.group_by("product_id").aggregate(left=mine["on_hand"].sum()).to_pandas()
        gone = set(left.loc[left["left"] <= 0, "product_id"])
        rows += [
            _clash("sold_out", p, _("nothing of it is left in stock"))
            for p in ahead[ahead["product_id"].isin(gone)].itertuples()
        ]
    columns = ["kind", "content_id", "with_id", "channel", "publish_at", "why"]
    return pd.DataFrame(rows, columns=columns).sort_values(["publish_at", "content_id"], ignore_index=True)


def _clash(kind: str, piece: Any, why: str, other: str = "") -> dict[str, Any]:
    return {
        "kind": kind, "content_id": piece.content_id, "with_id": other, "channel": piece.channel,
        "publish_at": piece.publish_at, "why": why,
    }  # fmt: skip


def _close(ahead: pd.DataFrame) -> list[dict[str, Any]]:
    """Pieces of one channel at nearly the same time, or on the same product on one day."""
    rows = []
    for _channel, mine in ahead.groupby("channel"):
        before = None
        for piece in mine.itertuples():
            if before is not None:
                apart = piece.publish_at - before.publish_at
                same = isinstance(piece.product_id, str) and piece.product_id == before.product_id
                if apart < pd.Timedelta(hours=SAME_HOURS):
                    rows.append(
                        _clash("same_time", piece, _("less than two hours after the one before"), before.content_id)
                    )
                elif same and apart < pd.Timedelta(days=1):
                    rows.append(_clash("same_product", piece, _("the same product within a day"), before.content_id))
            before = piece
    return rows


def _unready(ahead: pd.DataFrame, today: pd.Timestamp) -> list[dict[str, Any]]:
    """Pieces that go out soon and are not written or not reviewed."""
    rows = []
    for piece in ahead[ahead["stage"].isin(list(READY))].itertuples():
        left = (piece.publish_at.normalize() - today).days
        if left < READY[str(piece.stage)]:
            why = _("it is still “{stage}” and goes out in {days}")
            stage = term("stage", str(piece.stage))
            rows.append(_clash("not_ready", piece, why.format(stage=stage, days=style.value(left, "days"))))
    return rows


@quietly
def plot_by_week(weeks: pd.DataFrame) -> Axes:
    """A heatmap of weeks and channels: the darker, the more pieces; an empty cell is a week without any."""
    grid = weeks.pivot(index="channel", columns="week", values="pieces")
    ax = style.axes(height=1.2 + 0.5 * len(grid))
    ax.imshow(
        np.where(grid > 0, grid, np.nan), cmap="Blues", aspect="auto", vmin=0, vmax=max(grid.to_numpy().max() * 1.4, 1)
    )
    for y, x in np.ndindex(grid.shape):
        n = int(grid.iat[y, x])
        dark = n > grid.to_numpy().max() * 0.85
        ax.text(
            x,
            y,
            str(n),
            ha="center",
            va="center",
            fontsize=9,
            color="white" if dark else style.BAD if n == 0 else style.INK,
        )
    ax.set_yticks(range(len(grid)), [term("channel", c) for c in grid.index])
    ax.set_xticks(range(grid.shape[1]), [_("{day} {month}").format(**style.parts(w)) for w in grid.columns])
    today = weeks.attrs["today"]
    at = (today - grid.columns[0]).days / 7 - 0.5
    ax.axvline(at, color=style.NEUTRAL, linewidth=1.2, linestyle="--")
    ax.annotate(_("planned from here"), (at, 1), xycoords=("data", "axes fraction"), xytext=(4, 3),
                textcoords="offset points", fontsize=9, color=style.SOFT_INK)  # fmt: skip
    ax.grid(visible=False)
    ax.tick_params(axis="x", labelsize=9)
    ax.set_title(_("Pieces by week (from its Monday) and channel"), pad=22)
    return ax


@answers("What does the calendar lack?")
def findings(planned: pd.DataFrame, silent: pd.DataFrame, clashing: pd.DataFrame) -> list[Finding]:
    """What in the calendar has to be mended?

    Parameters
    ----------
    planned, silent, clashing : DataFrame
        Of `pieces`, `gaps`, `clashes`.
    """
    out = []
    ahead = int((planned["publish_at"] >= planned.attrs["today"]).sum())
    for gap in silent.to_dict("records"):
        text = _(
            "{channel} publishes nothing from {begins} to {ends}, {days}; it usually pauses {usual}: "
            "fill the gap or say why."
        )
        figure = Figure("content.gap", gap["days"], "days", by={"channel": gap["channel"]})
        said = text.format(
            channel=term("channel", gap["channel"]),
            begins=style.date(gap["begins"]),
            ends=style.date(gap["ends"]),
            days=style.value(gap["days"], "days"),
            usual=style.value(gap["usual_days"], "days"),
        )
        out.append(Finding("act", said, None, (figure,)))
    for kind, mine in clashing.groupby("kind", sort=False):
        text = _("{n} planned pieces: {kind} ({ids}).")
        said = text.format(
            n=len(mine), kind=term("kind", str(kind)).replace("_", " "), ids=listing(mine["content_id"].head(4))
        )
        figure = Figure("content.clashes", len(mine), "count", by={"kind": str(kind)})
        out.append(Finding("act" if kind in ("sold_out", "not_ready") else "watch", said, None, (figure,)))
    if not out:
        text = _("{n} pieces are planned; no channel falls silent and none gets in another's way.")
        out.append(
            Finding(
                "hold", text.format(n=style.value(ahead, "count")), None, (Figure("content.ahead", ahead, "count"),)
            )
        )
    return out
