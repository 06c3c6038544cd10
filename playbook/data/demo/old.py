"""The demo shop: a made-up skincare and home-fragrance brand, written as the raw exports of its platforms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ...language import _

MONTHS = 37  # three years and one month: the last month and the same one of each of three years before

SHOP = """\
name = "demo"
title = "Lumen & Moss (露苔)"
language = "en"
currency = "CNY"
zone = "Asia/Shanghai"
week_start = "monday"
"""

# First day of the lunar year (Hong Kong Observatory's conversion tables).
SPRING_FESTIVALS = [
    "2016-02-08", "2017-01-28", "2018-02-16", "2019-02-05", "2020-01-25", "2021-02-12", "2022-02-01",
    "2023-01-22", "2024-02-10", "2025-01-29", "2026-02-17", "2027-02-06", "2028-01-26",
    "2029-02-13", "2030-02-03",
]  # fmt: skip

# First and last day as month × 100 + day; how busy, a normal day being 1; discount on top of the usual.
FESTIVALS = [
    (301, 304, 0.85, 0.0), (305, 307, 1.6, 0.06), (308, 308, 4.0, 0.08), (309, 315, 0.85, 0.0),
    (524, 530, 0.8, 0.0), (531, 603, 2.0, 0.08), (616, 617, 2.2, 0.10), (618, 618, 6.0, 0.12),
    (619, 628, 0.7, 0.0),
    (1020, 1030, 0.8, 0.0), (1031, 1103, 2.5, 0.10), (1105, 1109, 0.8, 0.06), (1110, 1110, 3.0, 0.12),
    (1111, 1111, 10.0, 0.15), (1112, 1125, 0.65, 0.0), (1210, 1211, 1.4, 0.05), (1212, 1212, 3.2, 0.08),
]  # fmt: skip

# Category, its English name and singular, prefix of ids, price, share of lines, its growth (log a year).
CATEGORIES = [
    ("精华", "Serums", "serum", 11, 179, 0.17, 0.0), ("面霜", "Creams", "cream", 12, 139, 0.17, 0.0),
    ("洁面", "Cleansers", "cleanser", 13, 79, 0.21, 0.0), ("面膜", "Masks", "mask", 14, 89, 0.23, -0.2),
    ("香薰蜡烛", "Scented candles", "candle", 21, 129, 0.14, 0.0),
    ("无火香薰", "Reed diffusers", "reed diffuser", 22, 169, 0.08, 0.28),
]  # fmt: skip
LINES = [
    ("青苔", "Moss", "star"), ("晨露", "Morning dew", "star"), ("白茶", "White tea", "traffic"),
    ("雪松", "Cedar", "traffic"), ("桂花", "Osmanthus", "traffic"), ("佛手柑", "Bergamot", "profit"),
    ("无花果", "Fig", "profit"), ("乌木", "Ebony", "profit"), ("山茶", "Camellia", "profit"),
    ("雨后", "Rain", "profit"),
]  # fmt: skip
ROLES = {
    "star": (1.15, 0.30, 3.0),
    "traffic": (0.6, 0.44, 2.0),
    "profit": (1.35, 0.22, 0.8),
}  # price, cost, weight

PROVINCES = (
    "广东 14 浙江 10 江苏 10 上海 8 北京 7 山东 6 四川 6 湖北 4 湖南 4 福建 4 河南 4 安徽 3 河北 3 重庆 3 "
    "陕西 3 辽宁 3 江西 2 广西 2 天津 2 云南 2 黑龙江 1.5 吉林 1.5 山西 1.5 贵州 1.5 内蒙古 1 新疆 1 甘肃 1 "
    "海南 1 宁夏 0.4 青海 0.3 西藏 0.2"
)
CHANNELS = {
    "tmall": "search 40 recommendation 25 live 15 paid_search 20",
    "jd": "search 50 recommendation 25 paid_search 25",
    "douyin": "live 55 short_video 35 search 10",
    "own_site": "direct 35 wecom 30 email 15 xiaohongshu 20",
}
DEVICES = {
    "tmall": "app 93 desktop 5 tablet 2",
    "jd": "app 85 desktop 11 tablet 4",
    "douyin": "app 100",
    "own_site": "mini_program 65 phone 22 desktop 13",
}
REASONS = "changed_mind 40 skin_reaction 16 not_as_described 16 damaged_in_transit 14 late_delivery 8 wrong_item 6"
ORDER_COLUMNS = "order_id platform customer_id ordered_at paid_at amount discount channel device region"
HOURS = [3, 2, 1, 0.5, 0.4, 0.5, 1, 2, 3, 4.5, 5.5, 5.5, 5.5, 5, 4.5, 4.5, 4.5, 4.5, 5, 6, 8, 10, 9.5, 6]


def _pick(rng: np.random.Generator, weights: np.ndarray | list, n: int | None = None) -> np.ndarray:
    """Positions drawn by weight: `n` from one row of weights, or one from each row of a matrix."""
    edges = np.cumsum(weights, axis=-1, dtype=float)
    if n is not None:
        return np.searchsorted(edges, rng.random(n) * edges[-1], side="right")
    return (rng.random(len(edges))[:, None] * edges[:, -1:] >= edges).sum(axis=1)


def _labels(rng: np.random.Generator, spec: str, n: int) -> np.ndarray:
    """`n` labels drawn from ``"label weight label weight …"``."""
    words = spec.split()
    return np.array(words[::2], dtype=object)[_pick(rng, [float(w) for w in words[1::2]], n)]


def _by_platform(rng: np.random.Generator, platform: np.ndarray, specs: dict[str, str]) -> np.ndarray:
    """A label per row, drawn with the weights of the row's platform."""
    drawn = [_labels(rng, spec, len(platform)) for spec in specs.values()]
    return np.select([platform == name for name in specs], drawn, default="")


def _seconds(values: np.ndarray) -> pd.TimedeltaIndex:
    return pd.to_timedelta(values.astype(int), unit="s")


def _calendar(until: str) -> pd.DataFrame:
    """Each day of the demo with its busyness (`pace`) and its festival discount (`depth`)."""
    last = pd.Period(until, freq="M")
    first = last - (MONTHS - 1)
    if first < pd.Period("2016-01", freq="M") or last > pd.Period("2030-12", freq="M"):
        told = _("until={until}: the demo knows the lunar calendar of 2016 to 2030; choose 2019-01 to 2030-12")
        raise ValueError(told.format(until=until))
    days = pd.date_range(first.start_time, last.end_time.normalize(), freq="D")
    pace = np.array([0.97, 0.96, 0.97, 1.0, 1.03, 1.05, 1.02])[days.day_of_week]  # weekends are a little busier
    depth = np.zeros(len(days))
    number = np.asarray(days.month * 100 + days.day)
    for begins, ends, busy, discount in FESTIVALS:
        within = (number >= begins) & (number <= ends)
        pace[within] *= busy
        depth[within] = discount
    for new_year in pd.to_datetime(SPRING_FESTIVALS):
        away = np.asarray((days - new_year).days)
        pace[(away >= -24) & (away <= -14)] *= 1.25  # shopping for the new year
        pace[(away >= -7) & (away <= 6)] *= 0.4  # couriers rest from the week before
    return pd.DataFrame({"day": days, "pace": pace, "depth": depth})


def _products(rng: np.random.Generator) -> pd.DataFrame:
    """Sixty products; prices in cents; `weight` and `growth` say how well each sells and how that changes."""
    rows = []
    for category, category_en, noun, prefix, price, share, growth in CATEGORIES:
        for i, (name, name_en, role) in enumerate(LINES):
            level, cost, weight = ROLES[role]
            tag = 1000 * round(price * level * np.exp(rng.normal(0, 0.2)) / 10) - 100  # prices end in 9
            rows.append(
                {
                    "product_id": f"{prefix}{i + 1:04d}",
                    "name": name + category,
                    "name_en": f"{name_en} {noun}",
                    "category": category,
                    "category_en": category_en,
                    "role": role,
                    "unit_cost": round(tag * cost * rng.uniform(0.9, 1.1)),
                    "list_price": tag,
                    "weight": share * weight * rng.uniform(0.6, 1.4),
                    "growth": growth,
                }
            )
    return pd.DataFrame(rows)


def _purchases(rng: np.random.Generator, pace: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Customer and day (position) of every order: buy till you die, by a clock that busy days speed up."""
    clock = np.cumsum(pace)
    new, known = max(1, round(7400 * scale)), round(610 * scale)
    arrival = clock[_pick(rng, pace * np.linspace(0.85, 1.15, len(pace)), new)]
    # Of the customers from before the first day only loyal ones are left; most new ones never come back.
    start = np.concatenate([arrival, np.zeros(known)])
    loyal = np.concatenate([rng.random(new) < 0.275, np.ones(known, dtype=bool)])
    alive = np.minimum(rng.exponential(450.0, new + known), clock[-1] - start)
    again = rng.poisson(rng.gamma(2.5, 0.027 / 2.5, new + known) * alive) * loyal
    customer = np.concatenate([np.arange(new), np.arange(new + known).repeat(again)])
    when = np.concatenate([arrival, start.repeat(again) + rng.random(again.sum()) * alive.repeat(again)])
    return customer, np.minimum(np.searchsorted(clock, when), len(pace) - 1)


def _moments(rng: np.random.Generator, calendar: pd.DataFrame, day: np.ndarray) -> np.ndarray:
    """Local time of each order, to the second."""
    hour = _pick(rng, HOURS, len(day))
    hour[(calendar["pace"].to_numpy()[day] > 3) & (rng.random(len(day)) < 0.2)] = 0  # offers open at midnight
    second = day * 86400 + hour * 3600 + rng.integers(0, 3600, len(day))
    # The last minutes of the last day hold some orders, so that a wrong border of the period shows.
    late = np.argsort(second, kind="stable")[-max(1, round((day == len(calendar) - 1).sum() * 0.12)) :]
    second[late] = len(calendar) * 86400 - rng.integers(1, 1800, len(late))
    return calendar["day"].iloc[0].to_datetime64().astype("datetime64[s]") + second


def _customers(rng: np.random.Generator, first_order: pd.Series) -> pd.DataFrame:
    """One row per customer with an order, indexed like `first_order`."""
    n = len(first_order)
    platform = _labels(rng, "tmall 44 douyin 25 jd 19 own_site 12", n)
    region = _labels(rng, PROVINCES, n)
    styles = {"tmall": "t{:010d}", "jd": "jd_{:07d}", "douyin": "70{:012d}", "own_site": "{:08d}"}
    birth = pd.Series(np.clip(rng.normal(1994, 7, n), 1955, 2008).astype(int), dtype="Int64", index=first_order.index)
    ahead = rng.exponential(np.where(rng.random(n) < 0.6, 900, 40 * 86400)) + 60
    return pd.DataFrame(
        {
            "customer_id": [styles[p].format(i) for p, i in zip(platform, rng.permutation(n) + 1, strict=True)],
            "platform": platform,
            "registered_at": first_order - _seconds(ahead),
            "gender": _labels(rng, "female 81 male 17 other 2", n),
            "birth_year": birth.mask(rng.random(n) < 0.12),  # not everyone tells
            "region": region,
            "city_tier": np.where(
                np.isin(region, ["北京", "上海"]),
                "tier1",
                _labels(rng, "tier1 16 tier2 40 tier3 34 rural 10", n),
            ),
            "channel": _by_platform(rng, platform, CHANNELS),
        },
        index=first_order.index,
    )


def _orders(rng: np.random.Generator, calendar: pd.DataFrame, scale: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Orders, still without amounts but with the `rate` of their discount, and those who placed them."""
    customer, day = _purchases(rng, calendar["pace"].to_numpy(), scale)
    orders = pd.DataFrame({"customer": customer, "ordered_at": _moments(rng, calendar, day)})
    orders = orders.sort_values("ordered_at", kind="stable", ignore_index=True)
    customers = _customers(rng, orders.groupby("customer")["ordered_at"].min())
    orders = orders.merge(
        customers[["platform", "customer_id", "region"]], left_on="customer", right_index=True, how="left"
    )
    n, placed, platform = len(orders), orders["ordered_at"], orders["platform"].to_numpy()
    step, serial = rng.integers(1, 10**13 // n, n).cumsum(), np.arange(n)
    styles = {  # each platform's style; all rise with time
        "tmall": 2_100_000_000_000_000_000 + step * 7919,  # 19 digits: more than a double holds
        "jd": 280_000_000_000 + step // 1000 + serial,
        "douyin": 6_920_000_000_000_000_000 + step * 20011,
        "own_site": placed.dt.strftime("LM%Y%m%d") + pd.Series(serial).astype(str).str.zfill(6),
    }
    numbers = [np.asarray(style, str) for style in styles.values()]
    orders["order_id"] = np.select([platform == p for p in styles], numbers, default="")
    paid_at = placed + _seconds(rng.exponential(np.where(rng.random(n) < 0.9, 90, 4 * 3600)) + 5)
    end = calendar["day"].iloc[-1] + pd.Timedelta(days=1)
    orders["paid_at"] = paid_at.where((rng.random(n) >= 0.04) & (paid_at < end))
    orders["channel"] = _by_platform(rng, platform, CHANNELS)
    orders["device"] = _by_platform(rng, platform, DEVICES)
    depth = placed.dt.normalize().map(calendar.set_index("day")["depth"])
    orders["rate"] = depth + np.array([0, 0.05, 0.10, 0.15, 0.20])[_pick(rng, [30, 25, 25, 15, 5], n)]
    return orders, customers


def _items(rng: np.random.Generator, orders: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    """The lines of the orders; money in cents."""
    order = np.repeat(np.arange(len(orders)), _pick(rng, [52, 28, 13, 7], len(orders)) + 1)
    years = (orders["ordered_at"] - orders["ordered_at"].min()).dt.days.to_numpy()[order] / 365.25
    weight = products["weight"].to_numpy() * np.exp(np.outer(years, products["growth"]))
    lines = pd.DataFrame({"order": order, "product": _pick(rng, weight)}).drop_duplicates(ignore_index=True)
    n = len(lines)
    # Mostly one; now and then presents for a whole office, which give order values their long tail.
    quantity = np.where(rng.random(n) < 0.005, rng.integers(5, 16, n), _pick(rng, [84, 13, 3], n) + 1)
    head = orders.iloc[lines["order"]].reset_index(drop=True)
    sold = products.iloc[lines["product"]].reset_index(drop=True)
    gross = sold["list_price"] * quantity
    discount = np.rint(gross * head["rate"]).astype(int)
    return pd.DataFrame(
        {
            "order_id": head["order_id"],
            "line": lines.groupby("order").cumcount() + 1,
            "product_id": sold["product_id"],
            "quantity": quantity,
            "unit_price": sold["list_price"],
            "amount": gross - discount,
            "discount": discount,
            "platform": head["platform"],
            "ordered_at": head["ordered_at"],
        }
    )


def _returns(rng: np.random.Generator, orders: pd.DataFrame, items: pd.DataFrame, end: pd.Timestamp) -> pd.DataFrame:
    """Lines that came back two to fifteen days after they were paid, as far as the data goes."""
    paid = items.merge(orders[["order_id", "customer_id", "paid_at"]].dropna(), on="order_id")
    back = paid[rng.random(len(paid)) < 0.072].reset_index(drop=True)
    n, bought = len(back), back["quantity"].to_numpy()
    back["quantity"] = np.where(rng.random(n) < 0.8, bought, rng.integers(1, bought + 1))
    back["amount"] = back["amount"] * back["quantity"] // bought
    back["returned_at"] = back["paid_at"] + _seconds(rng.integers(2 * 86400, 15 * 86400, n))
    back["reason"] = _labels(rng, REASONS, n)
    back["kind"] = _labels(rng, "return 70 refund_only 30", n)
    back = back[back["returned_at"] < end].sort_values("returned_at", kind="stable", ignore_index=True)
    back.insert(0, "return_id", "R" + pd.Series(back.index + 1).astype(str).str.zfill(9))
    return back.drop(columns=["line", "unit_price", "discount", "ordered_at", "paid_at"])


def generate(folder: Path, *, scale: float = 1.0, seed: int = 1, until: str = "2026-10") -> None:
    """Write the demo shop, ``shop.toml`` and ``raw/*.csv``, into a folder; equal arguments give equal bytes.

    Parameters
    ----------
    folder : Path
        The shop's folder, made if need be. Files of an earlier demo are replaced, all others are left alone.
    scale : float
        Size of the shop: 1 is about 8,000 customers and 30,000 orders.
    seed : int
        Seed of the random numbers.
    until : str
        Last month, as ``2026-10``; orders of 37 months end with its last day.

    Raises
    ------
    ValueError
        Where the months lie outside the lunar calendar that the demo knows.
    """
    rng = np.random.default_rng(seed)
    calendar, products = _calendar(until), _products(rng)
    orders, customers = _orders(rng, calendar, scale)
    items = _items(rng, orders, products)
    returns = _returns(rng, orders, items, calendar["day"].iloc[-1] + pd.Timedelta(days=1))
    orders = orders.join(items.groupby("order_id")[["amount", "discount"]].sum(), on="order_id")
    tables = {
        "products": products.drop(columns=["weight", "growth"]),
        "customers": customers.sort_values("registered_at", kind="stable"),
        "orders": orders[ORDER_COLUMNS.split()],
        "order_items": items,
        "returns": returns,
    }
    raw = Path(folder) / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    (raw.parent / "shop.toml").write_text(SHOP, encoding="utf-8", newline="\n")
    for name, table in tables.items():
        money = table.columns.intersection(["amount", "discount", "unit_price", "unit_cost", "list_price"])
        table.assign(**(table[money] / 100)).to_csv(
            raw / f"{name}.csv",
            index=False,
            encoding="utf-8",
            lineterminator="\n",
            float_format="%.2f",
            date_format="%Y-%m-%d %H:%M:%S",
        )
