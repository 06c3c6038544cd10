"""Who might buy: four kinds of people, where they live, where they shop, how often and for how long.

Nobody's persona stands in any table: it is what the book has to find.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import betaincinv, gammaincinv

from .draw import Draws, pick

PLATFORMS = ("tmall", "jd", "douyin", "own_site")


@dataclass(frozen=True)
class Persona:
    """One kind of people.

    Purchases follow BG/NBD (Fader, Hardie & Lee 2005): rates a week are Gamma(`r`, scale 1/`alpha`), the chance to stop
    after a purchase is Beta(`a`, `b`). The published estimates for cdnow are r 0.243, α 4.41, a 0.793, b 2.43.
    """

    name: str
    name_zh: str
    share: float
    birth: tuple[float, float]
    female: float
    tiers: tuple[float, float, float, float]
    income: tuple[float, float, float]
    platforms: tuple[float, float, float, float]
    taste: tuple[float, float, float, float, float, float]
    r: float
    alpha: float
    a: float
    b: float
    lines: float
    coupon: float
    price_taste: float
    occupations: str


PERSONAS = (
    Persona(
        "ingredient_savvy", "成分党白领", 0.30, (1997.5, 3.0), 0.90, (0.42, 0.40, 0.15, 0.03), (0.10, 0.50, 0.40),
        (0.58, 0.12, 0.12, 0.18), (0.52, 0.20, 0.14, 0.08, 0.03, 0.03), 0.26, 3.9, 0.95, 2.5, 0.75, 0.22, 0.1,
        "office 46 technology 22 finance 14 medicine 10 student 8",
    ),
    Persona(
        "bargain_student", "学生党", 0.28, (2005.0, 2.0), 0.80, (0.14, 0.36, 0.36, 0.14), (0.62, 0.34, 0.04),
        (0.34, 0.09, 0.55, 0.02), (0.04, 0.05, 0.36, 0.49, 0.05, 0.01), 0.21, 4.1, 1.20, 2.3, 0.55, 0.52, -1.0,
        "student 72 service 16 office 8 other 4",
    ),
    Persona(
        "home_ritualist", "居家仪式感", 0.20, (1990.5, 4.5), 0.68, (0.46, 0.36, 0.15, 0.03), (0.05, 0.42, 0.53),
        (0.42, 0.16, 0.10, 0.32), (0.05, 0.06, 0.05, 0.06, 0.44, 0.34), 0.23, 4.4, 0.95, 2.5, 0.95, 0.18, 0.5,
        "office 40 design 18 finance 16 technology 14 self_employed 12",
    ),
    Persona(
        "mature_care", "轻熟抗老", 0.22, (1979.5, 5.5), 0.84, (0.20, 0.38, 0.31, 0.11), (0.16, 0.52, 0.32),
        (0.40, 0.44, 0.12, 0.04), (0.30, 0.50, 0.10, 0.06, 0.02, 0.02), 0.31, 3.9, 0.76, 2.7, 0.80, 0.26, 0.2,
        "self_employed 24 office 26 civil_service 18 teacher 16 homemaker 16",
    ),
)  # fmt: skip
TIERS = ("tier1", "tier2", "tier3", "rural")
INCOMES = ("low", "middle", "high")
TWO_PLATFORMS = 0.10  # of the people shop on a second platform too
ON_SECOND = 0.35  # of their occasions

# Province: weight, some of its cities with their tier and weight. The weights follow tmall_orders.
PROVINCES: dict[str, tuple[float, str]] = {
    "广东": (13, "广州 tier1 4 深圳 tier1 4 东莞 tier2 2 佛山 tier2 2 汕头 tier3 1 梅县 rural 1"),
    "浙江": (10, "杭州 tier2 5 宁波 tier2 3 温州 tier2 2 台州 tier3 1 安吉 rural 1"),
    "江苏": (10, "南京 tier2 4 苏州 tier2 4 无锡 tier2 2 盐城 tier3 1 沭阳 rural 1"),
    "上海": (9, "上海 tier1 1"),
    "北京": (8, "北京 tier1 1"),
    "山东": (6, "济南 tier2 3 青岛 tier2 3 临沂 tier3 2 曹县 rural 1"),
    "四川": (6, "成都 tier2 6 绵阳 tier3 2 仪陇 rural 1"),
    "湖北": (4, "武汉 tier2 5 宜昌 tier3 2 监利 rural 1"),
    "湖南": (4, "长沙 tier2 5 衡阳 tier3 2 隆回 rural 1"),
    "福建": (4, "福州 tier2 3 厦门 tier2 3 漳州 tier3 1 安溪 rural 1"),
    "河南": (4, "郑州 tier2 5 洛阳 tier3 2 固始 rural 1"),
    "安徽": (3, "合肥 tier2 4 芜湖 tier3 2 临泉 rural 1"),
    "河北": (3, "石家庄 tier2 3 保定 tier3 2 定州 rural 1"),
    "重庆": (3, "重庆 tier2 4 云阳 rural 1"),
    "陕西": (3, "西安 tier2 5 咸阳 tier3 1 岐山 rural 1"),
    "辽宁": (3, "沈阳 tier2 3 大连 tier2 3 鞍山 tier3 1 海城 rural 1"),
    "江西": (2, "南昌 tier2 3 赣州 tier3 2 于都 rural 1"),
    "广西": (2, "南宁 tier2 3 桂林 tier3 2 博白 rural 1"),
    "天津": (2, "天津 tier2 1"),
    "云南": (2, "昆明 tier2 3 大理 tier3 1 宣威 rural 1"),
    "黑龙江": (1.5, "哈尔滨 tier2 3 大庆 tier3 1 五常 rural 1"),
    "吉林": (1.5, "长春 tier2 3 吉林 tier3 1 榆树 rural 1"),
    "山西": (1.5, "太原 tier2 3 大同 tier3 1 平遥 rural 1"),
    "贵州": (1.5, "贵阳 tier2 3 遵义 tier3 1 仁怀 rural 1"),
    "内蒙古": (1, "呼和浩特 tier3 2 包头 tier3 1 宁城 rural 1"),
    "新疆": (1, "乌鲁木齐 tier3 2 喀什 tier3 1 莎车 rural 1"),
    "甘肃": (1, "兰州 tier3 2 天水 tier3 1 临洮 rural 1"),
    "海南": (1, "海口 tier3 2 三亚 tier3 2 儋州 rural 1"),
    "宁夏": (0.4, "银川 tier3 2 中宁 rural 1"),
    "青海": (0.3, "西宁 tier3 2 大通 rural 1"),
    "西藏": (0.2, "拉萨 tier3 2 江孜 rural 1"),
}
_CITIES = pd.DataFrame(
    [
        (province, *words[i : i + 2], weight * float(words[i + 2]) / sum(map(float, words[2::3])))
        for province, (weight, spec) in PROVINCES.items()
        for words in [spec.split()]
        for i in range(0, len(words), 3)
    ],
    columns=["region", "city", "city_tier", "weight"],
)


def taste() -> np.ndarray:
    """What each persona likes: personas × categories."""
    return np.array([p.taste for p in PERSONAS])


def price_taste() -> np.ndarray:
    """Which prices each persona leans to (see `catalogue.choice_weights`)."""
    return np.array([p.price_taste for p in PERSONAS])


def share_of(provinces: tuple[str, ...]) -> float:
    """The part of the people who live in these provinces."""
    shares = np.array([p.share for p in PERSONAS])
    by_tier = {t: float(shares @ [p.tiers[i] for p in PERSONAS]) for i, t in enumerate(TIERS)}
    within = _CITIES["weight"] / _CITIES.groupby("city_tier")["weight"].transform("sum")
    return float((within * _CITIES["city_tier"].map(by_tier))[_CITIES["region"].isin(provinces)].sum())


def persona_of(draws: Draws, person: np.ndarray) -> np.ndarray:
    """The persona of each person, by position."""
    return pick(draws.uniform("persona", person), np.array([p.share for p in PERSONAS]))


def city_of(draws: Draws, person: np.ndarray, persona: np.ndarray) -> pd.DataFrame:
    """Where each person lives: region, city, city_tier."""
    tier = _by_persona(draws, "city_tier", person, persona, [p.tiers for p in PERSONAS])
    u = draws.uniform("city", person)
    place = np.empty(len(person), dtype=np.int64)
    for t, name in enumerate(TIERS):
        there = np.flatnonzero(_CITIES["city_tier"] == name)
        mine = tier == t
        place[mine] = there[pick(u[mine], _CITIES["weight"].to_numpy()[there])]
    return _CITIES.drop(columns="weight").iloc[place].reset_index(drop=True)


def _by_persona(draws: Draws, name: str, person: np.ndarray, persona: np.ndarray, weights: list) -> np.ndarray:
    return pick(draws.uniform(name, person), np.asarray(weights)[persona])


def platforms_of(
    draws: Draws, person: np.ndarray, persona: np.ndarray, own: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Main platform of each person and the second one (−1: none), by position.

    `own`, persons × platforms, replaces the personas' weights where a channel decides where its people buy.
    """
    weights = np.array([p.platforms for p in PERSONAS])[persona] if own is None else own
    main = pick(draws.uniform("platform", person), weights)
    others = np.array([p.platforms for p in PERSONAS])[persona].copy()
    others[np.arange(len(person)), main] = 0
    second = pick(draws.uniform("second platform", person), others)
    return main, np.where(draws.uniform("two platforms", person) < TWO_PLATFORMS, second, -1)


def rates_of(draws: Draws, person: np.ndarray, persona: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Purchases a day while a customer, and the chance to stop after each purchase."""
    r, alpha, a, b = (np.array([getattr(p, name) for p in PERSONAS])[persona] for name in ("r", "alpha", "a", "b"))
    rate = gammaincinv(r, draws.uniform("purchase rate", person)) / alpha / 7
    return rate, betaincinv(a, b, draws.uniform("dropout", person))


def traits(draws: Draws, person: np.ndarray, persona: np.ndarray) -> pd.DataFrame:
    """What a platform may know of each person: gender, birth_year, income, occupation, education, city …"""
    mean, spread = np.array([p.birth for p in PERSONAS])[persona].T
    birth = np.clip(mean + spread * draws.normal("birth", person), 1948, 2011).astype(int)
    u = draws.uniform("gender", person)
    female = np.array([p.female for p in PERSONAS])[persona]
    occupation = np.empty(len(person), dtype=object)
    for k, p in enumerate(PERSONAS):
        mine = persona == k
        occupation[mine] = draws.label("occupation", p.occupations, person[mine])
    income = np.array(INCOMES, dtype=object)[
        _by_persona(draws, "income", person, persona, [p.income for p in PERSONAS])
    ]
    out = pd.DataFrame(
        {
            "gender": np.where(u < female, "female", np.where(u < female + (1 - female) * 0.93, "male", "other")),
            "birth_year": pd.array(birth, dtype="Int64"),
            "income": income,
            "occupation": occupation,
            "education": draws.label("education", "bachelor 52 college 26 master 12 school 10", person),
        }
    )
    # Not everyone tells, and platforms hand on less than they know.
    for column, untold in (
        ("gender", 0.06),
        ("birth_year", 0.14),
        ("income", 0.35),
        ("occupation", 0.45),
        ("education", 0.5),
    ):
        out[column] = out[column].mask(draws.uniform(f"untold {column}", person) < untold)
    return pd.concat([out, city_of(draws, person, persona)], axis=1)


def devices(draws: Draws, person: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The device that each person uses on a platform: mostly one for all of them."""
    apart = draws.uniform("other device", person, where) < 0.35
    number = np.where(apart, draws.bits("device", person, where), draws.bits("device", person)) >> np.uint64(16)
    return ("D" + pd.Series(number.astype(str)).str.zfill(15)).to_numpy(object)


def addresses(draws: Draws, person: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Which address each order goes to: the person's own, now and then another (a parent's, the office)."""
    elsewhere = draws.uniform("other address", person, number) < 0.06
    return np.where(elsewhere, draws.bits("address", person, number % 3), draws.bits("address", person)).astype(str)
