"""The content calendar: gaps and clashes by hand."""

import numpy as np
import pandas as pd
import pytest

from playbook import period
from playbook.content import calendar

OCTOBER = period.parse("2026-10")


def content(*extra, channel="wechat", every=7, until="2026-12-20", without=()):
    """A channel that publishes every so many days at eight in the evening, and other pieces."""
    days = pd.date_range("2026-01-02", until, freq=f"{every}D")
    days = days[~days.isin(pd.DatetimeIndex(list(without)))]
    rows = pd.DataFrame({"publish_at": days + pd.Timedelta(hours=20), "channel": channel})
    rows["content_id"] = [f"{channel}-{d:%m%d}" for d in days]
    rows = rows.assign(stage="planned", product_id=None, campaign_id=None, title="t")
    extra = pd.DataFrame(
        list(extra), columns=["content_id", "publish_at", "channel", "stage", "product_id", "campaign_id"]
    )
    out = pd.concat([rows, extra.assign(publish_at=pd.to_datetime(extra["publish_at"]))], ignore_index=True)
    return out.astype({c: object for c in ("product_id", "campaign_id", "stage")})


def test_weeks_and_channels_are_counted_and_silent_weeks_are_zero():
    planned = calendar.pieces(content(without=["2026-11-06"]), OCTOBER, weeks=4)
    weeks = calendar.by_week(planned).set_index("week")["pieces"]
    assert weeks.loc["2026-10-26"] == 1
    assert weeks.loc["2026-11-02"] == 0
    assert weeks.sum() == len(planned) == 8
    ax = calendar.plot_by_week(calendar.by_week(planned))
    assert [t.get_text() for t in ax.texts].count("0") == 1


def test_a_gap_is_longer_than_twice_the_usual_pause_and_one_week_missed_is_none():
    planned = calendar.pieces(content(without=["2026-11-06"]), OCTOBER)
    assert calendar.gaps(planned).empty  # 14 days instead of 7
    planned = calendar.pieces(content(without=["2026-11-06", "2026-11-13"]), OCTOBER)
    (gap,) = calendar.gaps(planned).to_dict("records")
    assert (gap["begins"], gap["ends"]) == (pd.Timestamp("2026-11-01"), pd.Timestamp("2026-11-19"))
    assert gap["days"] == 19
    assert gap["usual_days"] == 7
    (said,) = calendar.findings(planned, calendar.gaps(planned), calendar.clashes(planned))
    assert said.verdict == "act"
    assert "1 Nov 2026" in said.text


def test_a_channel_that_has_hardly_published_has_no_usual_pause():
    few = content(every=40)
    planned = calendar.pieces(few.head(6), OCTOBER)
    assert calendar.gaps(planned).empty


@pytest.mark.parametrize(
    ("extra", "kind", "other"),
    [
        (("x", "2026-11-06 21:00", "wechat", "reviewed", None, None), "same_time", "wechat-1106"),
        (("x", "2026-11-10 09:00", "douyin", "reviewed", "gone", None), "sold_out", ""),
        (("x", "2026-11-10 09:00", "douyin", "reviewed", None, "old"), "after_campaign", ""),
        (("x", "2026-11-02 09:00", "douyin", "planned", None, None), "not_ready", ""),
        (("x", "2026-11-02 09:00", "douyin", "drafted", None, None), None, ""),
        (("x", "2026-10-10 20:30", "wechat", "planned", "gone", "old"), None, ""),  # it is out already
    ],
)
def test_each_kind_of_clash(extra, kind, other):
    campaigns = pd.DataFrame({"campaign_id": ["old"], "ends_on": pd.to_datetime(["2026-11-05"])})
    stock = pd.DataFrame({"day": pd.to_datetime(["2026-10-30", "2026-10-31"] * 2), "product_id": ["gone", "gone", "there", "there"],
                          "on_hand": [5, 0, 0, 9]})  # fmt: skip
    planned = calendar.pieces(content(extra), OCTOBER)
    found = calendar.clashes(planned, campaigns=campaigns, inventory=stock)
    if kind is None:
        assert found.empty
    else:
        (clash,) = found.to_dict("records")
        assert (clash["kind"], clash["content_id"], clash["with_id"]) == (kind, "x", other)


def test_the_same_product_twice_within_a_day():
    extra = [
        ("a", "2026-11-10 09:00", "douyin", "reviewed", "p", None),
        ("b", "2026-11-10 20:00", "douyin", "reviewed", "p", None),
    ]
    (clash,) = calendar.clashes(calendar.pieces(content(*extra), OCTOBER)).to_dict("records")
    assert (clash["kind"], clash["content_id"], clash["with_id"]) == ("same_product", "b", "a")


def test_an_empty_plan_is_said_and_does_not_break():
    planned = calendar.pieces(content(until="2026-10-20"), OCTOBER)
    assert calendar.gaps(planned).empty
    (said,) = calendar.findings(planned, calendar.gaps(planned), calendar.clashes(planned))
    assert said.verdict == "hold"
    assert np.isfinite(said.figures[0].value)
    assert said.figures[0].value == 0
