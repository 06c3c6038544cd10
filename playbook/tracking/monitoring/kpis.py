"""The figures that are watched: how each is judged, which side is news, whose it is, and who is told when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from ...data.plan_sheets import Column
from ...language import N_, _, term
from ...methods import alerts
from ...missing import answers

Group = Literal["traffic", "funnel", "cost", "interaction", "sales"]

GROUPS: dict[str, str] = {
    "traffic": N_("Traffic"),
    "funnel": N_("Funnel"),
    "cost": N_("Cost of customers and return on advertising"),
    "interaction": N_("Interaction"),
    "sales": N_("Sales and stock"),
}
"""The five groups of the dashboard."""


@dataclass(frozen=True)
class Kpi:
    """A figure that is watched.

    Attributes
    ----------
    name, title : str
    group : str
        One of `GROUPS`.
    unit : str
        As in `playbook.style.UNITS`.
    kind : {"count", "share", "amount", "rule"}
        How a day is judged: as `playbook.methods.alerts.judge` says, or by a limit alone.
    direction : {"up", "down", "both"}
        Which side is news.
    at_least : float
        Relative difference from what is expected, below which nobody is told.
    owner : str
        The role that looks into it.
    limit : float
        Of a rule: beyond it is out of the usual.
    fallen : float
        Of a rule: and below so many times what it usually was, for what has always been poor is no news.
    festivals : {"same", "apart", "rush", "rest"}
        What they do to it: nothing; something, so only a large difference is told and nothing is learnt from them; they
        move it, so it is held against the same festival of earlier years; nothing is as ever, so it is not judged.
    spans : tuple of int
        Days that are looked at together.
    drift : float
        How far its level is thought to move within a quarter, in logs.
    """

    name: str
    title: str
    group: Group
    unit: str
    kind: Literal["count", "share", "amount", "rule"]
    direction: Literal["up", "down", "both"]
    at_least: float
    owner: str
    limit: float = float("nan")
    fallen: float = float("inf")
    festivals: Literal["same", "apart", "rush", "rest"] = "same"
    spans: tuple[int, ...] = alerts.SPANS
    drift: float = 0.2

    @property
    def rate(self) -> bool:
        """Whether people read it for each thing of its exposure."""
        return self.unit == "share" or self.name in ("aov", "cac")


_TRAFFIC, _SITE, _MEDIA = N_("Traffic manager"), N_("Site manager"), N_("Media manager")
_SERVICE, _SALES, _STOCK = N_("Head of customer service"), N_("Sales manager"), N_("Supply manager")
_BRAND, _RISK, _PRICES = N_("Brand manager"), N_("Risk control"), N_("Pricing manager")

_FEW: dict[str, Any] = {"spans": (1, 7, 28), "drift": 0.05}  # where a day holds few cases
_MOVES: dict[str, Any] = {"festivals": "rush"}  # with the festivals, and with all that a shop does

KPIS: dict[str, Kpi] = {
    k.name: k
    for k in (
        Kpi("daily_visitors", N_("Visitors a day"), "traffic", "count", "count", "both", 0.7, _TRAFFIC, **_MOVES),
        Kpi("visits", N_("Visits to the own site"), "traffic", "count", "count", "both", 0.7, _TRAFFIC, **_MOVES),
        Kpi("add_to_cart", N_("Product to cart"), "funnel", "share", "share", "down", 0.15, _SITE,
            festivals="apart", **_FEW),
        Kpi("begin_checkout", N_("Cart to checkout"), "funnel", "share", "share", "down", 0.15, _SITE, **_FEW),
        Kpi("add_payment_info", N_("Checkout to payment"), "funnel", "share", "share", "down", 0.15, _SITE, **_FEW),
        Kpi("purchase", N_("Payment to order"), "funnel", "share", "share", "down", 0.15, _SITE, **_FEW),
        Kpi("daily_buyer_rate", N_("Visitors who buy"), "funnel", "share", "share", "down", 0.25, _SITE,
            festivals="apart", **_FEW),
        Kpi("cac", N_("Cost per new customer"), "cost", "currency", "amount", "up", 1.0, _MEDIA, festivals="rest"),
        Kpi("roas", N_("Return on advertising against its target"), "cost", "ratio", "rule", "down", 0.0, _MEDIA,
            limit=0.6, fallen=0.6),
        Kpi("negative_mentions", N_("Negative mentions"), "interaction", "share", "share", "up", 0.3, _BRAND),
        Kpi("complaints", N_("Complaints per order"), "interaction", "share", "count", "up", 0.5, _SERVICE,
            festivals="apart"),
        Kpi("low_ratings", N_("Ratings of one or two stars"), "interaction", "share", "share", "up", 0.3, _SERVICE),
        Kpi("orders_paid", N_("Orders paid"), "sales", "count", "count", "both", 0.7, _SALES, **_MOVES),
        Kpi("paid_sales", N_("Paid sales"), "sales", "currency", "amount", "both", 0.7, _SALES, **_MOVES),
        Kpi("aov", N_("Average order value"), "sales", "currency", "amount", "both", 0.4, _SALES, festivals="apart",
            drift=0.1),
        Kpi("night_orders", N_("Orders placed between midnight and six"), "sales", "share", "share", "up", 1.0, _RISK,
            festivals="rest"),
        Kpi("late_parcels", N_("Parcels later than promised"), "sales", "share", "share", "up", 1.0, _STOCK,
            **_FEW),
        Kpi("stock_days", N_("Days that a best seller's stock lasts"), "sales", "days", "rule", "down", 0.0, _STOCK,
            limit=0.5),
        Kpi("late_supplies", N_("Days that a supplier is late"), "sales", "days", "rule", "up", 0.0, _STOCK, limit=7.0),
        Kpi("rival_price", N_("A competitor's prices against ours"), "sales", "ratio", "rule", "down", 0.0, _PRICES,
            limit=0.82, fallen=0.9),
    )
}  # fmt: skip
"""The named list of figures that are watched."""

MEASURED: dict[tuple[str, ...], tuple[str, ...]] = {
    (): ("visits", "paid_sales", "aov", "cac"),
    ("platform",): ("daily_visitors", "daily_buyer_rate", "orders_paid"),
}
"""Breakdown → the figures of `playbook.metrics` that are watched by it."""

ESCALATION: dict[str, tuple[float, str]] = {
    "yellow": (24, N_("The owner looks into it on the next working day.")),
    "orange": (4, N_("The owner and the head of marketing, the same day.")),
    "red": (1, N_("All of them and the managing director, at once.")),
}
"""Level → hours, and who is told."""


@answers("Who is told, and how fast?")
def ladder() -> pd.DataFrame:
    """Whom does an alert reach, and how fast? severity, hours, who_is_told."""
    rows = [(level, hours, _(told)) for level, (hours, told) in ESCALATION.items()]
    return pd.DataFrame(rows, columns=["severity", "hours", "who_is_told"])


def columns() -> list[Column]:
    """What a shop's own ``plan/alerts.csv`` must hold: limits of its own, and owners."""
    return [
        Column("kpi", required=True, one_of=tuple(KPIS)),
        Column("part"),
        Column("low", between=(-1e15, 1e15)),
        Column("high", between=(-1e15, 1e15)),
        Column("owner"),
    ]


def named(kpi: str, part: str = "") -> str:
    """What a reader calls a figure, or a part of it."""
    title = _(KPIS[kpi].title)
    return _("{kpi}, {part}").format(kpi=title, part=spoken(part)) if part else title


def spoken(part: str) -> str:
    """A part as people say it; a product or a region is what it is called."""
    for column in ("platform", "device", "channel"):
        if (said := term(column, part)) != part:
            return said
    return part
