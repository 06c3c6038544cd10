"""Facts of reach: visits to the own site, days of every platform, advertising, first orders and what came of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from ..language import _
from ..missing import Missing

if TYPE_CHECKING:
    from ..shop import Shop

OWN_SITES = ("own_site", "shopify", "woocommerce", "magento")
"""What the own site may be called among the platforms of orders."""
LEVELS = ("account", "campaign", "creative", "keyword")
"""Levels of advertising, the one that holds all of it first."""
WINDOWS = (30, 90, 180)
"""Days within which a new customer may come back."""
_NUMBERS = ("visitors", "visits", "pages", "carts", "buyers", "bounces", "dwell")


def sessions(shop: Shop) -> ibis.Table | Missing:
    """One row per visit to the own site."""
    visits = shop.sessions
    if isinstance(visits, Missing):
        return visits
    return visits.mutate(
        platform=ibis.literal(_own_site(shop)),
        visits=ibis.literal(1),
        bounces=(visits.pages <= 1).cast("int64"),
        dwell=visits.dwell_seconds,
    )


def platform_days(shop: Shop, by_source: bool = False) -> ibis.Table | Missing:
    """One row per day and platform (and source): visitors of the day; the own site by its events where it has any."""
    parts = [p for p in (_own_days(shop, by_source), _traffic_days(shop, by_source)) if not isinstance(p, Missing)]
    if not parts:
        return shop.traffic if isinstance(shop.traffic, Missing) else _no_totals(by_source)
    both = ibis.union(*parts, distinct=False) if len(parts) > 1 else parts[0]
    return _every_source_every_day(both) if by_source else both


def ads(shop: Shop) -> ibis.Table | Missing:
    """One row per day and unit of advertising, of one level a platform and day: the levels repeat each other."""
    spend = shop.ad_spend
    if isinstance(spend, Missing):
        return spend
    rank = ibis.cases(*((spend.level == name, i) for i, name in enumerate(LEVELS)), else_=len(LEVELS))
    ranked = spend.mutate(_rank=rank)
    ranked = ranked.mutate(_best=ranked._rank.min().over(group_by=["platform", "day"]))
    kept = ranked.filter(ranked._rank == ranked._best).drop("_rank", "_best")
    return kept.mutate(at=kept.day.cast("timestamp")).rename(ad_platform="platform")


def matured(paid: ibis.Table | Missing, days: int) -> ibis.Table | Missing:
    """One row per customer, on the day when her first order is so many days old, and whether she came back by then."""
    if isinstance(paid, Missing) or "buyer" not in paid.columns:
        return paid if isinstance(paid, Missing) else _no_customers()
    known = paid.filter(paid.customer_id.notnull())
    in_turn = {"group_by": known.buyer, "order_by": [known.paid_at, known.order_id]}
    known = known.mutate(_nth=ibis.row_number().over(**in_turn), _next=known.paid_at.lead().over(**in_turn))
    ended = known.paid_at + ibis.interval(days=days)
    first = known.mutate(at=ended, came_back=known._next.notnull() & (known._next <= ended))
    return first.filter(first._nth == 0).drop("_nth", "_next", "customer_type")


def _own_site(shop: Shop) -> str:
    """What orders call the platform that the events are of."""
    orders = shop.orders
    if isinstance(orders, Missing) or "platform" not in orders.columns:
        return OWN_SITES[0]
    names = set(orders.select("platform").distinct().to_pandas()["platform"].dropna())
    return next((n for n in OWN_SITES if n in names), names.pop() if len(names) == 1 else OWN_SITES[0])


def _own_days(shop: Shop, by_source: bool) -> ibis.Table | Missing:
    visits = sessions(shop)
    if isinstance(visits, Missing) or (by_source and "source" not in visits.columns):
        return visits if isinstance(visits, Missing) else _no_totals(by_source)
    visits = visits.mutate(day=visits["at"].date())
    keys = ["day", "platform", "source"] if by_source else ["day", "platform"]
    made = visits.group_by(keys).aggregate(
        visitors=visits.person.nunique(),
        visits=visits.count(),
        pages=visits.pages.sum(),
        carts=visits.person.nunique(where=visits.carted),
        buyers=visits.person.nunique(where=visits.ordered),
        bounces=visits.bounces.sum(),
        dwell=visits.dwell.sum(),
    )
    return _alike(made, keys)


def _traffic_days(shop: Shop, by_source: bool) -> ibis.Table | Missing:
    traffic = shop.traffic
    if isinstance(traffic, Missing) or "visitors" not in traffic.columns:
        return traffic if isinstance(traffic, Missing) else _no_totals(by_source)
    if by_source and "source" not in traffic.columns:
        return _no_totals(by_source)
    if "product_id" in traffic.columns:
        traffic = traffic.filter(traffic.product_id.isnull())
    if "source" in traffic.columns:
        traffic = traffic.filter(traffic.source.notnull() if by_source else traffic.source.isnull())
    if not isinstance(shop.events, Missing):
        traffic = traffic.filter(traffic.platform != _own_site(shop))  # events tell it better
    named = {new: traffic[old] for new, old in (("visits", "sessions"), ("pages", "views")) if old in traffic.columns}
    if "dwell_seconds" in traffic.columns:
        named["dwell"] = traffic.dwell_seconds * traffic.visitors
    return _alike(traffic.mutate(**named), ["day", "platform", "source"] if by_source else ["day", "platform"])


def _alike(rows: ibis.Table, keys: list[str]) -> ibis.Table:
    """The same columns of the same types, whoever counted; what is not told is null."""
    numbers = {c: rows[c].cast("float64") if c in rows.columns else ibis.null("float64") for c in _NUMBERS}
    return rows.select(*keys, **numbers).mutate(at=rows.day.cast("timestamp"))


def _every_source_every_day(rows: ibis.Table) -> ibis.Table:
    """With a row also of the days on which nobody came from a source, so that means are over all days."""
    days, names = rows.select("day", "platform", "at").distinct(), rows.select("platform", "source").distinct()
    grid = days.inner_join(names, "platform")
    there = rows.drop("at")
    full = grid.left_join(there, ["day", "platform", "source"])
    full = full.drop(*(c for c in full.columns if c.endswith("_right")))
    return full.mutate(visitors=full.visitors.fill_null(0))


def _no_totals(by_source: bool) -> Missing:
    if by_source:
        return Missing("traffic.source", remedy=_("Add an export that tells visitors by source."))
    return Missing(
        _("visitors of the whole shop by day"), remedy=_("Add a traffic export of the whole shop, not of products.")
    )


def _no_customers() -> Missing:
    return Missing("orders.customer_id", remedy=_("Map a column of your export to orders.customer_id."))
