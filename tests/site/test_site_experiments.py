"""What a shop tried on its site: three arms, a broken split, a win that wears off, and the next experiment."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from playbook.missing import Missing
from playbook.period import parse
from playbook.shop import shop_from
from playbook.site import experiments, funnel

UNTIL = dt.date(2026, 4, 3)
START = pd.Timestamp("2026-03-02 10:00")


def rows(arms, *, name="colour", days=28, value=10.0):
    """Units spread evenly over days: {arm: (units, converted)}."""
    parts = []
    for arm, (n, k) in arms.items():
        i = np.arange(n)
        won = np.zeros(n, dtype=bool)
        won[np.linspace(0, n - 1, k).astype(int)] = True
        parts.append(
            pd.DataFrame(
                {
                    "experiment": name,
                    "unit_id": [f"{name}-{arm}-{x}" for x in i],
                    "arm": arm,
                    "exposed_arm": arm,
                    "assigned_at": START + pd.to_timedelta(i % days, unit="D"),
                    "converted": won,
                    "value": won * value,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def ran(*frames, events=None, **more):
    return experiments.run(pd.concat(frames, ignore_index=True), events, until=UNTIL, **more)


def test_three_arms_are_each_held_against_the_control_and_the_better_one_is_taken():
    tried = ran(rows({"control": (2000, 200), "big": (2000, 280), "small": (2000, 205)}))
    found = experiments.effects(tried).set_index("arm")
    assert found.loc["big", ["control", "value"]].tolist() == [0.1, 0.14]
    assert found.loc["big", "p_adjusted"] < 0.001 and found.loc["small", "p_adjusted"] > 0.5  # Holm's correction
    assert found.loc["big", "better"] > 0.999 and 0.5 < found.loc["small", "better"] < 0.75
    assert experiments.log(tried).set_index("arm")["call"].to_dict() == {"big": "take", "small": "unknown"}
    (roll,) = experiments.decisions(tried, period=parse("2026-03"), platform="own_site")
    # 6,000 units in 28 days, 4 % more of them, 30 days of April
    assert roll.effect == pytest.approx(6000 / 28 * 30 * 0.04) and roll.period == "2026-04"
    assert roll.by == {"platform": "own_site"} and roll.metric == "orders_paid" and roll.low > 0
    old = experiments.decisions(tried, period=parse("2026-09"), platform="own_site")
    assert old == []
    verdicts = {f.verdict for f in experiments.findings(tried, until=UNTIL) if "big" in f.text}
    assert verdicts == {"act"}
    assert "act" not in {f.verdict for f in experiments.findings(tried, until=dt.date(2026, 10, 1))}


def test_a_broken_split_is_refused_before_any_effect_is_told():
    tried = ran(
        rows({"control": (2000, 200), "treatment": (1700, 300)}), rows({"control": (9, 1), "b": (9, 1)}, name="x")
    )
    broken, sound = tried
    assert broken.name == "colour" and not broken.analysis.sound and sound.analysis.sound
    assert experiments.effects(tried)["experiment"].tolist() == ["x"]
    split = experiments.arms(tried).drop_duplicates("experiment").set_index("experiment")["split"]
    assert split.to_dict() == {"colour": "broken", "x": "sound"}
    line = experiments.log(tried).set_index("experiment").loc["colour"]
    assert line["call"] == "broken" and "2,000" in line["says"]
    assert experiments.decisions(tried, period=parse("2026-03")) == []


def test_a_win_that_sells_for_less_harms_its_guard():
    cheap = rows({"control": (4000, 400)}, value=100.0)
    more = rows({"treatment": (4000, 520)}, value=40.0)
    tried = ran(cheap, more)
    assert experiments.effects(tried)["p_adjusted"].iloc[0] < 0.001
    assert experiments.effects(tried, guards=True)["effect"].iloc[0] == pytest.approx(5.2 - 10)
    assert experiments.log(tried)["call"].tolist() == ["harms"]
    assert experiments.decisions(tried, period=parse("2026-03")) == []


def carts(units, of_day):
    """A cart of each unit two hours after it came; `of_day` says by arm and day which part went on to the checkout."""
    out = []
    for (arm, day), mine in units.groupby(["arm", units["assigned_at"].dt.normalize()]):
        share = of_day(arm, (day - START.normalize()).days)
        n = len(mine)
        for i, row in enumerate(mine.itertuples()):
            out.append((row.unit_id, "add_to_cart", row.assigned_at + pd.Timedelta(hours=2)))
            if i < round(share * n):
                out.append((row.unit_id, "begin_checkout", row.assigned_at + pd.Timedelta(hours=3)))
    return pd.DataFrame(out, columns=["visitor_id", "event", "event_at"])


def test_an_effect_that_wears_off_is_told_from_the_carts_of_each_day_and_not_taken():
    units = rows({"control": (2800, 280), "treatment": (2800, 380)})
    seen = carts(units, lambda arm, d: 0.8 if arm == "treatment" and d < 7 else 0.4)
    tried = ran(units, events=seen)
    (line,) = experiments.lasting(tried).to_dict("records")
    assert (line["lasts"], line["counted"]) == ("wears_off", "carts")
    assert line["early_effect"] == pytest.approx(0.4) and line["late_effect"] == pytest.approx(0.0)
    assert experiments.log(tried)["call"].tolist() == ["wears_off"]
    (finding,) = experiments.findings(tried, until=UNTIL)
    assert finding.verdict == "watch" and "+40" in finding.text and finding.p < 1e-6
    assert experiments.decisions(tried, period=parse("2026-03")) == []
    # the same units, and carts that stay better
    stays = ran(units, events=carts(units, lambda arm, _d: 0.8 if arm == "treatment" else 0.4))
    assert experiments.log(stays)["call"].tolist() == ["take"]
    # without events it is told from conversions, which are alike over time here
    assert experiments.lasting(ran(units))["counted"].tolist() == ["visitors"]


def test_what_still_runs_is_no_result_and_what_ended_long_ago_is_left_out():
    late = rows({"control": (2000, 200), "treatment": (2000, 280)}, days=30)
    assert experiments.log(ran(late))["call"].tolist() == ["running"]
    old = late.assign(assigned_at=late["assigned_at"] - pd.Timedelta(days=400))
    assert ran(old) == [] and "No experiment" in experiments.findings([], until=UNTIL)[0].text
    assert experiments.log([]).empty and experiments.effects([]).attrs["notes"]
    assert ran(rows({"control": (20, 2)})) == []  # one arm is no experiment


def test_where_no_arm_is_called_control_the_first_by_name_is():
    tried = ran(rows({"old": (1000, 100), "new": (1000, 150)}), control="control")
    assert tried[0].analysis.control == "new" and experiments.effects(tried)["arm"].tolist() == ["old"]


def test_rows_that_saw_the_other_arm_are_counted_apart():
    units = rows({"control": (100, 10), "treatment": (100, 10)})
    units.loc[:4, "exposed_arm"] = "treatment"
    units.loc[5:7, "exposed_arm"] = None
    (control, _treatment) = experiments.arms(ran(units)).to_dict("records")
    assert (control["rows"], control["set_aside"], control["unseen"], control["kept"]) == (100, 5, 3, 92)
    (_result, aside) = experiments.findings(ran(units), until=UNTIL)
    assert "5 of control saw treatment" in aside.text


def test_a_shop_without_experiments_gets_cards():
    orders = pd.DataFrame({"order_id": ["1"], "ordered_at": [pd.Timestamp("2026-03-05")], "amount": [9.0]})
    of = shop_from(orders=orders, period="2026-03")
    tried = experiments.run(of.experiments, of.events, until=UNTIL)
    assert isinstance(tried, Missing) and isinstance(experiments.findings(tried, until=UNTIL), Missing)
    assert isinstance(experiments.log(tried)[experiments.LOG], Missing)
    places = experiments.candidates(funnel.steps(of.events), Missing("events"), within=of.period)
    assert isinstance(places, Missing) and experiments.today(experiments.soonest(places)) == {}
    bare = rows({"control": (9, 1), "b": (9, 1)}).drop(columns="converted")
    assert isinstance(experiments.run(bare, until=UNTIL), Missing)


STEPS = pd.DataFrame(
    {"step": ["view_item", "add_to_cart", "purchase"], "n": [30_000, 6000, 3000], "step_rate": [np.nan, 0.2, 0.5],
     "step_rate_low": [np.nan, 0.19, 0.48], "step_rate_high": [np.nan, 0.21, 0.52]}
)  # fmt: skip
VALUES = pd.DataFrame({"part": [""], "n": [3000], "mean": [100.0], "error": [1.0], "total": [300_000.0]})


def test_the_next_experiment_is_where_an_effect_is_seen_soonest():
    places = experiments.candidates(STEPS, VALUES, within=parse("2026-04")).set_index("step")
    assert places.loc["add_to_cart", "per_day"] == 1000 and places.loc["purchase", "per_day"] == 200
    # 2 × 6,509 at 20 % → 22 %, and 2 × 1,565 at 50 % → 55 %, in whole weeks
    assert places["units"].tolist() == pytest.approx([13_018, 3130], rel=0.01)
    assert places["days"].tolist() == [14, 21] and places["worth"].tolist() == [30_000.0] * 2
    whole = experiments.candidates(STEPS, VALUES, within=parse("2026-04"))
    place = experiments.soonest(whole)
    assert place["step"].tolist() == ["add_to_cart"] and experiments.today(place) == {"rate": 0.2, "per_day": 1000}
    sizes = experiments.design(place)
    assert sizes.set_index("lift").loc[0.1, "to"] == pytest.approx(0.22) and (sizes["power"] >= 0.8).all()
    five = experiments.five_steps(place, sizes)
    assert five["phase"].tolist() == ["hypothesis", "design", "collection", "analysis", "application"]
    assert "20.0% to 22.0%" in five["what"].iloc[0] and "14 days" in five["what"].iloc[1]
    (finding,) = experiments.next_finding(whole)
    assert finding.verdict == "act" and finding.stake == 30_000
    few = STEPS.assign(n=[300, 60, 30])
    (finding,) = experiments.next_finding(experiments.candidates(few, VALUES, within=parse("2026-04")))
    assert finding.verdict == "watch" and finding.stake is None
    none = experiments.candidates(STEPS.head(0), VALUES.head(0), within=parse("2026-04"))
    assert (
        none.empty and experiments.soonest(none).empty and experiments.five_steps(none, experiments.design(none)).empty
    )
    assert experiments.chances(none).empty and experiments.next_finding(none)[0].verdict == "watch"


def test_pictures_show_the_numbers():
    tried = ran(rows({"control": (2000, 200), "big": (2000, 280)}))
    found = experiments.effects(tried)
    drawn = experiments.plot_effects(found)
    points = [line.get_xdata()[0] for line in drawn.lines if line.get_marker() == "o"]
    assert points == found["effect"].tolist()
    lasts = experiments.plot_lasting(experiments.lasting(tried))
    shown = [line.get_xdata()[0] for line in lasts.lines if line.get_marker() == "o"]
    assert shown == experiments.lasting(tried)[["early_effect", "late_effect"]].iloc[0].tolist()
    place = experiments.soonest(experiments.candidates(STEPS, VALUES, within=parse("2026-04")))
    chances = experiments.chances(place)
    power = experiments.plot_power(chances)
    assert list(power.lines[0].get_ydata()) == chances[chances["lift"] == 0.1]["power"].tolist()
    assert experiments.plot_effects(experiments.effects([])) is None
