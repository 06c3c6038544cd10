"""Customers who buy and leave as BG/NBD says, made for tests."""

import datetime as dt

import numpy as np
import pandas as pd

UNTIL = dt.date(2026, 1, 1)


def made(n=600, weeks=104, *, seed=3, r=0.6, alpha=6.0, a=0.8, b=2.5, spend=50.0):
    """Days on which customers of a BG/NBD shop bought, each beginning at a day of her own."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        rate, gone = rng.gamma(r, 1 / alpha), rng.beta(a, b)
        mean = spend * rng.gamma(6, 1 / 6)
        at, end, first = float(rng.uniform(0, weeks * 0.6)), float(weeks), True
        while at < end:
            day = pd.Timestamp(UNTIL) - pd.Timedelta(days=round((weeks - at) * 7) + 1)
            rows.append((f"c{i}", day.date(), round(mean * rng.gamma(8, 1 / 8), 2), 1))
            if not first and rng.random() < gone:  # nobody is gone after the first purchase
                break
            first = False
            at += rng.exponential(1 / rate) if rate > 0 else end
    frame = pd.DataFrame(rows, columns=["person_id", "day", "amount", "orders"])
    return frame.groupby(["person_id", "day"], as_index=False).sum()
