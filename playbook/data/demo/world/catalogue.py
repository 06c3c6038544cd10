"""What the demo sells, at what prices, and the competitors' prices beside them. Money is in fen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .calendar import Calendar
from .incidents import Incidents
from .policy import Policy, known_or_refuse

# Category, English name and singular, prefix of ids, list price in yuan, growth of its part in sales (log a year),
# price elasticity, days that a unit lasts, peak of its season (day of the year) and size of the season.
CATEGORIES = [
    ("精华", "Serums", "serum", 11, 199, 0.0, -1.5, 60, 330, 0.10),
    ("面霜", "Creams", "cream", 12, 149, 0.0, -1.7, 55, 350, 0.18),
    ("洁面", "Cleansers", "cleanser", 13, 79, 0.0, -2.1, 70, 190, 0.08),
    ("面膜", "Masks", "mask", 14, 89, -0.26, -2.4, 30, 120, 0.06),
    ("香薰蜡烛", "Scented candles", "candle", 21, 139, 0.0, -1.8, 45, 345, 0.20),
    ("无火香薰", "Reed diffusers", "reed diffuser", 22, 179, 0.34, -1.4, 75, 10, 0.06),
]
LINES = [
    ("青苔", "Moss", "star"), ("晨露", "Morning dew", "star"), ("白茶", "White tea", "traffic"),
    ("雪松", "Cedar", "traffic"), ("桂花", "Osmanthus", "traffic"), ("佛手柑", "Bergamot", "profit"),
    ("无花果", "Fig", "profit"), ("乌木", "Ebony", "profit"), ("山茶", "Camellia", "profit"),
    ("雨后", "Rain", "profit"),
]  # fmt: skip
ROLES = {"star": (1.15, 0.27, 3.0), "traffic": (0.62, 0.42, 2.2), "profit": (1.45, 0.20, 0.8)}  # price, cost, weight
PRICE_SPREAD = 0.20  # within a role; over roles that makes the 0.67 (log) of a brand in double11_beauty about half
SUPPLIERS = [  # id, name, agreed lead days, minimum order in fen, only source
    ("S01", "湖州澄原生物", 21, 2_000_000, False),
    ("S02", "广州澜肌化妆品", 25, 3_000_000, False),
    ("S03", "上海素镜日化", 18, 1_500_000, False),
    ("S04", "青岛烛野香薰", 20, 1_000_000, True),
    ("S05", "云南谷木香料", 30, 1_200_000, False),
]
SUPPLIER_OF = {"精华": "S01", "面霜": "S02", "洁面": "S03", "面膜": "S02", "香薰蜡烛": "S04", "无火香薰": "S05"}

COMPETITORS = ["栖木 Qimu", "初壤 Churang", "白屿 Baiyu"]
CROSS = [  # our product, competitor, cross-price elasticity of our sales
    ("serum0001", "栖木 Qimu", 0.7),
    ("mask0002", "初壤 Churang", 0.9),
]
UNDERCUT = ("栖木 Qimu", 0.80)  # from a date on, its comparable serums cost this part of what they cost before


@dataclass(frozen=True)
class Catalogue:
    """Products by position, and prices by product and day.

    Attributes
    ----------
    products : DataFrame
        One row a product: the columns of the table `products`, and `weight`, `growth` (of its part in sales, log a
        year), `elasticity`, `peak`, `swing` (season).
    price : ndarray, products × days
        The price shown, before any promotion.
    rivals : DataFrame
        One row for each item of a competitor: competitor, item, platform, category, product (position of ours).
    rival_price : ndarray, rivals × days
        Their prices.
    """

    products: pd.DataFrame
    price: np.ndarray
    rivals: pd.DataFrame
    rival_price: np.ndarray

    def position(self, product_id: str) -> int:
        return int(np.flatnonzero(self.products["product_id"] == product_id)[0])


def make_catalogue(cal: Calendar, incidents: Incidents, rng: np.random.Generator, policy: Policy) -> Catalogue:
    """The products and everybody's prices; a policy may put factors on ours, by product or category."""
    products = _products(rng, cal)
    price = _price_paths(rng, cal, products["list_price"].to_numpy(), every=40, steps=(-0.22, 0.14))
    rivals, rival_price = _rivals(rng, cal, products, incidents)
    for what, factor in policy.prices.items():
        touched = ((products["product_id"] == what) | (products["category"] == what)).to_numpy()
        known_or_refuse("prices", what, touched.any(), [*products["category"].unique(), *products["product_id"]])
        price[touched, policy.begins :] = np.rint(price[touched, policy.begins :] * factor).astype(np.int64)
    return Catalogue(products, price, rivals, rival_price)


def _products(rng: np.random.Generator, cal: Calendar) -> pd.DataFrame:
    rows = []
    for category, category_en, noun, _prefix, price, growth, elasticity, usage, peak, swing in CATEGORIES:
        for i, (name, name_en, role) in enumerate(LINES):
            level, cost, weight = ROLES[role]
            tag = 1000 * max(2, round(price * level * np.exp(rng.normal(0, PRICE_SPREAD)) / 10)) - 100  # ends in 9
            rows.append(
                {
                    "product_id": f"{noun.split()[-1]}{i + 1:04d}",
                    "name": name + category,
                    "name_en": f"{name_en} {noun}",
                    "category": category,
                    "category_en": category_en,
                    "brand": "露苔",
                    "role": role,
                    "unit_cost": round(tag * cost * rng.uniform(0.9, 1.1)),
                    "list_price": tag,
                    "launched_on": cal.days[0] - pd.Timedelta(days=int(rng.integers(60, 900))),
                    "lead_days": next(s[2] for s in SUPPLIERS if s[0] == SUPPLIER_OF[category]),
                    "supplier_id": SUPPLIER_OF[category],
                    "usage_days": usage,
                    "weight": weight * rng.uniform(0.6, 1.4),
                    "growth": growth,
                    "elasticity": elasticity + rng.normal(0, 0.12),
                    "peak": peak,
                    "swing": swing,
                }
            )
    return pd.DataFrame(rows)


def _price_paths(
    rng: np.random.Generator, cal: Calendar, base: np.ndarray, *, every: int, steps: tuple[float, float]
) -> np.ndarray:
    """Prices that now and then change to another level around `base`, by product and day; they end in whole yuan."""
    out = np.empty((len(base), cal.n), dtype=np.int64)
    for i, tag in enumerate(base):
        begins = np.cumsum(np.r_[0, rng.exponential(every, 3 * cal.n // every + 5) + 10]).astype(int)
        level = np.r_[0.0, rng.uniform(*steps, len(begins) - 1)]
        level[rng.random(len(level)) < 0.25] = 0.0
        which = np.searchsorted(begins, np.arange(cal.n), side="right") - 1
        out[i] = np.maximum(100, np.rint(tag * (1 + level[which]) / 100).astype(np.int64) * 100)
    return out


def _rivals(
    rng: np.random.Generator, cal: Calendar, products: pd.DataFrame, incidents: Incidents
) -> tuple[pd.DataFrame, np.ndarray]:
    """Each competitor has an item beside our stars, and beside whatever a cross elasticity names."""
    named = {p for p, _c, _x in CROSS}
    ours = np.flatnonzero((products["role"] == "star") | products["product_id"].isin(named))
    rows, base = [], []
    for k, who in enumerate(COMPETITORS):
        for j in ours:
            p = products.iloc[j]
            rows.append(
                {
                    "competitor": who,
                    "item": f"{who.split()[0]}{p['category']}{p['product_id'][-1]}号",
                    "platform": "tmall",
                    "category": p["category"],
                    "product": j,
                }
            )
            base.append(100 * round(p["list_price"] * rng.uniform(0.92, 1.18) * (1, 0.9, 1.1)[k] / 100))
    rivals = pd.DataFrame(rows)
    price = _price_paths(rng, cal, np.array(base), every=40, steps=(-0.22, 0.14))
    who, factor = UNDERCUT
    hit = (rivals["competitor"] == who) & (rivals["category"] == products["category"].iloc[0])
    for i in np.flatnonzero(hit):  # from that day on its price stands still, a fifth below ours
        own = products["list_price"].iloc[rivals["product"].iloc[i]]
        price[i, incidents.undercut :] = 100 * round(own * factor / 100)
    return rivals, price


def choice_weights(products: pd.DataFrame, cal: Calendar, taste: np.ndarray, price_taste: np.ndarray) -> np.ndarray:
    """How a persona's choice falls on products, month by month: personas × months × products, each row sums to 1.

    `taste` is personas × categories; `price_taste` says per persona how the choice within a category leans to dear (>
    0) or cheap (< 0) products: the exponent of the list price.
    """
    category = pd.factorize(products["category"])[0]
    years = (np.arange(cal.month.max() + 1) - cal.month.max() / 2) / 12
    drift = np.exp(np.outer(years, products["growth"]))
    level = products["list_price"] / products.groupby("category")["list_price"].transform("mean")
    lean = level.to_numpy() ** price_taste[:, None]
    weight = (taste[:, category] * lean)[:, None, :] * drift[None] * products["weight"].to_numpy()
    return weight / weight.sum(axis=-1, keepdims=True)


def season(products: pd.DataFrame, cal: Calendar) -> np.ndarray:
    """The season of each product, products × days, around 1."""
    away = np.asarray(cal.days.day_of_year)[None] - products["peak"].to_numpy()[:, None]
    return 1 + products["swing"].to_numpy()[:, None] * np.cos(2 * np.pi * away / 365.25)
