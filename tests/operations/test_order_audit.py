import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from playbook.data import plan_sheets
from playbook.data.store import ShopError
from playbook.missing import Missing
from playbook.operations import order_audit
from playbook.operations.order_audit import rules
from playbook.period import Period

UNTIL = dt.date(2026, 7, 1)


def orders(*rows, **more):
    """Orders of (account, moment, address), and what else is given for all."""
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "address_hash"])
    frame["ordered_at"] = pd.to_datetime(frame["ordered_at"])
    frame["order_id"] = [str(i) for i in range(len(frame))]
    return frame.assign(paid_at=frame["ordered_at"], amount=50.0, **{"platform": "tmall", "region": "广东"} | more)


def lines(frame, product="p"):
    return frame[["order_id", "platform"]].assign(product_id=product, quantity=1, amount=50.0)


def test_accounts_that_share_an_address_at_night_are_for_review():
    made = orders(
        ("a", "2026-06-01 02:00", "x"), ("b", "2026-06-02 02:00", "x"), ("c", "2026-06-03 02:00", "x"),
        ("d", "2026-06-01 02:00", "y"), ("e", "2026-06-03 12:00", "x"),
    )  # fmt: skip
    queue = order_audit.audit(made, until=UNTIL)
    assert queue["order_id"].tolist() == ["0", "1", "2"]  # by day the address alone says too little
    assert set(queue["signs"]) == {"shared address, night"} and set(queue["score"]) == {3}
    assert queue.attrs["judged"] == 5
    (case,) = order_audit.cases(queue).to_dict("records")
    assert (case["orders"], case["accounts"], case["amount"]) == (3, 3, 150.0)


def test_one_person_on_three_platforms_and_a_pair_share_nothing():
    same = orders(*[(f"a{i}", "2026-06-01 02:00", "x") for i in range(3)], platform=["tmall", "jd", "douyin"])
    pair = orders(("a", "2026-06-01 02:00", "x"), ("b", "2026-06-01 02:00", "x"))
    assert order_audit.audit(same, until=UNTIL).empty and order_audit.audit(pair, until=UNTIL).empty


def test_a_burst_is_more_than_the_town_s_part_of_what_everybody_buys():
    rng = np.random.default_rng(1)
    usual = [(f"u{i}", f"2026-06-{1 + i % 28:02d} {rng.integers(8, 22):02d}:15", None) for i in range(400)]
    burst = [(f"b{i}", f"2026-06-10 03:{i:02d}", None) for i in range(6)]
    made = orders(*usual, *burst, region=["北京", "上海", "广东", "四川"] * 100 + ["海南"] * 6)
    queue = order_audit.audit(made, lines(made), until=UNTIL)
    assert set(queue["customer_id"]) == {f"b{i}" for i in range(6)}
    assert set(queue["signs"]) == {"burst, night"}
    # a sale at midnight: everybody buys it in that half hour
    sale = orders(*[(f"s{i}", f"2026-06-18 01:{i % 30:02d}", None) for i in range(200)], region=["北京", "上海"] * 100)
    assert order_audit.audit(sale, lines(sale), until=UNTIL).empty


def test_who_keeps_the_goods_and_has_all_refunded_is_found_and_who_sends_back_is_not():
    usual = [(f"u{i}", f"2026-05-{1 + i % 28:02d} 12:00", None) for i in range(600)]
    loop = [("l", f"2026-06-{d:02d} 12:00", None) for d in (1, 8, 15, 22)]
    back = [("s", f"2026-06-{d:02d} 13:00", None) for d in (1, 8, 15, 22)]
    made = orders(*usual, *loop, *back)
    given = made[made["customer_id"].isin(["l", "s"])].assign(
        kind=lambda x: np.where(x["customer_id"] == "l", "refund_only", "return"), reason="damaged"
    )
    some = made.head(12).assign(kind="refund_only", reason="damaged")
    returns = pd.concat([given, some])[["order_id", "platform", "kind", "reason", "amount"]]
    queue = order_audit.audit(made, until=UNTIL, returns=returns)
    assert set(queue["customer_id"]) == {"l"} and set(queue["kind"]) == {"refund loop"} and len(queue) == 4
    cancelled = returns.assign(reason="cancelled")
    assert order_audit.audit(made, until=UNTIL, returns=cancelled).empty


def test_praise_and_goods_bought_again_add_points():
    made = orders(*[(f"a{i % 3}", f"2026-06-0{1 + i} 12:00", "x") for i in range(9)])
    reviews = made[["order_id", "platform"]].assign(reviewed_at=made["ordered_at"] + pd.Timedelta(days=1), rating=5)
    queue = order_audit.audit(made, lines(made), until=UNTIL, reviews=reviews)
    assert set(queue["signs"]) == {"shared address, same goods, again, praise"} and set(queue["score"]) == {5}


def test_figures_with_and_without_by_hand():
    made = orders(
        ("a", "2026-06-01 12:00", "z"), ("a", "2026-06-05 12:00", "z"), ("b", "2026-06-02 12:00", "w"),
        ("f", "2026-06-03 02:00", "x"), ("g", "2026-06-03 02:00", "x"), ("h", "2026-06-03 02:00", "x"),
    )  # fmt: skip
    queue = order_audit.audit(made, until=UNTIL)
    assert len(queue) == 3
    returns = pd.DataFrame({"order_id": ["2"], "platform": ["tmall"], "amount": [30.0]})
    told = order_audit.effect(made, queue, Period(dt.date(2026, 6, 1), UNTIL), returns=returns).set_index("counted")
    assert told.loc["all"].tolist() == pytest.approx([6, 300, 5, 50, 0.2, 0.1])
    assert told.loc["without doubtful"].tolist() == pytest.approx([3, 150, 2, 50, 0.5, 0.2])
    said = order_audit.findings(queue, order_audit.cases(queue), told.reset_index(), currency="CNY")
    assert [f.verdict for f in said] == ["act", "watch"] and "50.0%" in said[1].text


def test_what_the_data_cannot_tell_is_said():
    bare = orders(("a", "2026-06-01 02:00", "x"))[["order_id", "platform", "ordered_at", "amount", "customer_id"]]
    queue = order_audit.audit(bare, until=UNTIL)
    assert queue.empty and set(queue.attrs["silent"]) == {r.name for r in rules.RULES} - {"night"}
    assert "shared device" in queue.attrs["notes"][0]
    (said,) = order_audit.findings(
        queue,
        order_audit.cases(queue),
        order_audit.effect(bare, queue, Period(dt.date(2026, 6, 1), UNTIL)),
        currency="CNY",
    )
    assert said.verdict == "hold"
    nobody = order_audit.audit(bare.drop(columns="customer_id"), until=UNTIL)
    assert isinstance(nobody, Missing) and order_audit.faked(nobody) is None
    assert order_audit.audit(bare.iloc[:0], until=UNTIL).empty


def test_weeks_are_drawn_by_kind():
    queue = pd.DataFrame(
        {
            "ordered_at": pd.to_datetime(["2026-06-01", "2026-06-03", "2026-06-09"]),
            "kind": ["fake", "fake", "refund loop"],
            "order_id": list("abc"),
        }
    )
    weeks = order_audit.by_week(queue)
    assert weeks["orders"].tolist() == [2, 1]
    heights = sorted(p.get_height() for p in order_audit.plot_by_week(weeks).patches)
    assert heights[-2:] == [1, 2]


# -- what people said


def wave():
    """Five orders of three accounts to one address by night, and one order of somebody else."""
    rows = [(f"a{i % 3}", f"2026-06-0{i + 1} 02:00", "x") for i in range(5)]
    return orders(*rows, ("d", "2026-06-01 12:00", "y"))


def said(**verdicts):
    rows = [("tmall", order[1:], verdict) for order, verdict in verdicts.items()]
    return pd.DataFrame(rows, columns=["platform", "order_id", "verdict"])


def test_what_a_person_said_goes_before_the_score():
    told = said(o0="genuine", o1="fake", o2="refund loop", o5="fake", o3=pd.NA, o99="fake")
    queue = order_audit.audit(wave(), until=UNTIL, said=told).set_index("order_id")
    assert sorted(queue.index) == ["1", "2", "3", "4", "5"]  # 0 is genuine, 5 is fake whatever its score
    assert queue["kind"].to_dict() == {"1": "fake", "2": "refund loop", "3": "fake", "4": "fake", "5": "fake"}
    assert queue["verdict"].to_dict() == {"1": "fake", "2": "refund loop", "3": "", "4": "", "5": "fake"}
    assert sorted(order_audit.faked(queue.reset_index())["order_id"]) == ["1", "3", "4", "5"]


def test_a_line_that_names_no_platform_is_heard_beside_one_that_does():
    told = said(o0="genuine", o1="fake").assign(platform=["tmall", pd.NA])
    queue = order_audit.audit(wave(), until=UNTIL, said=told).set_index("order_id")
    assert queue["verdict"].to_dict() == {"1": "fake", "2": "", "3": "", "4": ""}


def test_the_precision_of_the_rules_is_that_of_the_orders_looked_at():
    none = order_audit.audit(wave(), until=UNTIL)
    before = order_audit.precision(none)
    assert before.loc[0, ["waiting", "looked_at"]].tolist() == [5, 0] and np.isnan(before.loc[0, "precision"])
    assert "audit_queue.csv" in before.attrs["notes"][0] and order_audit.precision_findings(before) == []
    told = said(o0="genuine", o1="fake", o2="fake", o5="fake")  # 5 was not named by the rules
    queue = order_audit.audit(wave(), until=UNTIL, said=told)
    row = order_audit.precision(queue).set_index("kind").loc["fake"]
    assert row[["waiting", "looked_at", "confirmed"]].tolist() == [2, 3, 2]
    assert row["precision"] == pytest.approx(2 / 3)
    assert (row["precision_low"], row["precision_high"]) == pytest.approx((0.2077, 0.9385), abs=1e-4)  # Wilson's
    (finding,) = order_audit.precision_findings(order_audit.precision(queue))
    assert finding.verdict == "watch" and "66.7%" in finding.text and finding.figures[0].value == pytest.approx(2 / 3)


def test_the_queue_keeps_what_was_said_below_what_waits():
    told = said(o0="genuine", o1="fake")
    sheet = order_audit.review(order_audit.audit(wave(), until=UNTIL, said=told))
    assert sheet[["order_id", "verdict"]].values.tolist() == [
        ["2", ""], ["3", ""], ["4", ""], ["0", "genuine"], ["1", "fake"],
    ]  # fmt: skip
    assert sheet["ordered_at"].iloc[-1] == pd.Timestamp("2026-06-02 02:00")
    json.dumps(order_audit.audit(wave(), until=UNTIL, said=told).attrs)  # else the engine complains on the page


def test_a_filled_sheet_is_read_back_and_its_mistakes_are_named(make_shop):
    store = make_shop("corner", {})
    (store.folder / "plan").mkdir(exist_ok=True)
    path = store.folder / "plan" / "audit_queue.csv"
    path.write_text("report,platform,order_id,score,verdict\n2026-06,tmall,0,3,genuine\n2026-06,tmall,1,3,\n")
    read = plan_sheets.read(store, "audit_queue", order_audit.columns(), key=order_audit.KEY)
    queue = order_audit.audit(wave(), until=UNTIL, said=read)
    assert sorted(queue["order_id"]) == ["1", "2", "3", "4"]
    path.write_text("platform,order_id,verdict\ntmall,0,innocent\njd,0,fake\ntmall,0,fake\n,,fake\n")
    with pytest.raises(ShopError) as wrong:
        plan_sheets.read(store, "audit_queue", order_audit.columns(), key=order_audit.KEY)
    lines = str(wrong.value).splitlines()
    assert lines[0].startswith("audit_queue.csv, row 2, column verdict: 'innocent'")
    assert lines[1] == "audit_queue.csv, row 4, column order_id: '0': it is there already, in row 2"
    assert lines[2] == "audit_queue.csv, row 5, column order_id: '': must be filled in" and len(lines) == 3
