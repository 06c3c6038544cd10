"""Why did they leave? A reason for each who is away, and by it one of the four documented ways to win her back."""

from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd

from ...data.engine import as_table
from ...language import N_
from ...missing import answers

BAD_TOPICS = ("complaint", "allergy")
PRICE_TOPICS = ("price_protection",)
BAD_RETURNS = ("quality", "damaged", "not_as_described", "skin_reaction", "wrong_item", "late")
PRICE_RETURNS = ("price_dropped",)
BAD_RATING = 2
NEAR = 60
"""Days around the last order within which something bad counts as the reason."""
BARGAIN = 0.15
"""Part of the full price that discounts took off all that she bought, from which on price is taken for the reason."""

RULES = ("high value", "experience", "price", "long")
"""The four documented rules; who meets none stays with the ordinary messages."""

PLAYS = {
    "high value": (
        N_("a personal word and early access to something new", "offer"), N_("personal chat, then telephone", "way"),
    ),
    "experience": (
        N_("an apology, the matter put right, and a small compensation", "offer"), N_("customer service", "way"),
    ),
    "price": (N_("a coupon that ends soon, for what she used to buy", "offer"), N_("text message", "way")),
    "long": (N_("a gift with the next order, and what is new since", "offer"), N_("text message, e-mail", "way")),
}  # fmt: skip
"""Rule → what is offered, and how she is reached."""


@answers("Why did they leave, and how might each be won back?")
def reasons(
    states: ibis.Table | pd.DataFrame,
    purchases: ibis.Table | pd.DataFrame,
    *,
    tickets: ibis.Table | None = None,
    reviews: ibis.Table | None = None,
    returns: ibis.Table | None = None,
    order_items: ibis.Table | None = None,
    products: ibis.Table | None = None,
    near: int = NEAR,
    bargain: float = BARGAIN,
) -> ibis.Table:
    """Why did each who is away leave, and by which rule might she be won back?

    The first that holds: *experience* (a complaint, a low rating or a return for a fault around her last order),
    *price* (a return or question about a lower price, or discounts of at least `bargain` of all she bought), *shift*
    (her last order was of another category than most of hers), else *drift*. Rules: experience; high value and away
    short; price; away long.

    Parameters
    ----------
    states, purchases : Table or DataFrame
        From `churn.states` and `purchases`.
    tickets, reviews, returns : Table, optional
        Of persons (see `rows_of_persons`): topic, rating, opened_at; rating, reviewed_at; reason, returned_at.
    order_items, products : Table, optional
        For the shift between categories.
    near : int, default 60
        Days around the last order.
    bargain : float, default 0.15
        Fraction.

    Returns
    -------
    Table
        One row per person who is away: person_id, window, value, days, sales_year, reason (experience, price, shift,
        drift), rule (of `RULES`, or none).
    """
    t = as_table(states)
    away = t.filter(t.window != "active")
    rows = as_table(purchases)
    off = rows.group_by("person_id").aggregate(_full=(rows.amount + rows.discount).sum(), _off=rows.discount.sum())
    t = away.left_join(off, "person_id").drop("person_id_right")
    cheap = (t._off.cast("float64") >= bargain * t._full.cast("float64")) & (t._off > 0)
    t = t.mutate(_price=cheap.fill_null(False), _bad=ibis.literal(False), _moved=ibis.literal(False))
    for table, when, marks in (
        (tickets, "opened_at", {"_bad": ("topic", BAD_TOPICS), "_price": ("topic", PRICE_TOPICS)}),
        (reviews, "reviewed_at", {"_bad": ("rating", None)}),
        (returns, "returned_at", {"_bad": ("reason", BAD_RETURNS), "_price": ("reason", PRICE_RETURNS)}),
    ):
        t = _marked(t, table, when, marks, near)
    if order_items is not None and products is not None and "category" in as_table(products).columns:
        moved = _moved(rows, as_table(order_items), as_table(products))
        t = t.left_join(moved, "person_id").drop("person_id_right")
        t = t.mutate(_moved=t._elsewhere.fill_null(False)).drop("_elsewhere")
    reason = ibis.cases((t._bad, "experience"), (t._price, "price"), (t._moved, "shift"), else_="drift")
    t = t.mutate(reason=reason)
    rule = ibis.cases(
        (t.reason == "experience", "experience"),
        ((t.value == "high") & (t.window == "short"), "high value"),
        (t.reason == "price", "price"),
        (t.window == "long", "long"),
        else_="none",
    )
    return t.select("person_id", "window", "value", "days", "sales_year", "reason", rule=rule).cache()


def _marked(t: ibis.Table, table, when: str, marks, near: int) -> ibis.Table:
    """With flags for what happened to a person near her last order."""
    if table is None or when not in table.columns:
        return t
    flags = {f: _is(table, column, values) for f, (column, values) in marks.items() if column in table.columns}
    if not flags:
        return t
    said = table.select("person_id", _when=table[when], **{f"{f}_": v for f, v in flags.items()})
    both = t.select("person_id", "last_at").inner_join(said, "person_id")
    gap = both._when.date().delta(both.last_at.date(), unit="day")
    both = both.filter((gap >= -near) & (gap <= near))
    found = both.group_by("person_id").aggregate(**{f"{f}_": both[f"{f}_"].any() for f in flags})
    t = t.left_join(found, "person_id").drop("person_id_right")
    return t.mutate(**{f: t[f] | t[f"{f}_"].fill_null(False) for f in flags}).drop(*(f"{f}_" for f in flags))


def _is(table: ibis.Table, column: str, values) -> ibis.Value:
    """Whether a row says something bad: one of the values, or a rating that is low."""
    found = table[column] <= BAD_RATING if values is None else table[column].isin(list(values))
    if column == "topic" and "rating" in table.columns and "complaint" in values:
        found = found | (table.rating <= BAD_RATING)
    return found.fill_null(False)


def _moved(purchases: ibis.Table, items: ibis.Table, products: ibis.Table) -> ibis.Table:
    """Who bought mostly of one category, and last of another; three orders or more."""
    same = ["order_id", *(["platform"] if "platform" in items.columns else [])]
    about = products.group_by("product_id").aggregate(category=products.category.max())
    lines = items.select(*same, "product_id", "quantity").inner_join(about, "product_id")
    t = lines.inner_join(purchases.select("person_id", "order_id", "platform", "at"), same)
    units = t.group_by("person_id", "category").aggregate(n=t.quantity.sum())
    place = ibis.row_number().over(ibis.window(group_by="person_id", order_by=[ibis.desc("n"), "category"]))
    usual = units.mutate(_place=place).filter(lambda x: x._place == 0).select("person_id", usual="category")
    orders = t.group_by("person_id").aggregate(orders=t.order_id.nunique(), last=t.at.max())
    final = t.inner_join(orders, "person_id")
    final = final.filter((final.at == final.last) & (final.orders >= 3)).inner_join(usual, "person_id")
    return final.group_by("person_id").aggregate(_elsewhere=(final.category != final.usual).all())


@answers("Why did they leave?")
def counts(reasons: ibis.Table | pd.DataFrame) -> pd.DataFrame:
    """How many left for what reason, and by which rule might they be won back?

    Parameters
    ----------
    reasons : Table or DataFrame
        From `reasons`.

    Returns
    -------
    DataFrame
        reason, rule, customers, share (of all who are away), sales_year (money), median_days; the most first.
    """
    t = as_table(reasons)
    found = (
        t.group_by("reason", "rule")
        .aggregate(customers=t.count(), sales_year=t.sales_year.sum(), median_days=t.days.cast("float64").median())
        .to_pandas()
        .sort_values(["customers", "reason", "rule"], ascending=[False, True, True], ignore_index=True)
    )
    found.insert(3, "share", found.customers / max(int(found.customers.sum()), 1))
    return found.astype({"sales_year": float})


def moment(as_of: dt.datetime) -> str:
    """The name of a win-back round, by its month."""
    return f"winback_{as_of:%Y_%m}"
