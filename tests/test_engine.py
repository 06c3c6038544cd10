"""Stories of the engines: local time is what the zone's clock shows, and DuckDB and Spark tell the same numbers."""

import datetime as dt
import os
import shutil
from dataclasses import replace
from decimal import Decimal
from zoneinfo import ZoneInfo

import ibis
import numpy as np
import pandas as pd
import pytest

from playbook.data.demo import generate
from playbook.data.engine import MONEY, Engine, as_table, engine
from playbook.data.ingest import ingest
from playbook.data.store import Store, read_settings
from playbook.metrics import measure
from playbook.shop import shop_of

SHANGHAI = "Asia/Shanghai"


def local_times(using, table, zone):
    return table.mutate(local=using.local(table["at"], zone)).to_pandas().sort_values("id").local.tolist()


# -- DuckDB


@pytest.mark.parametrize("zone", [SHANGHAI, "Europe/London", "America/New_York"])
def test_local_time_equals_the_clock_of_the_zone_for_2000_instants(zone):
    rng = np.random.default_rng(7)
    seconds = rng.integers(int(dt.datetime(1992, 1, 1).timestamp()), int(dt.datetime(2037, 1, 1).timestamp()), 2000)
    moments = [dt.datetime.fromtimestamp(int(s), dt.UTC) for s in seconds]
    # and each minute around the two changes of the clock of 2026, where an hour is skipped or runs twice
    for change in (dt.datetime(2026, 3, 8, 7), dt.datetime(2026, 10, 25, 1), dt.datetime(2026, 11, 1, 6)):
        moments += [change.replace(tzinfo=dt.UTC) + dt.timedelta(minutes=m) for m in range(-90, 91, 15)]
    frame = pd.DataFrame({"id": range(len(moments)), "at": [m.replace(tzinfo=None) for m in moments]})
    expected = [m.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for m in moments]
    assert local_times(engine(), as_table(frame), zone) == expected


@pytest.mark.parametrize("year", [1940, 1991, 2050, 2100])
def test_local_time_holds_far_outside_the_years_in_which_the_zone_is_steady(year):
    moments = [dt.datetime(year, month, 15, 12, tzinfo=dt.UTC) for month in range(1, 13)]
    frame = pd.DataFrame({"id": range(12), "at": [m.replace(tzinfo=None) for m in moments]})
    expected = [m.astimezone(ZoneInfo(SHANGHAI)).replace(tzinfo=None) for m in moments]
    assert (expected[6].hour == 21) == (year in (1940, 1991))  # Shanghai had summer time then
    assert local_times(engine(), as_table(frame), SHANGHAI) == expected


def test_the_shops_day_changes_at_the_shops_midnight_and_utc_is_left_alone():
    frame = pd.DataFrame({"id": [0, 1], "at": pd.to_datetime(["2026-10-31 15:59", "2026-10-31 16:01"])})
    table = as_table(frame)
    local = [pd.Timestamp("2026-10-31 23:59"), pd.Timestamp("2026-11-01 00:01")]
    assert local_times(engine(), table, SHANGHAI) == local
    days = table.mutate(day=engine().local(table["at"], SHANGHAI).date()).to_pandas().day
    assert [str(d)[:10] for d in days] == ["2026-10-31", "2026-11-01"]
    assert local_times(engine(), table, "UTC") == frame["at"].tolist()


def test_a_frame_becomes_a_table_and_a_table_stays_itself():
    table = as_table(pd.DataFrame({"x": [1, 2]}))
    assert isinstance(table, ibis.Table) and as_table(table) is table
    assert table.x.sum().to_pandas() == 3


def test_sums_of_money_are_exact():
    table = as_table(pd.DataFrame({"x": [0.1] * 10}))
    assert table.x.cast(MONEY).sum().to_pandas() == Decimal("1.0000")


def test_the_engine_maps_over_arrays_as_ibis_writes_it():
    table = as_table(pd.DataFrame({"x": [[1, 2], [3]]}))
    assert table.mutate(y=table.x.map(lambda v: v + 1)).to_pandas().y.map(list).tolist() == [[2, 3], [4]]


# -- the same on Spark


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A small demo shop with two orders more, a minute before and a minute after the shop's midnight."""
    folder = tmp_path_factory.mktemp("home") / "data" / "demo"
    generate(folder, scale=0.02)
    two = "order_id,platform,customer_id,ordered_at,paid_at,amount\n"
    two += "before,jd,j1,2026-10-30 23:59:00,2026-10-30 23:59:00,10.10\n"
    two += "after,jd,j2,2026-10-31 00:01:00,2026-10-31 00:01:00,20.20\n"
    (folder / "raw" / "orders.csv").write_text(two, encoding="utf-8")
    store = Store(folder, read_settings(folder / "shop.toml"))
    ingest(store)
    return store


@pytest.fixture(scope="module")
def spark():
    pytest.importorskip("pyspark", reason="Spark is tried only where pyspark is installed")
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        pytest.skip("Spark needs Java; there is none here")
    using = Engine("spark")
    yield using
    using.connection.disconnect()


def platform_money(using, folder):
    orders = using.read(folder / "orders.parquet")
    return orders.group_by("platform").aggregate(amount=orders.amount.sum(), n=orders.count()).order_by("platform")


def local_days(using, folder):
    orders = using.read(folder / "orders.parquet")
    dated = orders.mutate(day=using.local(orders.ordered_at, SHANGHAI).date())
    return dated.group_by("day").aggregate(n=dated.count()).order_by("day")


def items_by_channel(using, folder):
    orders, items = (using.read(folder / f"{n}.parquet") for n in ("orders", "order_items"))
    lines = items.select("platform", "order_id", "quantity", "amount").inner_join(
        orders.select("platform", "order_id", "channel"), ["platform", "order_id"]
    )
    sums = lines.group_by("channel").aggregate(units=lines.quantity.sum(), amount=lines.amount.sum())
    return sums.order_by("channel")


pyspark_and_pandas_3 = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")


@pyspark_and_pandas_3
@pytest.mark.parametrize("expression", [platform_money, local_days, items_by_channel])
def test_one_expression_gives_equal_results_on_duckdb_and_spark(store, spark, expression):
    ours, theirs = (expression(using, store.tables).to_pandas() for using in (engine(), spark))
    for frame in (ours, theirs):
        if "day" in frame:
            frame["day"] = pd.to_datetime(frame.day)
    assert len(ours) > 3
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False)


def test_the_day_of_an_order_at_23_59_and_at_00_01_is_the_shops(store):
    orders = engine().read(store.tables / "orders.parquet")
    two = orders.filter(orders.order_id.isin(["before", "after"]))
    stored = two.to_pandas().set_index("order_id").ordered_at
    assert stored["before"] == pd.Timestamp("2026-10-30 15:59") and stored["after"] == pd.Timestamp("2026-10-30 16:01")
    days = two.mutate(day=engine().local(two.ordered_at, SHANGHAI).date()).to_pandas().set_index("order_id").day
    assert str(days["before"])[:10] == "2026-10-30" and str(days["after"])[:10] == "2026-10-31"


@pyspark_and_pandas_3
def test_a_shop_on_spark_measures_what_it_measures_on_duckdb(store, spark, monkeypatch):
    monkeypatch.setattr("playbook.shop.engine", lambda name="duckdb": spark if name == "spark" else engine())
    asked = {"metrics": ["net_sales", "aov", "repeat_rate"], "by": ["platform"], "compare": True}
    here = measure(shop_of(store, "2026-10"), **asked)
    there = measure(shop_of(replace(store, settings=replace(store.settings, engine="spark")), "2026-10"), **asked)
    assert here.value.sum() > 0 and here.previous.sum() > 0
    pd.testing.assert_frame_equal(here, there, check_exact=False, rtol=1e-12)
