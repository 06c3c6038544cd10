"""The campaign that comes next: its days, its parts, and the festival that it is for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd

from ...language import _, term
from ...methods import seasonality
from ...missing import Missing

AHEAD_DAYS = 75
SALES = ("festival", "launch", "clearance", "brand")
"""Kinds of campaigns that are prepared as one; the others run all the time."""
SOONEST = 14
"""Days that there must be to prepare a sale that nobody has planned yet."""
ALWAYS_DAYS = 60
"""What lasts longer always runs."""


@dataclass(frozen=True)
class Campaign:
    """A campaign to come.

    Attributes
    ----------
    campaign_id, name, kind : str
        campaign_id is empty where the shop has written none down and the calendar's next festival stands for it.
    begins, ends : Timestamp
        First and last day, the warm-up included.
    sells_from : Timestamp
        First day of its promotion.
    members, promotions : tuple of str
        Its flights in the media calendar, itself included; the promotions that belong to it.
    category : str
        Of its promotion; empty: the whole shop.
    """

    campaign_id: str
    name: str
    kind: str
    begins: pd.Timestamp
    ends: pd.Timestamp
    sells_from: pd.Timestamp
    members: tuple[str, ...] = ()
    promotions: tuple[str, ...] = ()
    category: str = ""

    @property
    def days(self) -> int:
        """On which it sells."""
        return (self.ends - self.sells_from).days + 1

    def days_left(self, today: dt.date) -> str:
        """Label of the period from today, or from the day on which it begins to sell, to its end."""
        return f"{max(self.sells_from, pd.Timestamp(today)).date()}/{self.ends.date()}"


def festivals(first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """Which festivals have own days between two days?

    Returns
    -------
    DataFrame
        name (code), festival (what readers call it), begins, ends (of its own days), sale (the platforms make it).
    """
    edge = pd.Timedelta(days=40)
    days = seasonality.festivals((first - edge).date(), (last + edge).date())
    own = days[days["phase"] == "during"].groupby(["name", "year", "sale"], as_index=False)["day"]
    out = own.agg(begins="min", ends="max")
    out["festival"] = [term("festival", seasonality.NAMES[name]) for name in out["name"]]
    out = out[(out["ends"] >= first) & (out["begins"] <= last)].sort_values("begins", ignore_index=True)
    return out[["name", "festival", "begins", "ends", "sale"]]


def coming(
    flights: pd.DataFrame | Missing | None,
    tasks: pd.DataFrame | Missing | None = None,
    *,
    today: dt.date,
    named: str = "",
    days: int = AHEAD_DAYS,
) -> Campaign:
    """Which campaign comes next?

    The one that is named; else the next to end of those that tasks are written down for; else the next that is no
    everyday one; else the next great sale of the platforms that there is time to prepare.

    Parameters
    ----------
    flights : DataFrame, optional
        Of `playbook.planning.campaign.flights`.
    tasks : DataFrame, optional
        Of `playbook.planning.campaign.tasks`.
    today : date
    named : str
        A campaign_id.
    days : int
        How far to look.

    Raises
    ------
    ValueError
        There is no campaign of that name ahead.
    """
    now = pd.Timestamp(today)
    there = pd.DataFrame() if flights is None or isinstance(flights, Missing) else flights
    if len(there):
        there = there[(there["ends"] >= now) & (there["begins"] <= now + pd.Timedelta(days=days))]
    if named:
        if named not in set(there.get("flight_id", ())):
            raise ValueError(_("no campaign {name!r} is planned").format(name=named))
        return _of(there, named)
    if len(there):
        short = there[(there["ends"] - there["begins"]).dt.days < ALWAYS_DAYS]
        with_tasks = set() if tasks is None or isinstance(tasks, Missing) else set(tasks["campaign_id"])
        heads = short[short["flight_id"].isin(with_tasks)]
        heads = heads if len(heads) else short[short["kind"].isin(SALES)]
        if len(heads):
            return _of(there, heads.sort_values(["ends", "begins"]).iloc[0]["flight_id"])
    known = festivals(now, now + pd.Timedelta(days=400))
    sale = known[known["sale"] & (known["begins"] >= now + pd.Timedelta(days=SOONEST))].iloc[0]
    return Campaign("", str(sale["festival"]), "festival", sale["begins"], sale["ends"], sale["begins"])


def _of(flights: pd.DataFrame, campaign_id: str) -> Campaign:
    """A campaign of the calendar with what belongs to it: parts named after it, promotions that carry its name."""
    rows = flights.set_index("flight_id")
    head = rows.loc[campaign_id]
    named = [f for f in rows.index if f == campaign_id or f.startswith(f"{campaign_id}-")]
    offers = rows[(rows["rule"] != "") & (rows["begins"] <= head["ends"]) & (rows["ends"] >= head["begins"])]
    mine = [f for f in offers.index if f == campaign_id or f in campaign_id or offers.loc[f, "name"] == head["name"]]
    sells_from = min((rows.loc[f, "begins"] for f in mine), default=head["begins"])
    return Campaign(
        campaign_id, str(head["name"]), str(head["kind"]), min(rows.loc[f, "begins"] for f in named),
        max(head["ends"], *(rows.loc[f, "ends"] for f in [*named, *mine])), sells_from,
        tuple(sorted(named)), tuple(mine), next((str(rows.loc[f, "category"]) for f in mine), ""),
    )  # fmt: skip
