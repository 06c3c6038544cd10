"""Advertising: what is spent where, and what it really brings. Money is in fen.

A channel brings shopping occasions on top of those that come by themselves: on day d as many as
``ceiling × s(a(d))``, where ``a`` is its spending carried over from earlier days (geometric adstock, `carry` a week)
and ``s(a) = tanh(a / (2 × half))`` is logistic saturation, as in PyMC-Marketing's `GeometricAdstock` and
`LogisticSaturation` (Jin et al. 2017; s = 1 − 2/(1 + exp(a/half))).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .calendar import Calendar
from .incidents import Incidents
from .policy import Policy, known_or_refuse

# Per channel: names, platform that sells the advertising, spending a week in yuan (at scale 1), carry-over a week,
# spending a week at which the saturation is tanh(1/2) = 46 %, occasions a day at full saturation, part of them new
# customers, part of the platforms' own sales that it claims beside what it brought.
# Cost: CPC, CTR, CPM lie in the ranges that facebook_ads and the platforms' public price lists give.
CHANNELS = pd.DataFrame(
    [
        ("search", "搜索广告", "Search ads", "google", 7800, 0.10, 7800, 14.5, 0.50, 0.055, 1.9, 0.045),
        ("in_platform", "站内推广", "Platform ads", "wanxiangtai", 13700, 0.20, 15700, 24.0, 0.45, 0.085, 1.2, 0.040),
        ("short_video", "短视频广告", "Short-video ads", "alimama", 11200, 0.35, 13200, 23.0, 0.50, 0.060, 0.9, 0.022),
        ("xiaohongshu", "小红书种草", "Xiaohongshu", "xiaohongshu", 9200, 0.60, 18500, 23.0, 0.60, 0.015, 1.6, 0.030),
        ("live", "直播", "Live streams", "douyin", 8500, 0.05, 9400, 19.0, 0.40, 0.070, 1.1, 0.028),
        ("crm", "邮件与短信", "E-mail and SMS", "own_crm", 2000, 0.10, 2000, 8.5, 0.00, 0.030, 0.5, 0.035),
        ("bilibili", "B站", "Bilibili", "bilibili", 2900, 0.30, 7000, 16.5, 0.60, 0.010, 1.0, 0.020),
        ("display", "信息流展示", "Display network", "display", 2400, 0.15, 3500, 4.2, 0.50, 0.012, 0.8, 0.006),
    ],
    columns=[
        "channel", "name", "name_en", "platform", "weekly", "carry", "half", "ceiling", "new", "hijack", "cpc", "ctr",
    ],
)  # fmt: skip

# Where the occasions that a channel brings are bought.
BOUGHT_ON = {
    "search": {"tmall": 0.40, "jd": 0.35, "own_site": 0.25},
    "in_platform": {"tmall": 0.80, "jd": 0.20},
    "short_video": {"douyin": 0.80, "tmall": 0.20},
    "xiaohongshu": {"tmall": 0.65, "own_site": 0.20, "jd": 0.15},
    "live": {"douyin": 0.75, "tmall": 0.25},
    "crm": {"own_site": 0.45, "tmall": 0.40, "jd": 0.15},
    "bilibili": {"tmall": 0.60, "own_site": 0.25, "douyin": 0.15},
    "display": {"tmall": 0.50, "jd": 0.30, "own_site": 0.20},
}
FAILING, FAILING_FACTOR = "display", 0.25  # what is left of its ceiling from `failing_channel` on
NEW = "bilibili"
HELD_OUT = ("浙江", "湖北", "福建", "河南", "陕西", "辽宁", "广西", "云南")  # provinces of the lift tests
TARGET_ROAS = 1.5  # what the team asks of a channel, net sales that it brought over what it cost


@dataclass(frozen=True)
class Media:
    """Channels by position.

    Attributes
    ----------
    channels : DataFrame
        See `CHANNELS`.
    spend : ndarray, channels × days
        Fen, for the whole country.
    held_out : ndarray of bool, channels × days
        Where a lift test holds the channel's advertising off the provinces `HELD_OUT`.
    level : ndarray, 2 × channels × days
        Saturation reached, 0 to 1: in the provinces that are never held out, and in the others.
    ceiling : ndarray, channels × days
        Occasions a day at full saturation.
    """

    channels: pd.DataFrame
    spend: np.ndarray
    held_out: np.ndarray
    level: np.ndarray
    ceiling: np.ndarray

    def position(self, channel: str) -> int:
        return int(np.flatnonzero(self.channels["channel"] == channel)[0])


def make_media(
    cal: Calendar, incidents: Incidents, rng: np.random.Generator, policy: Policy, scale: float, held_share: float
) -> Media:
    """Spending and what it reaches; `held_share` is the part of the country that the provinces of the tests are."""
    intended = _flights(cal, incidents, rng)
    for channel, factor in policy.budgets.items():
        known = (CHANNELS["channel"] == channel).to_numpy()
        known_or_refuse("budgets", channel, known.any(), CHANNELS["channel"])
        intended[known, policy.begins :] *= factor
    held_out = np.zeros(intended.shape, dtype=bool)
    for channel, begins, ends in incidents.lift_tests:
        held_out[(CHANNELS["channel"] == channel).to_numpy(), begins:ends] = True
    spend = np.rint(intended * np.where(held_out, 1 - held_share, 1) * scale * 100).astype(np.int64)
    level = np.stack([saturation(intended), saturation(np.where(held_out, 0, intended))])
    ceiling = np.repeat(CHANNELS["ceiling"].to_numpy()[:, None], cal.n, axis=1) * scale
    ceiling[(CHANNELS["channel"] == FAILING).to_numpy(), incidents.failing_channel :] *= FAILING_FACTOR
    return Media(CHANNELS, spend, held_out, level, ceiling)


def saturation(spend: np.ndarray) -> np.ndarray:
    """How saturated each channel is on each day, 0 to 1, by spending a day in yuan at scale 1 (channels × days)."""
    carry = CHANNELS["carry"].to_numpy() ** (1 / 7)
    adstock = np.empty(spend.shape)
    held = np.zeros(len(spend))
    for d in range(spend.shape[1]):
        held = held * carry + spend[:, d]
        adstock[:, d] = held
    weekly = adstock * (1 - carry)[:, None] * 7  # at constant spending this is the spending of a week
    return np.tanh(weekly / (2 * CHANNELS["half"].to_numpy()[:, None]))


def _flights(cal: Calendar, incidents: Incidents, rng: np.random.Generator) -> np.ndarray:
    """Spending a day in yuan: blocks of weeks at levels of their own, more at festivals, pulses of one or two weeks.

    Channels change at times of their own, and each has weeks at nothing and weeks at twice the usual: where spending
    always moves together nobody can tell the channels apart.
    """
    weeks = cal.n // 7 + 2
    week = np.arange(cal.n) // 7
    festive = np.isin(cal.festival, ["festival_618", "festival_1111"]) * 0.25 + (cal.festival != "") * 0.1
    trend = np.linspace(0.9, 1.15, cal.n)
    out = np.zeros((len(CHANNELS), cal.n))
    for c, channel in CHANNELS.iterrows():
        lengths = rng.integers(2, 7, weeks)
        levels = rng.choice([0.0, 0.35, 0.9, 1.3, 2.0], size=weeks)
        plan = np.repeat(levels, lengths)[:weeks]
        for pulse in range(int(rng.integers(2, 5)), weeks, int(rng.integers(8, 11))):  # deliberate, to learn from
            plan[pulse : pulse + 2] = 0.0 if rng.random() < 0.5 else 2.4
        daily = plan[week] * trend * (1 + festive) * np.exp(rng.normal(0, 0.06, cal.n))
        if channel["channel"] == NEW:
            daily = np.where(np.arange(cal.n) < incidents.new_channel, 0, np.exp(rng.normal(0, 0.06, cal.n)))
        if channel["channel"] == FAILING:
            late = np.arange(cal.n) >= incidents.failing_channel
            daily = np.where(late, np.exp(rng.normal(0, 0.06, cal.n)), daily)
        out[c] = channel["weekly"] / 7 * daily
    return out
