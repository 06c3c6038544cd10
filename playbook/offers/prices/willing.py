"""What buyers would pay, by what they said when asked about prices."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd

from ...missing import answers

UNITS = {"accepted_low": "currency", "accepted_high": "currency", "n": "count"}
QUESTIONS = ("price_too_cheap", "price_cheap", "price_expensive", "price_too_expensive")


@answers("What would buyers pay?", needs={"surveys": ["score"]})
def willing(surveys: ibis.Table, *, rng: np.random.Generator | int, draws: int = 400) -> pd.DataFrame:
    """What would buyers pay: the range of acceptable prices of van Westendorp's four questions.

    Parameters
    ----------
    surveys : Table
        Canonical `surveys` with questions ``price_too_cheap:<product_id>``, ``price_cheap:…``, ``price_expensive:…``,
        ``price_too_expensive:…`` and the price in `score`.
    rng : Generator or int
        Seeded, or the seed.

    Returns
    -------
    DataFrame
        product_id, accepted_low (where as many find it too cheap as expensive), accepted_high (where as many find it
        too expensive as cheap), accepted_low_low … accepted_high_high (80 %, answers drawn anew), n (answers to the
        question with fewest). No row under ten answers.

    References
    ----------
    van Westendorp, P. (1976). NSS price sensitivity meter. Proceedings of the 29th ESOMAR congress, 139–167.
    """
    rng = np.random.default_rng(rng)
    t = surveys if isinstance(surveys, ibis.Table) else ibis.memtable(surveys)
    asked = t.filter(t.question.startswith("price_") & t.question.contains(":") & t.score.notnull())
    counts = asked.group_by(["question", "score"]).aggregate(n=asked.count()).to_pandas()
    counts["what"] = counts.question.str.split(":").str[0]
    counts["product_id"] = counts.question.str.split(":", n=1).str[1]
    rows = []
    for product, of in counts.groupby("product_id", sort=True):
        said = {q: of[of.what == q].sort_values("score") for q in QUESTIONS}
        n = min(int(s.n.sum()) for s in said.values())
        if n < 10:
            continue
        plain = {q: (s.score.to_numpy(float), s.n.to_numpy(float)) for q, s in said.items()}
        drawn = {q: (v, rng.multinomial(int(k.sum()), k / k.sum(), draws)) for q, (v, k) in plain.items()}
        again = np.array([_acceptable({q: (v, k[i]) for q, (v, k) in drawn.items()}) for i in range(draws)])
        ends = np.quantile(again, [0.1, 0.9], axis=0)
        low, high = _acceptable(plain)
        rows.append((product, low, ends[0, 0], ends[1, 0], high, ends[0, 1], ends[1, 1], n))
    columns = [
        "product_id",
        "accepted_low",
        "accepted_low_low",
        "accepted_low_high",
        "accepted_high",
        "accepted_high_low",
        "accepted_high_high",
        "n",
    ]
    return pd.DataFrame(rows, columns=columns)


def _acceptable(said: dict[str, tuple[np.ndarray, np.ndarray]]) -> tuple[float, float]:
    """Where too cheap meets expensive, and too expensive meets cheap."""
    at = np.unique(np.concatenate([v for v, _k in said.values()]))

    def share(q: str, *, above: bool) -> np.ndarray:
        v, k = said[q]
        inside = (v[None] >= at[:, None]) if above else (v[None] <= at[:, None])
        return (inside * k[None]).sum(axis=1) / k.sum()

    def meet(falling: np.ndarray, rising: np.ndarray) -> float:
        gap = rising - falling
        i = int(np.argmax(gap >= 0)) if (gap >= 0).any() else len(at) - 1
        if i == 0 or gap[i] == gap[i - 1]:
            return float(at[i])
        return float(at[i - 1] + (at[i] - at[i - 1]) * -gap[i - 1] / (gap[i] - gap[i - 1]))

    low = meet(share("price_too_cheap", above=True), share("price_expensive", above=False))
    return low, meet(share("price_cheap", above=True), share("price_too_expensive", above=False))
