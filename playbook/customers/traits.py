"""What each person is known by: one row per person of counts and yes/no columns, out of which groups are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import pandas as pd

from ..data.engine import as_table
from ..missing import Missing, answers

SAID = ("gender", "city_tier", "income", "occupation", "education")
MOST_LEVELS = 12
"""Values of a trait that count one by one; the rarer ones say nothing."""
RARE = 0.01
"""Share of the persons below which a value says nothing."""
AGES = (15, 20, 25, 30, 35, 40, 45, 50, 55, 60)
FIFTHS = (0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True)
class Traits:
    """What persons are known by.

    Attributes
    ----------
    table : Table
        One row per person who paid an order: person_id, orders, sales, and a column of counts for each level.
    levels : DataFrame
        One row per such column: column, trait, level.
    """

    table: ibis.Table
    levels: pd.DataFrame


@answers("What is each customer known by?", needs={"customer_360": ["orders"]})
def known_by(
    customer_360: ibis.Table | pd.DataFrame,
    bought: ibis.Table | pd.DataFrame,
    lines: ibis.Table | pd.DataFrame | None = None,
) -> Traits:
    """What is each customer known by?

    Parameters
    ----------
    customer_360 : Table
        The mart.
    bought, lines : Table
        From `purchases.of_persons` and `purchases.lines`.

    Returns
    -------
    Traits
        Taste: different products bought of each category. Where: platforms and devices bought on. Who: age in steps of
        five years, and what `SAID` tells. Price: fifths of the value of an order. Where a shop tells neither taste nor
        who: how often she buys and how long ago, in fifths. What is not known of a person counts nothing.
    """
    t = as_table(customer_360)
    buyers = t.filter(t.orders > 0)
    about = buyers.select(
        "person_id", "orders", "sales", "aov", "recency_days", *(c for c in ("age", *SAID) if c in buyers.columns)
    ).cache()  # asked for again and again
    parts = [_bought_in(as_table(bought), c) for c in ("platform", "device")]
    if lines is not None and "category" in as_table(lines).columns:
        parts.insert(0, _counted(as_table(lines), "category", "product_id"))
    persons = about
    levels: list[dict[str, str]] = []
    for found in (p for p in parts if p is not None):
        counted, of = found
        levels += of
        persons = persons.left_join(counted, "person_id", rname="{name}_right").drop("person_id_right")
    out = {of["column"]: persons[of["column"]].fill_null(0).cast("float64") for of in levels}

    def flag(trait: str, level: str, condition: ibis.Value) -> None:
        column = f"{trait}_{len(levels)}"
        levels.append({"column": column, "trait": trait, "level": level})
        out[column] = condition.fill_null(False).cast("float64")

    if "age" in about.columns:
        for low, high in zip((0, *AGES), (*AGES, 200), strict=True):
            flag("age", f"{low}–{high - 1}" if high < 200 else f"{low}+", (persons.age >= low) & (persons.age < high))
    said = [c for c in SAID if c in about.columns]
    for trait in said:
        for level in _levels(about, trait):
            flag(trait, level, persons[trait] == level)
    ranked = ["aov"] if said or "age" in about.columns or lines is not None else ["aov", "orders", "recency_days"]
    for trait in ranked:
        edges = about.aggregate(**{f"q{i}": about[trait].cast("float64").quantile(q) for i, q in enumerate(FIFTHS)})
        ends = [float(x) for x in edges.to_pandas().iloc[0]]
        for i, (over, up_to) in enumerate(zip([None, *ends], [*ends, None], strict=True)):
            value = persons[trait].cast("float64")
            above = ibis.literal(True) if over is None else value > over
            flag(trait, str(i + 1), above & (ibis.literal(True) if up_to is None else value <= up_to))
    return Traits(persons.select("person_id", "orders", "sales", **out).cache(), pd.DataFrame(levels))


def _levels(table: ibis.Table, column: str) -> list[str]:
    """The values of a column that are not rare, the most frequent first."""
    said = table.filter(table[column].notnull())
    counted = said.group_by(level=said[column]).aggregate(n=said.count()).order_by(ibis.desc("n"), "level")
    found = counted.limit(MOST_LEVELS).to_pandas()
    return [str(level) for level, n in zip(found.level, found.n, strict=True) if n >= RARE * found.n.sum()]


Part = tuple[ibis.Table, list[dict[str, str]]]


def _bought_in(bought: ibis.Table, column: str) -> Part | None:
    """On which platforms or devices each person bought: once each, however often."""
    return _counted(bought, column, column)


def _counted(rows: ibis.Table, column: str, of: str) -> Part | None:
    """How many different `of` each person has in each level of a column."""
    if column not in rows.columns:
        return None
    said = rows.filter(rows[column].notnull())
    per = said.group_by(level=said[column]).aggregate(n=said.person_id.nunique())
    found = per.order_by(ibis.desc("n"), "level").limit(MOST_LEVELS).to_pandas()
    names: Sequence[str] = [str(x) for x in found.level]
    if len(names) < 2:
        return None
    levels = [{"column": f"{column}_{i}", "trait": column, "level": name} for i, name in enumerate(names)]
    counts = {of_["column"]: said[of].nunique(where=said[column] == of_["level"]) for of_ in levels}
    return said.group_by("person_id").aggregate(**counts), levels


def sample(traits: Traits, *, least_orders: int, most: int, seed: int) -> pd.DataFrame:
    """Persons with enough orders to show what they are like, drawn by their number: the same each time.

    Returns
    -------
    DataFrame
        At most `most` rows: person_id and the columns of counts.
    """
    t = traits.table.filter(traits.table.orders >= least_orders)
    drawn = t.mutate(_draw=(t.person_id + ibis.literal(f"/{seed}")).hexdigest("md5"))
    return drawn.order_by("_draw", "person_id").limit(most).drop("_draw", "sales").to_pandas()


def enough(traits: Traits, *, wanted: int, at_most: int = 3) -> int | Missing:
    """From how many orders on are there enough persons to make groups of? A Missing where there are not."""
    t = traits.table
    counts = t.aggregate(**{f"n{k}": (t.orders >= k).sum() for k in range(1, at_most + 1)}).to_pandas().iloc[0]
    fit = [k for k in range(1, at_most + 1) if counts[f"n{k}"] >= wanted]
    if not fit:
        from ..language import _

        return Missing(_("enough customers who bought"), remedy=_("Groups are looked for among more customers."))
    return max(fit)
