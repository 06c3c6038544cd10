"""Prices in the shop's words, held against its price table: prices that never were, and offers that contradict."""

from __future__ import annotations

import re
from collections.abc import Iterator

import ibis
import pandas as pd

from ... import style
from ...data.engine import as_table
from ...language import _
from ...missing import answers
from ...period import Period

PRIZE_LIMIT = 50_000
BASE_DAYS, SHOWN_DAYS = (
    7,
    30,
)  # days whose lowest price a comparison may name; days in which a price must have been shown
TOLERANCE = 0.01

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_STEPS = {"十": 10, "百": 100, "千": 1000}
_NUMBER = r"(?:\d[\d,，]*\d|\d)(?:\.\d+)?|[零〇一二两三四五六七八九十百千]+"
_AMOUNT = re.compile(
    rf"(?P<sign>[¥￥]|RMB ?|CNY ?)?(?P<number>{_NUMBER})\s*(?P<scale>万)?"
    rf"(?P<unit>\s?元|块| yuan| RMB)?(?=(?P<thing>[^，。！？\s]{{0,6}}))",
    re.IGNORECASE,
)
_ROLES = {
    "was": r"原价|原售价|日常价|平时卖|平时价|专柜价|市场价|曾售|之前卖"
    r"|\bwas\b|\boriginally\b|\bbefore\b(?=:? ?[¥￥\d])",
    "usual": r"日常售价|平时售价",
    "list": r"标价|划线价|吊牌价|建议零售价|\bRRP\b|\blist price\b",
    "now": r"到手价?|到手只?要?|现在?只要|现价|活动价|秒杀价|今日仅|今天只?卖?|限时|仅售|仅需|只要"
    r"|\bnow(?: only)?\b|\btoday(?: only)?\b|\bonly\b(?= ?[¥￥])",
}
_CLAIM = re.compile("|".join(f"(?P<{role}>{pattern})" for role, pattern in _ROLES.items()) + "", re.IGNORECASE)
_PRICE = re.compile(
    r"^[\s:：是为只要卖仅]{0,4}[¥￥]?\s?(\d[\d,]*(?:\.\d+)?)(?!\d)(?:\s?[元块]|(?=[，。！？,.!?;；\s]|$))"
)
_OFFER = re.compile(
    r"满\s?\d+\s?减\s?\d+|第[二2]件[半\d.]+[价折元]|买[一二两三\d]+[送赠][一二两三\d]+|(?<!\d)\d(?:\.\d)?\s?折"
    r"|\d{1,2}% off|buy one,? get one",
    re.IGNORECASE,
)


def amounts(text: str) -> Iterator[tuple[float, int, int]]:
    """Sums of money in a text, in yuan, with where they stand: ¥120,000, 6.8万元, 十万元.

    Examples
    --------
    >>> [value for value, begins, ends in amounts("头奖十万元，二等奖6.8万现金，共3名")]
    [100000.0, 68000.0]
    """
    for m in _AMOUNT.finditer(text):
        money = m["sign"] or m["unit"] or (m["scale"] and re.match("现金|大奖|奖金|的|左右|旅", m["thing"] or ""))
        if money and (value := _value(m["number"])) is not None:
            yield value * (10_000 if m["scale"] else 1), m.start(), m.start("thing")


def _value(number: str) -> float | None:
    if number[0].isdigit():
        return float(re.sub("[,，]", "", number))
    total, last = 0, 0
    for c in number:
        if c in _STEPS:
            total, last = total + (last or 1) * _STEPS[c], 0
        else:
            last = _DIGITS[c]
    return float(total + last)


def claimed(text: str) -> list[tuple[str, float, int, int]]:
    """Prices that a text claims: role ("was", "usual", "list", "now"), yuan, where it stands."""
    out = []
    for m in _CLAIM.finditer(text):
        if number := _PRICE.match(text[m.end() : m.end() + 20]):
            role = next(r for r in _ROLES if m[r])
            out.append((role, float(number[1].replace(",", "")), m.start(), m.end() + number.end()))
    return out


@answers("Do the prices in the shop's words agree with its price table?", needs={"pieces": ["product_id", "text"]})
def price_flags(pieces: pd.DataFrame, prices: ibis.Table, *, currency: str = "CNY") -> pd.DataFrame:
    """Which price claims does the shop's own price table not bear out?

    A price that an offer is compared with must have been asked: at most the lowest of the seven days before. A price
    that is promised must have been shown within thirty days.

    Parameters
    ----------
    pieces : DataFrame
        content_id, product_id, publish_at, text (title and words).
    prices : Table
        product_id, platform, changed_at, price, list_price (optional).

    Returns
    -------
    DataFrame
        content_id, kind ("reference_price", "price_mismatch"), found, law, why.
    """
    columns = ["content_id", "kind", "found", "law", "why"]
    said = [(p, claim) for p in pieces.dropna(subset="product_id").itertuples() for claim in claimed(str(p.text))]
    if not said:
        return pd.DataFrame(columns=columns)
    table = as_table(prices)
    of = sorted({str(p.product_id) for p, _claim in said})
    kept = [c for c in ("product_id", "platform", "changed_at", "price", "list_price") if c in table.columns]
    history = table.filter(table["product_id"].isin(of)).select(kept).to_pandas()
    history = history.astype({c: float for c in ("price", "list_price") if c in kept}).sort_values("changed_at")
    rows = []
    for p, (role, value, begins, ends) in said:
        mine = history[history["product_id"] == p.product_id]
        why = _wrong(role, value, mine, pd.Timestamp(p.publish_at), currency)
        if why:
            kind = "reference_price" if role in ("was", "list") else "price_mismatch"
            rows.append(
                (
                    p.content_id,
                    kind,
                    str(p.text)[begins:ends],
                    "price_16" if kind == "reference_price" else "price_19",
                    why,
                )
            )
    return pd.DataFrame(rows, columns=columns)


def _wrong(role: str, value: float, history: pd.DataFrame, at: pd.Timestamp, currency: str) -> str:
    """What the price table says against a claim; empty where nothing."""
    before = history[history["changed_at"] <= at]
    if before.empty:
        return ""
    top, money = value * (1 - TOLERANCE), lambda x: style.value(x, "currency", currency=currency)
    if role == "list":
        listed = before["list_price"].max() if "list_price" in before else float("nan")
        said = _("the highest list price was {price}")
        return said.format(price=money(listed)) if top > listed else ""
    if role == "was":
        if top > before["price"].max():
            return _("it never cost that: the highest price shown was {price}").format(
                price=money(before["price"].max())
            )
        low, _high = _shown(before, at, BASE_DAYS)
        said = _("the lowest price shown in the seven days before is {price}")
        return said.format(price=money(low)) if top > low else ""
    low, high = _shown(before, at, SHOWN_DAYS)
    if value < low * (1 - 5 * TOLERANCE):
        return _("the lowest price shown in the thirty days before is {price}").format(price=money(low))
    if role == "usual" and top > high:
        return _("the highest price shown in the thirty days before is {price}").format(price=money(high))
    return ""


def _shown(before: pd.DataFrame, at: pd.Timestamp, days: int) -> tuple[float, float]:
    """Lowest and highest price that was on show in the days before, on any platform."""
    since = at - pd.Timedelta(days=days)
    within = before[before["changed_at"] > since]
    standing = (
        before[before["changed_at"] <= since].groupby("platform")["price"].last()
        if "platform" in before
        else before["price"].tail(1)
    )
    shown = pd.concat([within["price"], standing])
    return float(shown.min()), float(shown.max())


@answers(
    "Does one product stand at two prices or with two offers?", needs={"pieces": ["product_id", "text", "channel"]}
)
def two_offers(pieces: pd.DataFrame, *, within_days: int = 7) -> pd.DataFrame:
    """For which products do channels promise different prices, or different offers, in the same days?

    Parameters
    ----------
    pieces : DataFrame
        content_id, product_id, channel, publish_at, text.
    within_days : int
        Pieces that far apart are held against each other.

    Returns
    -------
    DataFrame
        product_id, first, second (content_id), first_channel, second_channel, first_says, second_says, on (day of the
        later one).
    """
    columns = ["product_id", "first", "second", "first_channel", "second_channel", "first_says", "second_says", "on"]
    promises = []
    for p in pieces.dropna(subset="product_id").itertuples():
        text = str(p.text)
        now = sorted({f"{value:g}" for role, value, *_place in claimed(text) if role == "now"})
        offers = sorted({re.sub(r"\s", "", m[0]) for m in _OFFER.finditer(text)})
        promises += [(p.product_id, p.channel, p.publish_at, p.content_id, "price", now)] if now else []
        promises += [(p.product_id, p.channel, p.publish_at, p.content_id, "offer", offers)] if offers else []
    rows = []
    for i, a in enumerate(promises):
        for b in promises[i + 1 :]:
            same = a[0] == b[0] and a[1] != b[1] and a[4] == b[4]
            if same and abs((a[2] - b[2]).days) <= within_days and a[5] != b[5]:
                first, second = sorted((a, b), key=lambda x: x[2])
                says = (", ".join(first[5]), ", ".join(second[5]))
                rows.append((a[0], first[3], second[3], first[1], second[1], *says, second[2].normalize()))
    return pd.DataFrame(rows, columns=columns)


@answers("Does one product stand at two prices?", needs={"promotions": ["product_id", "starts_at", "ends_at", "rule"]})
def two_prices(promotions: ibis.Table, period: Period) -> pd.DataFrame:
    """Which promotions of one product overlap and differ in their terms?

    Parameters
    ----------
    promotions : Table
        promotion_id, product_id, starts_at, ends_at, rule; platform (optional).
    period : Period
        Promotions that end in it or later.

    Returns
    -------
    DataFrame
        product_id, begins, ends (days that both hold), first, second (promotion_id), first_says, second_says (platform
        and rule).
    """
    table = as_table(promotions)
    late = table.filter(table["product_id"].notnull() & (table["ends_at"] >= ibis.timestamp(period.start.isoformat())))
    columns = [
        c for c in ("promotion_id", "product_id", "platform", "starts_at", "ends_at", "rule") if c in table.columns
    ]
    rows, out = late.select(columns).order_by(["starts_at", "promotion_id"]).to_pandas(), []
    for product, mine in rows.groupby("product_id"):
        every = mine.to_dict("records")
        for i, a in enumerate(every):
            for b in every[i + 1 :]:
                if b["starts_at"] <= a["ends_at"] and a["rule"] != b["rule"]:
                    says = [" ".join(str(p[c]) for c in ("platform", "rule") if c in p) for p in (a, b)]
                    ends = min(a["ends_at"], b["ends_at"]).normalize()
                    ids = (a["promotion_id"], b["promotion_id"])
                    out.append((product, b["starts_at"].normalize(), ends, *ids, *says))
    names = ["product_id", "begins", "ends", "first", "second", "first_says", "second_says"]
    return pd.DataFrame(out, columns=names)
