"""Stories of planted defects: the account of what was read equals what was planted, exactly."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from playbook.data.demo import defects, exports
from playbook.data.ingest import ingest
from tests.conftest import Built
from tests.data.formats.conftest import SETTINGS, made
from tests.data.test_ingest import assert_ties

OUTCOMES = ("read", "accepted", "superseded", "duplicate", "skipped", "quarantined")


@pytest.fixture
def spoilt(make_shop):
    """A shop of three platforms: its account before and after defects were planted."""
    tables, people = made(seed=2, tmall=90, jd=60, douyin=60, own_site=20)

    def build(plant):
        store = make_shop("corner", {}, SETTINGS)
        exports.taobao.write(tables, people, store.raw / "tmall")
        exports.jd.write(tables, people, store.raw / "jd")
        exports.douyin.write(tables, people, store.raw / "douyin")
        accounting = ingest(store)
        before = {f["file"]: f for f in accounting["files"]}
        orders = pd.read_parquet(store.tables / "orders.parquet")
        planted = plant(store.raw)
        return before, orders, planted, Built(store, ingest(store))

    return build


def last(raw, folder, pattern):
    """The latest export: none after it has its rows again."""
    path = sorted((raw / folder).glob(pattern))[-1]
    return path.relative_to(raw).as_posix()


def assert_as_planted(before, planted, built):
    assert_ties(built)
    expected = {name: {o: f[o] for o in OUTCOMES} for name, f in before.items()}
    for p in planted:
        for name, change in p.changes.items():
            account = expected.setdefault(name, dict.fromkeys(OUTCOMES, 0))
            for outcome, n in change.items():
                account[outcome] += n
    got = {f["file"]: {o: f[o] for o in OUTCOMES} for f in built.accounting["files"]}
    assert got == expected
    bad = {}
    for p in planted:
        if p.reason:
            bad[p.file, p.reason] = bad.get((p.file, p.reason), 0) + p.rows if p.kind != "foreign_store" else 2
    found = {}
    for q in built.accounting["quarantine"]:
        found[q["file"], q["reason"]] = found.get((q["file"], q["reason"]), 0) + q["rows"]
    assert found == bad


FILES = [("tmall", "ExportOrderList*.csv"), ("jd", "*.csv"), ("douyin", "*.csv")]


@pytest.mark.parametrize("kind", defects.KINDS)
@pytest.mark.parametrize(("folder", "pattern"), FILES, ids=["tmall", "jd", "douyin"])
def test_a_defect_changes_the_account_by_what_was_planted(spoilt, kind, folder, pattern):
    if folder == "jd" and kind in ("duplicates",):
        pytest.skip("lines of an order have no number of their own: a line that stands twice is two lines")
    rng = np.random.default_rng(1)

    def plant(raw):
        return defects.plant(raw, rng, files=[last(raw, folder, pattern)], kinds=[kind], n=2)

    before, orders, planted, built = spoilt(plant)
    assert_as_planted(before, planted, built)
    if kind in ("wrong_encoding", "mixed_zones", "thousands", "duplicates", "totals_rows", "test_orders"):
        again = built.orders.sort_values(["platform", "order_id"], ignore_index=True)
        pd.testing.assert_frame_equal(again, orders.sort_values(["platform", "order_id"], ignore_index=True))
    (told,) = planted
    gone = set(orders.order_id) - set(built.orders.order_id)
    assert gone <= set(told.lost) and (folder == "douyin" or gone == set(told.lost))


def test_many_defects_at_once_are_all_accounted_for(spoilt):
    rng = np.random.default_rng(3)

    def plant(raw):
        tmall, jd, douyin = (last(raw, *f) for f in FILES)
        files = [tmall, tmall, jd, jd, douyin]
        kinds = ["duplicates", "totals_rows", "excel_ids", "cut_rows", "re_export"]
        return [*defects.plant(raw, rng, files=files, kinds=kinds), defects.foreign_store(raw)]

    before, _orders, planted, built = spoilt(plant)
    assert_as_planted(before, planted, built)


def test_a_store_that_sells_in_dollars_is_converted_by_the_rate_of_the_day(spoilt):
    before, orders, planted, built = spoilt(lambda raw: [defects.foreign_store(raw)])
    assert_as_planted(before, planted, built)
    rows = built.orders[built.orders.order_id.str.startswith("US")].set_index("order_id")
    # 2 September is under the rate of the 1st; from 4 September (10:00 in California is the 5th in Shanghai) the new one
    assert rows.amount.to_dict() == {
        "US00000": Decimal("213"), "US00001": Decimal("213.6"), "US00002": Decimal("213.6"), "US00003": Decimal("213.6"),
    }  # fmt: skip
    assert set(rows.currency) == {"USD"} and len(built.orders) == len(orders) + 4


def test_equal_seeds_plant_equal_defects(spoilt, tmp_path):
    tables, people = made(seed=2, tmall=40, jd=2, douyin=2, own_site=2)
    told = []
    for folder in ("a", "b"):
        exports.taobao.write(tables, people, tmp_path / folder)
        names = sorted(p.name for p in (tmp_path / folder).glob("ExportOrderList*"))
        told.append(
            defects.plant(tmp_path / folder, np.random.default_rng(5), files=names[:2], kinds=["cut_rows", "excel_ids"])
        )
    assert told[0] == told[1]
    assert [p.read_bytes() for p in sorted((tmp_path / "a").iterdir())] == [
        p.read_bytes() for p in sorted((tmp_path / "b").iterdir())
    ]
