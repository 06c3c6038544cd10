"""The market by hand: sizes of twelve months, shares, concentration between its bounds, and growth that adds up."""

import numpy as np
import pandas as pd
import pytest

from playbook.market import panel, shares, size
from playbook.missing import Missing


def table(sellers, years=2, growth=1.0):
    """A market of months: {(category, seller): size a month in the first year}, times `growth` in the second."""
    days = pd.date_range("2024-01-31", periods=12 * years, freq="ME")
    rows = [
        {"day": d, "category": c, "platform": "tmall", "seller": s, "size": float(x) * growth ** (i // 12)}
        for i, d in enumerate(days)
        for (c, s), x in sellers.items()
    ]
    return pd.DataFrame(rows)


def test_a_year_is_twelve_months_beside_the_twelve_before():
    sized = size.sizes(table({("a", ""): 10, ("b", ""): 30}, growth=1.5)).set_index("category")
    assert sized.loc[["a", "b", ""], "size"].tolist() == [180, 540, 720]
    assert sized["growth"].tolist() == pytest.approx([0.5] * 3)
    assert sized["cagr"].tolist() == pytest.approx([0.5] * 3)
    assert (sized["call"] == "").all()  # two years tell no trend


def test_where_no_row_says_the_whole_the_sellers_are_added_up():
    sized = size.sizes(table({("a", "we"): 10, ("a", "they"): 5})).set_index("category")
    assert sized.loc["a", "size"] == 180
    both = size.sizes(table({("a", ""): 100, ("a", "we"): 10})).set_index("category")
    assert both.loc["a", "size"] == 1200


def test_a_trend_is_called_by_its_interval():
    days = pd.date_range("2023-01-31", periods=48, freq="ME")
    rng = np.random.default_rng(1)
    rows = [
        {"day": d, "category": c, "size": np.exp(g * i / 12 + 0.2 * np.sin(i * np.pi / 6) + rng.normal(0, 0.02))}
        for c, g in (("up", 0.3), ("down", -0.2), ("flat", 0.0))
        for i, d in enumerate(days)
    ]
    sized = size.sizes(pd.DataFrame(rows)).set_index("category")
    assert sized.loc[["up", "down", "flat"], "call"].tolist() == ["growing", "falling", "steady"]
    assert sized.loc["up", "trend"] == pytest.approx(np.expm1(0.3), abs=0.02)
    assert sized.loc["up", "trend_low"] < sized.loc["up", "trend"] < sized.loc["up", "trend_high"]


def test_shares_and_concentration_lie_between_their_bounds():
    rows = table({("a", ""): 100, ("a", "we"): 20, ("a", "they"): 40, ("a", "其他"): 40})
    shared = shares.shares(rows, ["we"])
    assert shared["seller"].tolist() == ["they", "we", "其他"] and shared["share"].tolist() == [0.4, 0.2, 0.4]
    whole = shares.concentration(rows).iloc[-1]
    assert (whole["hhi_low"], whole["hhi_high"]) == pytest.approx((0.4**2 + 0.2**2, 0.2 + 0.4 * 0.2))
    assert (whole["cr3"], whole["cr3_high"]) == pytest.approx((0.7, 0.8))


def test_growth_is_split_to_the_last_cent():
    first = table({("a", ""): 100, ("a", "we"): 10, ("b", ""): 50, ("b", "we"): 20}, years=1)
    second = table({("a", ""): 80, ("a", "we"): 16, ("b", ""): 90, ("b", "we"): 20}, years=1)
    rows = pd.concat([first, second.assign(day=second["day"] + pd.offsets.MonthEnd(12))])
    split = size.growth_split(rows, ["we"]).set_index("category")
    effects = split[["market", "mix", "share"]].sum(axis=1)
    assert effects.tolist() == pytest.approx((split["after"] - split["before"]).tolist())
    assert split.loc["", "after"] - split.loc["", "before"] == 72
    assert split.loc["a", "share"] > 0 > split.loc["b", "share"]


def test_who_we_are_is_the_brand_of_our_products_or_is_asked_for():
    rows = table({("a", "we"): 10})
    assert panel.own_brands(rows, pd.DataFrame({"product_id": ["1"], "brand": ["we"]})) == ["we"]
    assert isinstance(panel.own_brands(rows, pd.DataFrame({"product_id": ["1"], "brand": ["x"]})), Missing)
    assert isinstance(size.growth_split(Missing("market"), ["we"]), Missing)


def test_the_picture_draws_each_part_at_its_trend():
    frame = pd.DataFrame({"category": ["a", "b", ""], "size": [5.0, 9, 14], "trend": [0.1, -0.2, 0], "call": "",
                          "trend_low": [0.0, -0.3, 0], "trend_high": [0.2, -0.1, 0]})  # fmt: skip
    frame.attrs = {"by": ["category"]}
    ax = size.plot_sizes(frame)
    assert sorted(float(c.get_offsets()[0][0]) for c in ax.collections) == [-0.2, 0.1]
