"""Demographics: who the customers are, by age, sex, place and means, and whether that goes with what they do."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .. import style
from ..data.engine import as_table
from ..language import _, humanise
from ..methods import intervals
from ..missing import Missing, answers, quietly
from ..period import Period
from .purchases import midnight
from .words import word

BANDS = {"15–24": (15, 25), "25–34": (25, 35), "35–44": (35, 45), "45–59": (45, 60), "60+": (60, 130)}
"""Bands of age, years from and up to."""
YOUNGER, UNKNOWN = "<15", "unknown"

TRAITS = ("age", "gender", "city_tier", "income", "occupation", "education", "region")

TIERS = ("tier1", "tier2", "tier3", "rural")
INCOMES = ("low", "middle", "high")
ORDERED = {"age": (YOUNGER, *BANDS), "city_tier": TIERS, "income": INCOMES}
"""Values in their own order; all others stand by size."""

CITY_TIERS = {
    "tier1": "北京 上海 广州 深圳",
    "tier2": "成都 杭州 重庆 武汉 苏州 西安 南京 长沙 天津 郑州 东莞 无锡 宁波 青岛 合肥 佛山 沈阳 昆明 "
    "济南 厦门 福州 温州 常州 大连 石家庄 南宁 哈尔滨 金华 南昌 长春 南通 泉州 贵阳 嘉兴 太原 惠州 "
    "徐州 绍兴 中山 台州 烟台 珠海 保定 潍坊 兰州 ",
}
"""Cities of the first tier, and of the "new first" and second tiers, as Yicai ranks them; other cities are tier 3."""
COUNTIES = ("县", "旗", "镇", "乡", "村")

FLOOR = 10
"""Fewest people that a row of a table may describe."""


def band(age: ibis.Value) -> ibis.Value:
    """The band of an age in years; below 15 and unknown are kept, so that totals tie."""
    steps = [((age >= low) & (age < high), name) for name, (low, high) in BANDS.items()]
    return ibis.cases((age < 15, YOUNGER), *steps, else_=UNKNOWN)


def tier_of(city: ibis.Value) -> ibis.Value:
    """The tier of a Chinese city by its name (with or without 市); nothing for other names."""
    plain = city.re_replace("市$", "")
    known = [(plain.isin(names.split()), tier) for tier, names in CITY_TIERS.items()]
    rural = [(plain.endswith(end), "rural") for end in COUNTIES]
    return ibis.cases(*known, *rural, (plain.re_search("[\u4e00-\u9fff]"), "tier3"), else_=ibis.null("string"))


@answers("Who are the customers?")
def people(customer_360: ibis.Table | pd.DataFrame, rfm: ibis.Table | pd.DataFrame | None = None) -> ibis.Table:
    """Who are the customers, in the classes in which they are counted?

    Parameters
    ----------
    customer_360 : Table
        The mart, one row per person.
    rfm : Table, optional
        The mart: adds `segment`.

    Returns
    -------
    Table
        The mart, each of `TRAITS` that is known with its classes (age in `BANDS`; "unknown" where nothing is said; the
        tier of a city by its name where the data state none), `price_band` (low, middle, high: thirds of the persons'
        value of an order).
    """
    t = as_table(customer_360)
    out: dict[str, ibis.Value] = {}
    if "city_tier" in t.columns or "city" in t.columns:
        said = t.city_tier if "city_tier" in t.columns else ibis.null("string")
        out["city_tier"] = ibis.coalesce(said, tier_of(t.city) if "city" in t.columns else ibis.null("string"))
    if "age" in t.columns:
        out["age"] = band(t.age)
    classes = {
        c: ibis.coalesce(out.get(c, t[c] if c in t.columns else None), UNKNOWN)
        for c in TRAITS
        if c in out or c in t.columns
    }
    if "aov" in t.columns:
        place = ibis.percent_rank().over(ibis.window(group_by=t.aov.notnull(), order_by=t.aov))
        third = ibis.cases((place < 1 / 3, "low"), (place < 2 / 3, "middle"), else_="high")
        classes["price_band"] = t.aov.isnull().ifelse(ibis.null("string"), third)
    t = t.mutate(**classes)
    if rfm is None:
        return t.cache()  # asked for again and again
    segment = as_table(rfm).select("person_id", "segment")
    return t.left_join(segment, "person_id", rname="{name}_right").drop("person_id_right").cache()


@answers("Who buys?")
def profile(
    who: ibis.Table | pd.DataFrame, bought: ibis.Table | pd.DataFrame, period: Period, trait: str, *, floor: int = FLOOR
) -> pd.DataFrame:
    """Who buys, and how much, by a trait?

    Parameters
    ----------
    who : Table
        From `people`.
    bought : Table
        From `purchases.of_persons`.
    period : Period
        In which sales are counted.
    trait : str
        One of `TRAITS`.
    floor : int
        Classes of fewer persons are put together as "other"; where that is not enough, the row has no numbers.

    Returns
    -------
    DataFrame
        One row a class: the trait; persons (known at the end of the period), share (of them), buyers (in the period),
        buying (share of persons, with buying_low, buying_high: 95 %), orders, sales (currency, before returns),
        share_of_sales, aov (currency per order), index (sales per person, all = 100). The last row is the total of the
        classes. A Missing where nobody has the trait.
    """
    t, paid = as_table(who), as_table(bought)
    if trait not in t.columns:
        return Missing(
            f"customers.{trait}",
            _("Who buys?"),
            _("Map a column of your export to {table}.{column}, then run `playbook ingest` again.").format(
                table="customers", column=trait
            ),
        )
    within = paid.filter((paid["at"] >= midnight(period.start)) & (paid["at"] < midnight(period.end)))
    each = within.group_by("person_id").aggregate(_orders=within.count(), _sales=within.amount.sum())
    t = t.select("person_id", _class=t[trait]).left_join(each, "person_id", rname="{name}_right")
    found = t.group_by(**{trait: t._class}).aggregate(
        persons=t.count(), buyers=t._orders.count(), orders=t._orders.sum().fill_null(0),
        sales=t._sales.sum().fill_null(0),
    ).to_pandas()  # fmt: skip
    if not len(found) or (found[trait] == UNKNOWN).all():
        return Missing(f"customers.{trait}", _("Who buys?"), _("Nobody has said it."))
    found["sales"] = found.sales.astype(float)
    frame = _ordered(_no_small_cells(found, trait, floor), trait)
    total = {trait: "all"} | {c: frame[c].sum() for c in ("persons", "buyers", "orders", "sales")}
    frame = pd.concat([frame, pd.DataFrame([total])], ignore_index=True)
    return _with_rates(frame, float(total["sales"]), float(total["persons"]))


def _with_rates(frame: pd.DataFrame, sales: float, persons: float) -> pd.DataFrame:
    ends = [intervals.wilson(b, n) for b, n in zip(frame.buyers, frame.persons, strict=True)]
    each = frame.sales / frame.persons.where(frame.persons > 0)
    frame = frame.assign(
        share=frame.persons / persons if persons else np.nan,
        buying=frame.buyers / frame.persons.where(frame.persons > 0),
        buying_low=[e.low for e in ends],
        buying_high=[e.high for e in ends],
        share_of_sales=frame.sales / sales if sales else np.nan,
        aov=frame.sales / frame.orders.where(frame.orders > 0),
        index=100 * each / (sales / persons) if sales else np.nan,
    )
    order = [
        "persons",
        "share",
        "buyers",
        "buying",
        "buying_low",
        "buying_high",
        "orders",
        "sales",
        "share_of_sales",
        "aov",
        "index",
    ]
    return frame[[frame.columns[0], *order]]


PROFILE_UNITS = {
    "persons": "count", "share": "share", "buyers": "count", "buying": "share", "orders": "count", "sales": "currency",
    "share_of_sales": "share", "aov": "currency", "index": "ratio",
}  # fmt: skip


def _no_small_cells(found: pd.DataFrame, trait: str, floor: int) -> pd.DataFrame:
    """The classes, those of too few persons put together; if they are still too few, with the smallest other one."""
    small = found.persons < floor
    if not small.any():
        return found
    rest = found[~small].sort_values(["persons", trait])
    while len(rest) and found[~found.index.isin(rest.index)].persons.sum() < floor:
        rest = rest.iloc[1:]
    put = found[~found.index.isin(rest.index)]
    other = {trait: "other"} | {c: put[c].sum() for c in found.columns if c != trait}
    return pd.concat([rest, pd.DataFrame([other])], ignore_index=True)


def _ordered(frame: pd.DataFrame, trait: str) -> pd.DataFrame:
    places = {name: i for i, name in enumerate(ORDERED.get(trait, ()))} | {"other": 900, UNKNOWN: 901}
    key = frame[trait].map(places).fillna(500)
    return (
        frame.assign(_key=key)
        .sort_values(["_key", "persons", trait], ascending=[True, False, True], ignore_index=True)
        .drop(columns="_key")
    )


@answers("Whom do the platforms see?", needs={"audience_profile": ["trait", "value", "share"]})
def audience(audience_profile: ibis.Table | pd.DataFrame, *, trait: str, of: str = "buyers") -> pd.DataFrame:
    """Whom do the platforms see, by a trait? For shops whose customers tell nothing of themselves, and beside them.

    Returns
    -------
    DataFrame
        One row a class: the trait, and a column a platform: the share of its latest report.
    """
    t = as_table(audience_profile)
    t = t.filter((t.trait == trait) & (t.audience == of))
    latest = t.mutate(_last=t.day.max().over(ibis.window(group_by="platform")))
    found = latest.filter(latest.day == latest._last).select("platform", "value", "share").to_pandas()
    if not len(found):
        return Missing("audience_profile", _("Whom do the platforms see?"), "")
    wide = found.pivot_table(index="value", columns="platform", values="share", aggfunc="sum").reset_index()
    wide = wide.rename(columns={"value": trait})
    if trait == "age":
        wide[trait] = wide[trait].str.replace("-", "–")
    wide.columns.name = None
    return _ordered(wide.assign(persons=wide.drop(columns=trait).sum(axis=1)), trait).drop(columns="persons")


@answers("Whom do the platforms see?")
def audience_units(audience: pd.DataFrame) -> dict[str, str]:
    """The units of what `audience` returned."""
    return dict.fromkeys(audience.columns[1:], "share")


@quietly
def plot_profile(profile: pd.DataFrame) -> Axes:
    """The persons of each class beside the sales that come from them."""
    trait = profile.columns[0]
    rows = profile[profile[trait] != "all"].head(12)[::-1]
    ax = style.axes(height=1.2 + 0.46 * len(rows))
    y = np.arange(len(rows))
    ax.barh(y + 0.19, rows.share, height=0.34, color=style.COMPARISON)
    ax.barh(y - 0.19, rows.share_of_sales, height=0.34, color=style.OWN)
    for place, share, sales, index in zip(y, rows.share, rows.share_of_sales.fillna(0), rows["index"], strict=True):
        text = _("index {n}").format(n=style.value(round(float(index)), "count")) if index == index else style.UNKNOWN
        ax.annotate(
            text, (max(share, sales), place), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9
        )
    ax.set_yticks(y, [word(trait, str(v)) for v in rows[trait]])
    ax.grid(axis="y", visible=False)
    ax.margins(x=0.15)
    style.share_axis(ax, which="x")
    ax.set_title(_("Share of persons (grey) and of sales (blue) by {trait}").format(trait=humanise(trait, inside=True)))
    return ax
