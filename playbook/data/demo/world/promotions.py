"""Promotions: what they take off the price, what they add while they run, and what they only pull forward."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .calendar import AHEAD, Calendar, festive
from .policy import Policy, known_or_refuse

# Every year: id, Chinese and English name, festival, first and last day as month × 100 + day, part off the price,
# what it multiplies sales by (on top of the market's own rush), part of the gain that is pulled forward.
YEARLY = [
    ("38", "女神节满减", "Women's day full reduction", "festival_38", 305, 308, 0.10, 1.55, 0.25),
    ("520", "520礼赠", "520 gift week", "festival_520", 517, 520, 0.08, 1.35, 0.15),
    ("618", "618年中大促", "618 mid-year sale", "festival_618", 531, 618, 0.13, 1.75, 0.30),
    ("99", "99聚划算", "99 deals", "festival_99", 907, 909, 0.10, 1.40, 0.20),
    ("1111", "双11全球狂欢", "Double 11", "festival_1111", 1031, 1111, 0.15, 1.90, 0.35),
    ("1212", "双12", "Double 12", "festival_1212", 1210, 1212, 0.10, 1.45, 0.25),
]  # fmt: skip
LOSING = ("mask_bogo", "面膜买一送一", "Masks, two for one", "面膜", 0.50, 1.45, 0.60)
DIP_DAYS = 12.0  # mean delay of the sales that a promotion had pulled forward


@dataclass(frozen=True)
class Promotions:
    """Promotions by position.

    Attributes
    ----------
    table : DataFrame
        promotion_id, name, name_en, festival, category ("" for all), kind, begins and ends (positions of days, both
        within; beyond the observed ones where only planned), depth (part off the price), uplift (factor on units),
        pulled (part of the gain that is missing afterwards), losing.
    factor : ndarray, promotions × days
        What each multiplies the sales of its category by: the uplift while it runs, below 1 afterwards.
    depth : ndarray, promotions × days
        What it takes off the price.
    """

    table: pd.DataFrame
    factor: np.ndarray
    depth: np.ndarray

    def on(self, category: np.ndarray, days: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Factor on sales, part off the price, and position of the promotion (−1: none), by product and day.

        Where two meet the deeper one holds, and their effects on sales are the deeper one's; the dips after all
        earlier ones stay.
        """
        factor, depth = np.ones((len(category), days)), np.zeros((len(category), days))
        which = np.full((len(category), days), -1)
        lift = np.ones((len(category), days))
        for i, p in self.table.iterrows():
            rows = np.flatnonzero((p["category"] == "") | (category == p["category"]))
            factor[rows] *= np.minimum(self.factor[i], 1)
            deeper = self.depth[i][None] > depth[rows]
            depth[rows] = np.where(deeper, self.depth[i], depth[rows])
            which[rows] = np.where(deeper, i, which[rows])
            lift[rows] = np.where(deeper, np.maximum(self.factor[i], 1), lift[rows])
        return factor * lift, depth, which


def make_promotions(cal: Calendar, categories: list[str], rng: np.random.Generator, policy: Policy) -> Promotions:
    """The promotions of all festivals, a week for one category every month or so, and the one that loses money."""
    rows = [*_yearly(cal, rng), *_category_weeks(cal, categories, rng), _losing(cal, rng)]
    table = pd.DataFrame(rows).sort_values(["begins", "promotion_id"], ignore_index=True)
    for name, times in policy.promotions.items():
        known = (table["promotion_id"] == name) | (table["promotion_id"].str.rsplit("-", n=1).str[0] == name)
        known_or_refuse("promotions", name, known.any(), table["promotion_id"])
        ruled = known & (table["begins"] >= policy.begins)
        table.loc[ruled, "depth"] = (table.loc[ruled, "depth"] * times).clip(upper=0.9)
        table.loc[ruled, "uplift"] = 1 + (table.loc[ruled, "uplift"] - 1) * times
    factor, depth = np.ones((len(table), cal.n)), np.zeros((len(table), cal.n))
    for i, p in table.iterrows():
        during = slice(p["begins"], p["ends"] + 1)
        factor[i, during], depth[i, during] = p["uplift"], p["depth"]
        _dip(factor[i], cal.busy, p)
    return Promotions(table, factor, depth)


def _dip(factor: np.ndarray, busy: np.ndarray, p: pd.Series) -> None:
    """What was pulled forward is missing afterwards, most of it soon: ``pulled × gain`` in all, where days permit."""
    after = np.arange(p["ends"] + 1, min(p["ends"] + 46, len(factor)))
    if not len(after) or p["uplift"] <= 1:
        return
    gain = (p["uplift"] - 1) * busy[p["begins"] : p["ends"] + 1].sum()
    wane = np.exp(-(after - after[0]) / DIP_DAYS)
    missing = p["pulled"] * gain * wane / np.exp(-np.arange(45) / DIP_DAYS).sum() / busy[after]
    factor[after] = 1 - np.minimum(missing, 0.6)


def _yearly(cal: Calendar, rng: np.random.Generator) -> list[dict]:
    rows = []
    for year in range(cal.days[0].year, cal.days[-1].year + 2):
        for name, zh, en, festival, first, last, depth, uplift, pulled in YEARLY:
            begins = pd.Timestamp(year, first // 100, first % 100)
            ends = pd.Timestamp(year, last // 100, last % 100)
            rows.append(
                {
                    "promotion_id": f"{name}-{year}",
                    "name": f"{year}{zh}",
                    "name_en": f"{en} {year}",
                    "festival": festival,
                    "category": "",
                    "kind": "full_reduction",
                    "begins": (begins - cal.days[0]).days,
                    "ends": (ends - cal.days[0]).days,
                    "depth": depth,
                    "uplift": 1 + (uplift - 1) * float(np.exp(rng.normal(0, 0.2))),
                    "pulled": pulled,
                    "losing": False,
                }
            )
    last_planned = cal.n + AHEAD * 31
    return [r for r in rows if r["begins"] >= 0 and r["begins"] < last_planned]


def _category_weeks(cal: Calendar, categories: list[str], rng: np.random.Generator) -> list[dict]:
    """A week for one category, away from the great festivals."""
    rows, day, turn = [], int(rng.integers(10, 25)), 0
    order = rng.permutation(len(categories))
    while day < cal.n + AHEAD * 31:
        category = categories[order[turn % len(order)]]
        length = int(rng.integers(5, 9))
        about = pd.date_range(cal.days[0] + pd.Timedelta(days=day), periods=length + 14)
        quiet = not festive(about).any() and not (cal.festival[day : day + length + 14] != "").any()
        if quiet:
            begins = cal.days[0] + pd.Timedelta(days=day)
            rows.append(
                {
                    "promotion_id": f"week-{begins:%y%m%d}",
                    "name": f"{category}品类周",
                    "name_en": f"Category week {begins:%Y-%m-%d}",
                    "festival": "",
                    "category": category,
                    "kind": "discount",
                    "begins": day,
                    "ends": day + length - 1,
                    "depth": float(rng.choice([0.08, 0.10, 0.12])),
                    "uplift": float(rng.uniform(1.45, 2.1)),
                    "pulled": float(rng.uniform(0.10, 0.3)),
                    "losing": False,
                }
            )
            turn += 1
        day += int(rng.integers(18, 30)) if quiet else 4
    return rows


def _losing(cal: Calendar, rng: np.random.Generator) -> dict:
    name, zh, en, category, depth, uplift, pulled = LOSING
    begins = cal.position(3, 22) + int(rng.integers(-3, 4))
    return {
        "promotion_id": name,
        "name": zh,
        "name_en": en,
        "festival": "",
        "category": category,
        "kind": "gift",
        "begins": begins,
        "ends": begins + 8,
        "depth": depth,
        "uplift": uplift,
        "pulled": pulled,
        "losing": True,
    }
