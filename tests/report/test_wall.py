"""The wall of personas: what a card says, that it escapes, and that its picture is drawn to measure."""

import pandas as pd
import pytest

from playbook.customers import personas
from playbook.language import using
from playbook.report import page
from playbook.report import personas as walls

CARD = {
    "persona": "A", "persons": 1200, "share": 0.3, "sales": 50_000.0, "share_of_sales": 0.45, "order_value": 120.0,
    "orders": 2.5, "days_between": 30.0, "full_price": 0.8,
    "marks": [("category", "<b>tea</b>"), ("age", "25–34")],
    "who": [("age", "25–34", 0.9, 260.0)], "what": [("category", "<b>tea</b>", 0.6, 180.0)],
    "where": [("main_platform", "tmall", 0.5, 110.0)], "channel": [("channel", "search", 0.4, 120.0)], "asks": [],
    "picture": [("order_value", 124.0), ("orders", 100.0), ("breadth", 50.0), ("full_price", 400.0)],
    "needs": [("refill", 30.0), ("price", 0.3)],
}  # fmt: skip


@pytest.fixture
def shown(monkeypatch):
    """What a wall displays: html, text, figures."""
    said = {}

    def display(html, text, bundle, *, kind):
        said.update(html=html, text=text, figures=bundle[page.FIGURES], kind=kind)

    monkeypatch.setattr(walls, "_display", display)
    return said


def test_a_card_says_who_what_where_at_what_price_and_how_many(shown):
    walls.wall(pd.DataFrame([CARD]), name="personas", currency="CNY")
    for words in ("25–34 90%", "Tmall 50%", "search 40%", "¥120 an order · 80% at full price · 2.50 orders a head",
                  "1,200 customers, 30% of all", "45%", "orders again after 30 days", "30% of the orders carry an offer"):  # fmt: skip
        assert words in shown["html"], words
    assert "Asks about" not in shown["html"]  # nothing is known, so nothing is said


def test_what_comes_from_data_is_escaped(shown):
    walls.wall(pd.DataFrame([CARD]), name="personas", currency="CNY")
    assert "<b>tea</b>" not in shown["html"] and "&lt;b&gt;tea&lt;/b&gt; lovers, 25–34" in shown["html"]


def test_the_figures_are_the_numbers_of_the_cards(shown):
    walls.wall(pd.DataFrame([CARD]), name="personas", currency="CNY")
    found = {f["name"]: (f["value"], f["unit"], f["by"]) for f in shown["figures"]}
    assert found["personas.persons"] == (1200, "count", {"persona": "A"})
    assert found["personas.share_of_sales"] == (0.45, "share", {"persona": "A"})
    assert set(found) == {f"personas.{c}" for c in personas.CARDS_UNITS}


def test_cards_are_to_be_had_in_chinese(shown):
    with using("zh"):
        walls.wall(pd.DataFrame([CARD]), name="personas", currency="CNY")
    assert all(words in shown["html"] for words in ("他们需要什么", "什么价位", "天猫 50%", "25–34 · "))
    assert "lovers" not in shown["html"] and "an order" not in shown["html"]


def test_without_kinds_the_wall_says_why(shown):
    walls.wall(pd.DataFrame(columns=["persona", "persons", "share", "sales", "share_of_sales"]), name="personas")
    assert "no personas" in shown["html"] and shown["figures"] == []


def test_a_picture_is_drawn_to_measure():
    found = walls.radar(CARD["picture"])
    x, y = walls.CENTRE
    up, right, down, left = found["dots"]
    assert up == (x, pytest.approx(y - walls.RADIUS * 0.62, abs=0.1))
    assert right == (pytest.approx(x + walls.RADIUS * 0.5, abs=0.1), y)
    assert down == (x, pytest.approx(y + walls.RADIUS * 0.25, abs=0.1))
    assert left == (pytest.approx(x - walls.RADIUS, abs=0.1), y)  # four times as much stays on the paper
    assert found["labels"][3]["text"] == "full price 400"
    assert walls.radar(CARD["picture"][:2]) is None
