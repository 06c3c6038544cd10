"""Is the demo alive? What a practitioner looks at first, beside the same figures of real shops.

The ranges are computed from the real data (`shared/data`), not typed: the lowest and highest of what the sources show,
with a margin where only one source is there.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd


def of_orders(orders: pd.DataFrame) -> dict[str, float]:
    """Signs of a list of orders: customer, at (time), value (> 0)."""
    orders = orders[orders["value"] > 0].sort_values(["customer", "at"], kind="stable")
    day = orders["at"].dt.normalize()
    visits = orders.assign(day=day).groupby(["customer", "day"], as_index=False)["value"].sum()
    number = visits.groupby("customer").size()
    first = visits.groupby("customer")["day"].transform("min")
    gap = visits.groupby("customer")["day"].diff().dt.days.dropna()
    log = np.log(visits["value"])
    often = visits["customer"].map(number) >= 3
    within = (log - log.groupby(visits["customer"]).transform("mean"))[often]
    out = {
        "orders per customer": number.mean(),
        "customers with one order": (number == 1).mean(),
        "days between orders, median": gap.median(),
        "order value, spread (sd of log)": log.std(),
        "order value, spread within a customer": np.sqrt((within**2).sum() / (often.sum() - (number >= 3).sum())),
    }
    for days in (30, 90):
        old = first <= visits["day"].max() - pd.Timedelta(days=days)
        again = old & (visits["day"] > first) & ((visits["day"] - first).dt.days <= days)
        out[f"customers who come back within {days} days"] = (
            visits.loc[again, "customer"].nunique() / visits.loc[old, "customer"].nunique()
        )
    return out


def weekly_noise(day: pd.Series, quiet: pd.Series | None = None) -> float:
    """How weekly orders vary about a mean of five weeks, beyond Poisson (sd of log)."""
    week = day.dt.to_period("W-SUN").value_counts().sort_index().iloc[1:-1]
    log = np.log(week)
    rest = (log - log.rolling(5, center=True).mean()).dropna()
    if quiet is not None:
        rest = rest[quiet.reindex(rest.index).fillna(False)]
    return float(np.sqrt(max(0.0, rest.var() / (1 - 1 / 5) - (1 / week).mean())))


def hours(at: pd.Series) -> np.ndarray:
    """Part of the orders in each hour of the day."""
    return at.dt.hour.value_counts(normalize=True).reindex(range(24), fill_value=0).to_numpy()


def real_ranges(folder: Path) -> dict[str, tuple[float, float, str]]:
    """Lowest and highest of each sign in the real data, and where they come from."""
    shops = {"cdnow": _cdnow(folder), "online_retail": _online_retail(folder)}
    signs = {name: of_orders(o) for name, o in shops.items()}
    noise = {name: weekly_noise(o["at"]) for name, o in _steady(shops).items()}
    tmall = _tmall(folder)
    paid = tmall[tmall["paid_at"].notna()]
    out = {}
    for sign in signs["cdnow"]:
        values = {name: s[sign] for name, s in signs.items()}
        if sign == "order value, spread (sd of log)":
            values["tmall_orders"] = float(np.log(tmall.loc[tmall["value"] > 0, "value"]).std())
        # Two or three shops do not span the world: a tenth more on each side.
        out[sign] = (0.9 * min(values.values()), 1.1 * max(values.values()), _told(values))
    out["weekly orders, noise of quiet weeks"] = (0.7 * min(noise.values()), 1.3 * max(noise.values()), _told(noise))
    unpaid = 1 - len(paid) / len(tmall)
    out["orders never paid"] = (0.02, unpaid, _told({"tmall_orders, in a lockdown": unpaid}))
    refunded = float((paid["refund"] > 0).mean())
    out["paid orders with a return"] = (0.05, refunded, _told({"tmall_orders, in a lockdown": refunded}))
    depth, spread = _double11(folder)
    out["prices: depth of a fall"] = (depth / 3, depth * 1.5, _told({"double11_beauty, at Double 11": depth}))
    out["prices: spread within a brand (sd of log)"] = (spread / 2, spread * 1.2, _told({"double11_beauty": spread}))
    behaviour = pd.read_csv(next((folder / "taobao_behaviour").glob("*.csv")), header=None)[3].value_counts()
    cart, viewed = float(behaviour["cart"] / behaviour["buy"]), float(behaviour["buy"] / behaviour["pv"])
    # A brand's own shop is no marketplace: people come to it with something in mind.
    out["carts per item bought"] = (cart / 3, cart * 3, _told({"taobao_behaviour": cart}))
    out["items bought per item viewed"] = (viewed / 3, viewed * 3, _told({"taobao_behaviour": viewed}))
    return out


def _told(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in values.items())


def _steady(shops: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The parts of the data in which nothing begins or ends."""
    return {
        "cdnow": shops["cdnow"].query("'1997-06-02' <= at < '1998-06-22'"),
        "online_retail": shops["online_retail"].query("'2011-01-17' <= at < '2011-11-28'"),
    }


def _cdnow(folder: Path) -> pd.DataFrame:
    names = ["customer", "at", "units", "value"]
    rows = pd.read_csv(folder / "cdnow" / "CDNOW_master.txt.gz", sep=r"\s+", header=0, names=names, dtype=str)
    rows = rows[pd.to_numeric(rows["value"], errors="coerce").notna()]
    return rows.assign(at=pd.to_datetime(rows["at"]), value=rows["value"].astype(float))


def _online_retail(folder: Path) -> pd.DataFrame:
    rows = pd.read_csv(next((folder / "online_retail").glob("*.gz")), encoding="latin-1")
    rows = rows[rows["CustomerID"].notna() & (rows["Quantity"] > 0) & (rows["UnitPrice"] > 0)]
    rows = rows.assign(value=rows["Quantity"] * rows["UnitPrice"], at=pd.to_datetime(rows["InvoiceDate"]))
    bills = rows.groupby(["CustomerID", "InvoiceNo"]).agg(at=("at", "min"), value=("value", "sum"))
    return bills.reset_index().rename(columns={"CustomerID": "customer"})


def _tmall(folder: Path) -> pd.DataFrame:
    rows = pd.read_csv(folder / "tmall_orders" / "tmall_order_report.csv")
    rows.columns = rows.columns.str.strip()
    return pd.DataFrame(
        {
            "at": pd.to_datetime(rows["订单创建时间"]),
            "paid_at": pd.to_datetime(rows["订单付款时间"]),
            "value": rows["总金额"].astype(float),
            "refund": rows["退款金额"].astype(float),
        }
    )


def real_hours(folder: Path) -> np.ndarray:
    """Orders by hour of the day in tmall_orders."""
    return hours(_tmall(folder)["at"])


def _double11(folder: Path) -> tuple[float, float]:
    """Median fall of the prices that fell, and the spread of prices within a brand."""
    rows = pd.read_csv(folder / "double11_beauty" / "double11_beauty.csv", encoding="utf-8-sig")
    rows = rows.assign(price=pd.to_numeric(rows["price"], errors="coerce")).query("price > 0")
    item = rows.groupby(["店名", "id"])["price"].agg(["min", "max", "median"])
    fall = 1 - item["min"] / item["max"]
    return (
        float(fall[fall > 0].median()),
        float(np.log(item["median"]).groupby("店名").std().median()),
    )
