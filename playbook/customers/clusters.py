"""Clusters: kinds of customers that the data themselves suggest, or the answer that there are none.

Each kind is a law of what its people are like: which categories they buy of, where, at what price, who they are. A
person belongs to the kind under which what is known of her is likeliest; what is not known counts nothing. So a trait
that tells kinds apart weighs much, one that does not weighs nothing, and nobody has to choose weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from threadpoolctl import threadpool_limits

from .. import style
from ..findings import Figure, Finding
from ..language import _, humanise
from ..missing import Missing, answers, quietly
from .latent import Mixture, fitted, gradation
from .traits import enough, known_by, sample
from .words import word

STABLE = 0.75
"""Mean likeness (Jaccard) of a group to its like in samples drawn anew, from which on it counts as stable (Hennig)."""
CLEAR = 0.70
"""Mean silhouette from which on groups count as told apart."""
SMALLEST = 0.03
"""Smallest part of the sample that is a group."""
FEWEST = 300
"""Persons below which groups are not looked for."""


@dataclass(frozen=True)
class Clusters:
    """What was tried, what was chosen, and who is of which kind.

    Attributes
    ----------
    tried : DataFrame
        One row a number of groups: groups, silhouette, stability (of the least stable group), smallest (persons in the
        sample), evidence (BIC per person below that of one group: more is better), gradation (the same of no kinds, but
        one line along which people differ by degrees), fit (whether it may be chosen), chosen.
    mixture : Mixture or None
        None: no structure found.
    levels : DataFrame
        As of `traits.Traits`.
    least_orders, n : int
        The sample: persons with that many orders, and how many.
    people : Table
        One row per person who paid an order: person_id, orders, sales, cluster (A, B, …; the largest first), certainty.
        None without structure.
    """

    tried: pd.DataFrame
    mixture: Mixture | None
    levels: pd.DataFrame
    least_orders: int
    n: int
    people: ibis.Table | None


@answers("Which kinds of customers are there?")
def clusters(
    customer_360: ibis.Table | pd.DataFrame,
    bought: ibis.Table | pd.DataFrame,
    lines: ibis.Table | pd.DataFrame | None = None,
    *,
    seed: int,
    most: int = 3000,
    largest: int = 7,
    resamples: int = 8,
) -> Clusters:
    """Which kinds of customers are there, and does one find the same ones again?

    Parameters
    ----------
    customer_360, bought, lines : Table
        The mart, and from `purchases.of_persons` and `purchases.lines`: see `traits.known_by`.
    seed : int
        Of the sample, which the engine draws, and of all that is drawn from it.
    most : int
        Persons in the sample that kinds are learnt from; all others are told theirs in the engine.
    largest : int
        Largest number of groups that is tried.
    resamples : int
        Samples drawn anew for the stability.

    Returns
    -------
    Clusters
        A Missing with fewer than `FEWEST` persons.
    """
    known: Any = known_by(customer_360, bought, lines)
    if isinstance(known, Missing):
        return known  # type: ignore[return-value]
    least = enough(known, wanted=FEWEST)
    if isinstance(least, Missing):
        return least.asked(_("Which kinds of customers are there?"))  # type: ignore[return-value]
    rows = sample(known, least_orders=least, most=most, seed=seed)
    levels = known.levels
    x = rows[list(levels.column)].to_numpy(dtype=float)
    rng = np.random.default_rng(seed)
    tried, mixture = chosen(x, groups_of(levels), rng=rng, largest=largest, resamples=resamples)
    people = None if mixture is None else assigned(known.table, mixture, levels)
    return Clusters(tried, mixture, levels, least, len(rows), people)


def groups_of(levels: pd.DataFrame) -> np.ndarray:
    """For each level the position of its trait."""
    return pd.factorize(levels.trait)[0]


@threadpool_limits.wrap(limits=1)  # many small products: threads would only wait for each other
def chosen(
    x: np.ndarray, groups: np.ndarray, *, rng: np.random.Generator, largest: int = 7, resamples: int = 8
) -> tuple[pd.DataFrame, Mixture | None]:
    """How many kinds are there? The most that hold: stable when drawn anew, told apart, none tiny, borne out by BIC
    against fewer kinds and against people who differ by degrees only.

    Returns
    -------
    tried : DataFrame
        As in `Clusters`.
    mixture : Mixture or None
        None where no number of kinds above 1 holds: no structure found.

    References
    ----------
    Hennig, C. (2007). Cluster-wise assessment of cluster stability. CSDA 52, 258–271. Raymaekers, J. & Rousseeuw, P. J.
    (2022). Silhouettes and quasi residual plots for neural nets and tree-based classifiers. JCGS 31 (the silhouette
    out of the chances of a person's kind and of the next). Schwarz, G. (1978). Estimating the dimension of a model.
    Annals of Statistics 6. Tibshirani, R. & Walther, G. (2005). Cluster validation by prediction strength. JCGS 14 (the
    largest number that is stable).
    """
    n, traits = len(x), groups.max() + 1
    alone = _bic(fitted(x, groups, 1, rng=rng), n, x.shape[1], traits)
    likelihood, free = gradation(x, groups)
    gradual = (alone + 2 * likelihood - free * np.log(n)) / n
    rows, mixtures, best = [], {}, max(0.0, gradual)
    for k in range(2, largest + 1):
        mixture = mixtures[k] = fitted(x, groups, k, rng=rng)
        here = mixture.predict(x)
        sizes = np.bincount(here, minlength=k)
        evidence = (alone - _bic(mixture, n, x.shape[1], traits)) / n
        silhouette = float(_silhouette(mixture.chance(x)).mean())
        plausible = evidence > best and silhouette >= CLEAR and sizes.min() >= max(10, SMALLEST * n)
        stability = _stability(x, groups, here, k, resamples, rng) if plausible or k == 2 else np.nan
        rows.append(
            {
                "groups": k, "silhouette": silhouette, "stability": stability, "smallest": int(sizes.min()),
                "evidence": evidence, "gradation": gradual, "fit": bool(plausible and stability >= STABLE),
            }
        )  # fmt: skip
        best = max(best, evidence)
    tried = pd.DataFrame(rows)
    fit = tried.groups[tried.fit]
    number = int(fit.max()) if len(fit) else 1
    return tried.assign(chosen=tried.groups == number), mixtures.get(number)


def _bic(mixture: Mixture, n: int, levels: int, traits: int) -> float:
    free = mixture.k - 1 + mixture.k * (levels - traits)
    return -2 * mixture.likelihood + free * np.log(n)


def _silhouette(chance: np.ndarray) -> np.ndarray:
    two = np.sort(chance, axis=1)[:, -2:]
    return (two[:, 1] - two[:, 0]) / two.sum(axis=1)


def _stability(
    x: np.ndarray, groups: np.ndarray, here: np.ndarray, k: int, resamples: int, rng: np.random.Generator
) -> float:
    """How like itself the least stable group stays when the sample is drawn anew."""
    found = np.zeros((resamples, k))
    for b in range(resamples):
        drawn = x[rng.integers(0, len(x), len(x))]
        there = fitted(drawn, groups, k, rng=rng).predict(x)
        table = np.zeros((k, k))
        np.add.at(table, (here, there), 1)
        either = table.sum(axis=1, keepdims=True) + table.sum(axis=0, keepdims=True) - table
        found[b] = (table / np.maximum(either, 1)).max(axis=1)
    return float(found.mean(axis=0).min())


def assigned(table: ibis.Table, mixture: Mixture, levels: pd.DataFrame) -> ibis.Table:
    """Who is of which kind? Worked out in the engine, for however many persons."""
    log = np.log(mixture.chances)
    out = {}
    for i in range(mixture.k):
        score: ibis.Value = ibis.literal(float(np.log(mixture.shares[i])))
        for j, column in enumerate(levels.column):
            score = score + table[column] * float(log[i, j])
        out[f"_s{i}"] = score
    scored = table.select("person_id", "orders", "sales", **out)
    top = ibis.greatest(*(scored[f"_s{i}"] for i in range(mixture.k)))
    total = sum((scored[f"_s{i}"] - top).exp() for i in range(mixture.k))
    cases = [(scored[f"_s{i}"] == top, letter(i)) for i in range(mixture.k)]
    return scored.select("person_id", "orders", "sales", cluster=ibis.cases(*cases), certainty=1 / total).cache()


def letter(i: int) -> str:
    """The letter of a group by its position."""
    return chr(ord("A") + i)


@answers("How many kinds of customers hold?")
def tried(found: Clusters) -> pd.DataFrame:
    """How many kinds of customers hold? The numbers of groups that were tried, as a table to show."""
    return found.tried.astype({"groups": str})


@answers("What is each kind of customers like?")
def profile(found: Clusters) -> pd.DataFrame:
    """What is each kind of customers like?

    Returns
    -------
    DataFrame
        One row per cluster, trait and level: cluster, trait, level, share (of the kind), all (share of everybody), lift
        (the first by the second). Empty without structure.
    """
    if found.mixture is None:
        return pd.DataFrame(columns=["cluster", "trait", "level", "share", "all", "lift"])
    every = found.mixture.shares @ found.mixture.chances
    parts = [
        found.levels[["trait", "level"]].assign(cluster=letter(i), share=chances, all=every, lift=chances / every)
        for i, chances in enumerate(found.mixture.chances)
    ]
    return pd.concat(parts, ignore_index=True)[["cluster", "trait", "level", "share", "all", "lift"]]


@answers("How large is each kind of customers?")
def sizes(found: Clusters) -> pd.DataFrame:
    """How large is each kind of customers, and what is it worth?

    Returns
    -------
    DataFrame
        One row a cluster: cluster, persons, share, sales (currency, of all time, before returns), share_of_sales,
        orders (mean per person), certainty (mean chance that a person is of that kind). Empty without structure.
    """
    if found.people is None:
        empty = pd.DataFrame(columns=["cluster", "persons", "share", "sales", "share_of_sales", "orders", "certainty"])
        empty.attrs["notes"] = [
            _("No structure found: the customers differ by degrees, and no division into kinds comes out twice.")
        ]
        return empty
    t = found.people
    frame = t.group_by("cluster").aggregate(
        persons=t.count(), sales=t.sales.sum(), orders=t.orders.mean(), certainty=t.certainty.mean()
    ).order_by("cluster").to_pandas()  # fmt: skip
    frame["sales"] = frame.sales.astype(float)
    frame.insert(2, "share", frame.persons / frame.persons.sum())
    frame.insert(4, "share_of_sales", frame.sales / frame.sales.sum())
    return frame


SIZES_UNITS = {
    "persons": "count", "share": "share", "sales": "currency", "share_of_sales": "share", "orders": "ratio",
    "certainty": "share",
}  # fmt: skip
TRIED_UNITS = {
    "silhouette": "ratio", "stability": "ratio", "smallest": "count", "evidence": "ratio", "gradation": "ratio",
}  # fmt: skip


@quietly
def plot_tried(found: Clusters) -> Axes:
    """How clear and how stable each number of groups is; the chosen one is marked."""
    rows = found.tried
    ax = style.axes(height=3.4)
    for column, color, name in (
        ("silhouette", style.OWN, _("clear (silhouette)")),
        ("stability", style.CATEGORIES[1], _("stable (Jaccard)")),
    ):
        there = rows.dropna(subset=column)
        ax.plot(there.groups, there[column], color=color, marker="o")
        if len(there):
            style.direct_label(ax, there.groups.iloc[-1], there[column].iloc[-1], name, color)
    ax.axhline(STABLE, color=style.COMPARISON, linewidth=1, linestyle=(0, (4, 3)))
    for number in rows.groups[rows.chosen]:
        ax.axvspan(number - 0.3, number + 0.3, color=style.GRID, zorder=0)
    ax.set_xticks(list(rows.groups))
    ax.set_ylim(0, 1.05)
    ax.set_xlabel(_("Number of groups"))
    number = found.mixture.k if found.mixture else 1
    ax.set_title(
        _("{n} groups hold: stable when drawn anew, and told apart").format(n=number)
        if number > 1
        else _("No structure found: no number of groups holds")
    )
    return ax


@quietly
def plot_profile(profile: pd.DataFrame, *, most: int = 9) -> Axes | None:
    """What sets each group apart: how much more (or less) frequent a level is than among all."""
    if profile.empty:
        return None
    telling = profile[profile["all"] > 0.02].assign(weight=lambda p: p.share * np.abs(np.log(p.lift)))
    chosen_levels = (
        telling.groupby(["trait", "level"], sort=False).weight.max().nlargest(most * 2).index.tolist()
    )  # the levels that tell most
    clusters_there = list(dict.fromkeys(profile.cluster))
    rows = [
        p
        for p in profile[["trait", "level"]].drop_duplicates().itertuples(index=False, name=None)
        if p in chosen_levels
    ]
    ax = style.axes(height=1.6 + 0.36 * len(rows))
    grid = np.full((len(rows), len(clusters_there)), np.nan)
    share = grid.copy()
    for of in profile.itertuples():
        if (of.trait, of.level) in rows:
            place = rows.index((of.trait, of.level)), clusters_there.index(of.cluster)
            grid[place], share[place] = np.log2(max(of.lift, 1e-3)), of.share
    ax.imshow(grid, cmap="PuOr_r", vmin=-3, vmax=3, aspect="auto", alpha=0.55)
    for (i, j), value in np.ndenumerate(share):
        ax.annotate(style.value(value, "share", digits=0), (j, i), ha="center", va="center", fontsize=9)
    ax.set_xticks(range(len(clusters_there)), clusters_there)
    ax.xaxis.tick_top()
    names = [_("{trait}: {level}").format(trait=humanise(t), level=word(t, v)) for t, v in rows]
    ax.set_yticks(range(len(rows)), names)
    ax.grid(visible=False)
    ax.set_title(_("What sets the groups apart: share within each (orange: more than among all)"))
    return ax


@answers("What do the kinds of customers say?")
def findings(found: Clusters, sizes: pd.DataFrame) -> list[Finding]:
    """What do the kinds of customers say? Whether there are any, and which carries the sales."""
    if found.mixture is None:
        text = _("No structure found among {n} customers: treat them by what each does, not as kinds.")
        return [Finding("hold", text.format(n=style.value(found.n, "count")))]
    row = found.tried[found.tried.chosen].iloc[0]
    best = sizes.loc[sizes.share_of_sales.idxmax()]
    text = _("{k} kinds of customers hold (stability {stability}); kind {name} brings {share} of the sales.")
    text = text.format(
        k=found.mixture.k,
        stability=style.value(row.stability, "ratio"),
        name=best.cluster,
        share=style.value(best.share_of_sales, "share"),
    )
    figures: Sequence[Figure] = (
        Figure("clusters.number", found.mixture.k, "count"),
        Figure("clusters.stability", row.stability, "ratio"),
    )
    return [Finding("hold", text, float(best.sales), tuple(figures))]
