"""Experiments on the own site: who was given which arm, what she saw, and what she bought."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..shoppers.funnel import ARMS, arm_of
from ..world import World
from .events import Site
from .visits import DEVICES

# Where each experiment is to be seen; without the event nobody has seen it.
SHOWN_ON = {
    "one_page_checkout": "add_to_cart",
    "blue_button": "view_item",
    "new_search": "view_search_results",
    "gift_banner": "page_view",
}
MISMATCH = ("new_search", "phone")
LOST = 0.55  # of the treated visitors on that device who do not buy: the new page fails there before it reports


def experiments(world: World, site: Site) -> pd.DataFrame:
    """The table `experiments`: one row for each visitor who came while an experiment ran.

    Every device of a person is a visitor of its own, with the person's arm. Outcomes are the visitor's orders on that
    device from her assignment to the end of the experiment: `converted`, and `value`, their sum in yuan.
    """
    events, cal = site.events[["event_at", "event", "visitor_id", "value"]], world.calendar
    who = site.visits.drop_duplicates("visitor_id").set_index("visitor_id")[["person", "device"]]
    parts = []
    for name, begins, ends in world.incidents.experiments:
        first, last = (cal.days[0] + pd.Timedelta(days=d) for d in (begins, ends))
        lo, hi = events["event_at"].searchsorted([first, last])
        during = events.iloc[lo:hi]
        units = during.drop_duplicates("visitor_id")
        visitor = units["visitor_id"]
        person, device = who["person"].reindex(visitor).to_numpy(), who["device"].reindex(visitor).to_numpy()
        arm = arm_of(world, name, person)
        bought = during[during["event"] == "purchase"].groupby("visitor_id")["value"].sum()
        value = bought.reindex(visitor).fillna(0).to_numpy(np.int64)
        seen = visitor.isin(during.loc[during["event"] == SHOWN_ON[name], "visitor_id"]).to_numpy()
        label = np.array(ARMS, dtype=object)[arm]
        rows = pd.DataFrame(
            {
                "experiment": name,
                "unit_id": visitor.array,
                "arm": label,
                "assigned_at": units["event_at"].array,
                "exposed_arm": pd.Series(label, dtype="str").where(seen),
                "value": value / 100,
                "converted": value > 0,
            }
        )
        if name == MISMATCH[0]:
            on = device == DEVICES.index(MISMATCH[1])
            fails = world.draws.uniform("assignment lost", person) < LOST
            rows = rows[~((arm == 1) & on & fails & (value == 0))]
        parts.append(rows)
    out = pd.concat(parts, ignore_index=True).astype({"arm": "str", "experiment": "str", "unit_id": "str"})
    return out.sort_values(["assigned_at", "experiment", "unit_id"], ignore_index=True)
