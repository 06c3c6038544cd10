"""A page that shows whether the demo is alive: its signs beside those of real shops, and its curves.

``make alive`` writes build/alive/index.html for the demo of a seed.
"""

import argparse
import base64
import html
import io
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from vital_signs import hours, of_orders, real_hours, real_ranges, weekly_noise

from playbook import style
from playbook.data.demo import make_tables
from playbook.data.demo.world import World, make_world

ROOT = Path(__file__).parents[2]


def demo_signs(world: World, tables: dict[str, pd.DataFrame]) -> dict[str, float]:
    """The signs of a demo shop, from its canonical tables (money in fen)."""
    orders = tables["orders"]
    paid = orders[orders["paid_at"].notna()]
    honest = orders[orders["fraud"] == ""]
    signs = of_orders(_cohort(honest))
    loud = pd.Series(world.calendar.festival != "", world.calendar.days)
    quiet = ~loud.groupby(loud.index.to_period("W-SUN")).any()
    signs["weekly orders, noise of quiet weeks"] = weekly_noise(orders["ordered_at"], quiet)
    signs["orders never paid"] = 1 - len(paid) / len(orders)
    returned = tables["returns"].drop_duplicates(["platform", "order_id"])
    signs["paid orders with a return"] = len(returned) / len(paid)
    price = pd.Series(np.exp(np.diff(np.log(world.catalogue.price), axis=1)).ravel())
    signs["prices: depth of a fall"] = 1 - price[price < 0.999].median()
    level = np.log(world.catalogue.products["list_price"])
    signs["prices: spread within a brand (sd of log)"] = level.std()
    events = tables["events"]["event"].value_counts()
    own = tables["order_items"].query("platform == 'own_site'")
    signs["carts per item bought"] = events["add_to_cart"] / len(own)
    signs["items bought per item viewed"] = len(own) / events["view_item"]
    return {k: float(v) for k, v in signs.items()}


def _cohort(orders: pd.DataFrame) -> pd.DataFrame:
    """Orders of those who came within three months, followed for a year and a half as cdnow's were."""
    first = orders.groupby("person")["day"].transform("min")
    mine = orders[first.between(500, 590) & (orders["day"] < 500 + 546)]
    return pd.DataFrame({"customer": mine["person"], "at": mine["ordered_at"], "value": mine["amount"] / 100})


def beside(signs: dict[str, float], ranges: dict[str, tuple[float, float, str]]) -> pd.DataFrame:
    """Each sign of the demo with the range of real shops and whether it lies within."""
    rows = [(name, signs[name], low, high, source) for name, (low, high, source) in ranges.items()]
    out = pd.DataFrame(rows, columns=["sign", "demo", "low", "high", "real"]).set_index("sign")
    return out.assign(within=out["demo"].between(out["low"], out["high"]))


def pictures(world: World, tables: dict[str, pd.DataFrame], real: np.ndarray) -> plt.Figure:
    figure, axes = plt.subplots(6, 2, figsize=(15, 27), layout="constrained")
    for draw, ax in zip(
        (_sales, _year, _hours, _repeat, _funnel, _returns, _media, _spend, _parcels, _voice, _stock, _rival),
        axes.flat,
        strict=True,
    ):
        draw(world, tables, real, ax)
    return figure


def _daily(world, table, at, value=None):
    day = (table[at].dt.normalize() - world.calendar.days[0]).dt.days
    weights = None if value is None else table[value]
    return np.bincount(day, weights, world.calendar.n)[: world.calendar.n]


def _sales(world, tables, real, ax):
    paid = tables["orders"][tables["orders"]["paid_at"].notna()]
    sales = _daily(world, paid, "paid_at", "amount") / 100
    ax.plot(world.calendar.days, sales / 1e3, lw=0.7)
    for name in dict.fromkeys(world.calendar.festival[world.calendar.festival != ""]):
        within = np.flatnonzero(world.calendar.festival == name)
        ax.fill_between(
            world.calendar.days, 0, sales.max() / 1e3, where=np.isin(np.arange(world.calendar.n), within), alpha=0.08
        )
    ax.set(title="Sales a day, festivals shaded", ylabel="thousand yuan")


def _year(world, tables, real, ax):
    orders = tables["orders"]
    month = orders["ordered_at"].dt.to_period("M").dt.to_timestamp()
    (orders.groupby([month, "platform"])["amount"].sum().unstack() / 1e8).plot.area(ax=ax, lw=0)
    ax.set(title="Sales a month by platform", ylabel="million yuan", xlabel="")


def _hours(world, tables, real, ax):
    ax.plot(hours(tables["orders"]["ordered_at"]), label="demo")
    ax.plot(real, label="tmall_orders", ls="--")
    ax.set(title="Orders by hour of the day", ylabel="part of the orders")
    ax.legend()


def _repeat(world, tables, real, ax):
    orders = tables["orders"].sort_values("ordered_at")
    first = orders.groupby("customer_id")["ordered_at"].transform("min")
    age = (orders["ordered_at"] - first).dt.days
    old = first < world.calendar.days[-366]
    back = orders[(age > 0) & old].assign(age=age).groupby("customer_id")["age"].min()
    days = np.arange(0, 361, 10)
    ax.plot(days, [(back <= d).sum() / orders.loc[old, "customer_id"].nunique() for d in days])
    ax.set(title="Customers who have come back, by days since their first order", ylabel="part of the customers")


def _funnel(world, tables, real, ax):
    events = tables["events"]
    weak = world.calendar.days[world.incidents.weak_step]
    steps = ["begin_checkout", "add_payment_info", "purchase"]
    for device in ("phone", "mini_program", "desktop"):
        for late in (False, True):
            mine = events[(events["device"] == device) & ((events["event_at"] >= weak) == late)]["event"].value_counts()
            ax.plot(
                steps,
                mine.reindex(steps) / mine["add_to_cart"],
                marker="o",
                ls="-" if late else ":",
                label=f"{device}, {'after' if late else 'before'} {weak:%Y-%m-%d}",
            )
    ax.set(title="Own site: part of the carts that reach a step", ylim=(0, None))
    ax.legend(fontsize=8)


def _returns(world, tables, real, ax):
    paid = tables["orders"][tables["orders"]["paid_at"].notna()]
    back = paid.merge(tables["returns"][["platform", "order_id"]].drop_duplicates().assign(back=1), how="left")
    month = back["ordered_at"].dt.to_period("M").dt.to_timestamp()
    back["back"].notna().groupby([month, back["platform"]]).mean().unstack().plot(ax=ax)
    ax.set(title="Part of the orders with a return, by month of the order", xlabel="", ylim=(0, None))


def _media(world, tables, real, ax):
    level = tables["ad_spend"].query("level == 'campaign'")
    claimed = level.groupby("channel")["conversion_value"].sum() / level.groupby("channel")["spend"].sum()
    orders = tables["orders"]
    true = orders.groupby("cause")["amount"].sum() / (
        world.media.spend.sum(axis=1) * pd.Series(1.0, world.media.channels["channel"])
    )
    pd.DataFrame({"claimed by the platform": claimed, "true": true.reindex(claimed.index)}).plot.bar(ax=ax, rot=20)
    ax.set(title="Return on advertising, claimed and true", ylabel="yuan a yuan", xlabel="")


def _spend(world, tables, real, ax):
    spend = pd.DataFrame(world.media.spend.T / 100, world.calendar.days, world.media.channels["name_en"])
    (spend.resample("W").sum() / 1e3).plot(ax=ax, lw=0.9)
    ax.set(title="Spending a week", ylabel="thousand yuan", xlabel="")
    ax.legend(fontsize=7, ncols=2)


def _parcels(world, tables, real, ax):
    parcels = tables["shipments"].dropna(subset=["delivered_at"])
    days = (parcels["delivered_at"] - parcels["shipped_at"]).dt.total_seconds() / 86400
    month = parcels["shipped_at"].dt.to_period("M").dt.to_timestamp()
    late = np.where(parcels["region"] == "四川", "四川", "elsewhere")
    days.groupby([month, late]).median().unstack().plot(ax=ax)
    ax.set(title="Days on the way, median", ylabel="days", xlabel="", ylim=(0, None))


def _voice(world, tables, real, ax):
    ours = tables["mentions"][
        tables["mentions"]["brand"].str.startswith("露苔") & (tables["mentions"]["sentiment"] < 0)
    ]
    ax.plot(world.calendar.days, _daily(world, ours, "mentioned_at"), label="negative mentions", lw=0.8)
    bad = tables["reviews"][tables["reviews"]["rating"] <= 2]
    ax.plot(world.calendar.days, _daily(world, bad, "reviewed_at"), label="reviews with 1 or 2 stars", lw=0.8)
    ax.set(title="Voices a day", ylabel="number")
    ax.legend()


def _stock(world, tables, real, ax):
    stock = tables["inventory"].query("product_id in ['cream0001', 'serum0001']")
    stock.groupby(["day", "product_id"])["on_hand"].sum().unstack().iloc[-250:].plot(ax=ax)
    ax.set(title="Units in stock", ylabel="units", xlabel="")


def _rival(world, tables, real, ax):
    prices = tables["competitors"].query("product_id == 'serum0001'")
    (prices.pivot_table(index="day", columns="competitor", values="price") / 100).plot(ax=ax, lw=0.8)
    own = world.catalogue.price[world.catalogue.position("serum0001")] / 100
    ax.plot(world.calendar.days, own, color="black", lw=1, label="ours")
    ax.set(title="A serum and its rivals", ylabel="yuan", xlabel="")
    ax.legend(fontsize=8)


def page(world: World, tables: dict[str, pd.DataFrame], folder: Path) -> str:
    """The page, whole in itself."""
    style.apply()
    table = beside(demo_signs(world, tables), real_ranges(folder))
    out = io.BytesIO()
    pictures(world, tables, real_hours(folder)).savefig(out, format="png", dpi=80)
    rows = "".join(
        f"<tr><td>{html.escape(str(sign))}<td>{r.demo:.3g}<td>{r.low:.3g} to {r.high:.3g}<td>{'yes' if r.within else 'NO'}"
        f"<td>{html.escape(r.real)}"
        for sign, r in table.iterrows()
    )
    sizes = ", ".join(f"{name} {len(t):,}" for name, t in tables.items())
    return (
        f"<!doctype html><meta charset=utf-8><title>The demo, seed {world.seed}</title>"
        "<style>body{font:15px sans-serif;max-width:1250px;margin:2em auto}td,th{padding:.2em .8em;text-align:left}</style>"
        f"<h1>Is the demo alive? Seed {world.seed}, scale {world.scale:g}</h1><p>{sizes}</p>"
        f"<table><tr><th>sign<th>demo<th>real shops<th>within<th>where from{rows}</table>"
        f"<img alt='curves of the demo' src='data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}'>"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "alive" / "index.html")
    said = parser.parse_args()
    folder = Path(os.environ.get("PLAYBOOK_REAL_DATA", ROOT.parent / "shared" / "data"))
    world = make_world(scale=said.scale, seed=said.seed, until="2026-10")
    said.out.parent.mkdir(parents=True, exist_ok=True)
    said.out.write_text(page(world, make_tables(world), folder), encoding="utf-8")
    print(said.out)


if __name__ == "__main__":
    main()
