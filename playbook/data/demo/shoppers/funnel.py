"""How far people come on the own site once something lies in their cart."""

from __future__ import annotations

import numpy as np

from ..world import World
from ..world.incidents import WEAK_STEP

STEPS = ("add_to_cart", "begin_checkout", "add_payment_info", "purchase")
CHECKOUT, PAYMENT, PURCHASE = 0.46, 0.76, 0.86  # of those who came to the step before
FUNNEL = 1 / (CHECKOUT * PAYMENT * PURCHASE)
DEVICE = {"mini_program": 1.03, "phone": 0.97, "desktop": 0.98}  # on the payment step
WEAK = 0.66  # what is left of the payment step on phones once it has gone wrong
ARMS = ("control", "treatment")
LIFT = 0.30  # of checkouts, by the experiment that works
NOVELTY, NOVELTY_DAYS = 0.60, 6.0  # lift of the one that wears off: at first, and its mean life


def planted(experiment: str) -> dict[str, object]:
    """What an experiment really does, for the truth."""
    effects: dict[str, dict[str, object]] = {
        "one_page_checkout": {"effect": "lift", "checkout_lift": LIFT},
        "blue_button": {"effect": "none"},
        "new_search": {"effect": "none", "sample_ratio_mismatch": True},
        "gift_banner": {"effect": "novelty", "checkout_lift_at_first": NOVELTY, "mean_days": NOVELTY_DAYS},
    }
    return effects[experiment]


def arm_of(world: World, experiment: str, person: np.ndarray) -> np.ndarray:
    """The arm that each person would be given: 0 or 1."""
    return (world.draws.uniform(f"arm {experiment}", person) < 0.5).astype(int)


def reached(
    world: World, person: np.ndarray, number: np.ndarray, day: np.ndarray, second: np.ndarray, device: np.ndarray
) -> np.ndarray:
    """The step that each occasion ends on: 0 cart, 1 checkout, 2 payment, 3 purchase; −2 where the site was down."""
    dates, draws = world.incidents, world.draws
    checkout = CHECKOUT * _experiments(world, person, day)
    payment = PAYMENT * np.select([device == d for d in DEVICE], list(DEVICE.values()), 1.0)
    payment = np.where((device == WEAK_STEP[0]) & (day >= dates.weak_step), payment * WEAK, payment)
    step = np.zeros(len(person), dtype=np.int64)
    for i, rate in enumerate((checkout, payment, np.full(len(person), PURCHASE))):
        passed = draws.uniform(f"step {i}", person, number) < np.minimum(rate, 0.98)
        step = np.where((step == i) & passed, i + 1, step)
    return np.where((day == dates.outage) & (second >= 7 * 3600), -2, step)


def _experiments(world: World, person: np.ndarray, day: np.ndarray) -> np.ndarray:
    """What the arms do to the step from cart to checkout."""
    out = np.ones(len(person))
    for name, begins, ends in world.incidents.experiments:
        treated = (day >= begins) & (day < ends) & (arm_of(world, name, person) == 1)
        if name == "one_page_checkout":
            out[treated] *= 1 + LIFT
        elif name == "gift_banner":
            out[treated] *= 1 + NOVELTY * np.exp(-(day[treated] - begins) / NOVELTY_DAYS)
    return out
