"""Customer 360 and the marts: every yuan is somebody's or a guest's, and a mart is as old as its report."""

import datetime as dt
from decimal import Decimal

import pandas as pd
import pytest

from playbook import shop_from
from playbook.data import marts
from playbook.data.ingest import ingest
from playbook.data.store import open_store
from playbook.metrics import measure
from playbook.missing import Missing
from playbook.shop import open_shop

CUSTOMERS = (
    "customer_id,platform,registered_at,gender,birth_year,channel,tier,consent_marketing,phone_hash\n"
    "a1,tmall,2024-01-01,female,1990,live,gold,yes,13800000001\n"
    "b1,jd,2024-01-05,,,search,silver,no,13800000001\n"
    "c1,jd,2024-01-09,male,1985,search,,,\n"
)
ORDERS = (
    "order_id,platform,customer_id,ordered_at,paid_at,amount,discount,device,region\n"
    "1,tmall,a1,2024-01-02,2024-01-02,10.10,1.00,app,东\n"
    "2,jd,b1,2024-01-10,2024-01-10,20.20,,phone,西\n"
    "3,jd,b1,2024-01-20,2024-01-20,0.03,0.07,app,西\n"
    "4,jd,c1,2024-01-25,,99.00,,app,西\n"
    "5,jd,,2024-01-28,2024-01-28,7.77,,app,西\n"
    "6,tmall,a1,2024-02-02,2024-02-02,5.00,,app,东\n"
)
RETURNS = (
    "return_id,returned_at,amount,order_id,platform,customer_id\n"
    "r1,2024-01-12,3.30,2,jd,\nr2,2024-01-30,1.00,5,jd,\nr3,2024-02-20,2.00,1,tmall,a1\n"
)
ITEMS = (
    "order_id,platform,product_id,quantity,amount\n1,tmall,p,1,10.10\n2,jd,q,1,10.10\n2,jd,p,2,10.10\n3,jd,q,1,0.03\n"
)
PRODUCTS = "product_id,category\np,Creams\nq,Candles\n"
TICKETS = "ticket_id,opened_at,customer_id,platform,rating\nt1,2024-01-03,a1,tmall,5\nt2,2024-01-04,b1,jd,3\n"
MESSAGES = "message_id,sent_at,channel,customer_id,opened_at\nm1,2024-01-05,sms,a1,2024-01-06\nm2,2024-01-07,sms,a1,\n"

FILES = {
    "customers.csv": CUSTOMERS, "orders.csv": ORDERS, "returns.csv": RETURNS, "order_items.csv": ITEMS,
    "products.csv": PRODUCTS, "tickets.csv": TICKETS, "messages.csv": MESSAGES,
}  # fmt: skip


@pytest.fixture
def shop(build):
    build(FILES, 'zone = "UTC"\ncurrency = "CNY"\n')
    return open_shop("corner", "2024-01")


def test_a_person_has_all_that_her_accounts_have(shop):
    rows = shop.customer_360.to_pandas().sort_values("accounts", ascending=False, ignore_index=True)
    she, he = rows.iloc[0], rows.iloc[1]
    assert len(rows) == 2 and (she.accounts, she.platforms, she.platforms_used) == (2, 2, "jd, tmall")
    assert (she.orders, she.sales, she.gross_sales) == (3, Decimal("30.33"), Decimal("31.40"))
    assert (she.returns, she.returned, she.net_sales) == (1, Decimal("3.30"), Decimal("27.03"))
    assert she.aov == Decimal("10.11") and she.recency_days == 12 and she.tenure_days == 31
    assert (she.main_platform, she.device, she.favourite_category) == ("jd", "app", "Creams")
    assert (she.gender, she.age, she.channel, she.tier, she.region) == ("female", 34, "live", "silver", "东")
    assert not she.consent_marketing  # one account refuses
    assert (she.tickets, she.ticket_rating, she.messages, she.messages_opened) == (2, 4.0, 2, 1)
    assert (he.orders, he.sales, he.gender, he.tickets) == (0, 0, "male", 0)
    assert pd.isna(he.aov) and pd.isna(he.recency_days) and pd.isna(he.consent_marketing) and he.tenure_days == 23


def test_what_persons_and_guests_bought_is_all_that_was_sold(shop):
    persons = shop.customer_360.to_pandas()
    told = measure(shop, ["net_sales", "returns", "guest_sales", "customer_orders"]).set_index("metric").value
    cents = {name: Decimal(str(round(told[name], 4))) for name in told.index}
    assert persons.sales.sum() + cents["guest_sales"] == cents["net_sales"] + cents["returns"] == Decimal("38.10")
    assert persons.orders.sum() == told["customer_orders"] == 3
    # one return is a guest's; one lies after the period
    assert persons.returned.sum() == Decimal("3.30")
    assert open_shop("corner", "2024-02").customer_360.to_pandas().returned.sum() == Decimal("5.30")


def test_a_shop_of_orders_alone_has_persons_with_what_orders_say():
    rows = pd.DataFrame(
        {"order_id": ["1", "2", "3"], "ordered_at": pd.to_datetime(["2024-01-01", "2024-01-03", "2024-01-05"]),
         "amount": [1.0, 2.0, 4.0]}
    )  # fmt: skip
    nobody = shop_from(orders=rows, period="2024-01").customer_360
    assert isinstance(nobody, Missing) and nobody.what == "customers"
    known = shop_from(orders=rows.assign(customer_id=["a", "a", None]), period="2024-01").customer_360.to_pandas()
    assert set(known.columns) == {
        "person_id", "accounts", "orders", "sales", "gross_sales", "first_order_at", "last_order_at", "net_sales",
        "aov", "recency_days", "seen_at", "tenure_days",
    }  # fmt: skip
    assert known[["accounts", "orders", "net_sales", "recency_days"]].to_numpy().tolist() == [[1, 2, Decimal(3), 29]]


def test_a_mart_is_built_once_for_a_moment_and_again_when_the_files_change(shop):
    tables = shop.store.tables
    as_of = dt.datetime(2024, 2, 1)
    assert marts.lacking(tables, as_of) == list(marts.MARTS)
    shop.customer_360  # noqa: B018
    assert marts.lacking(tables, as_of) == ["person_links", "person_conflicts", "sessions"]
    assert isinstance(shop.sessions, Missing)  # a note of that is kept: it is not asked for again
    assert len(shop.person_links.to_pandas()) == 1 and len(shop.person_conflicts.to_pandas()) == 0
    assert marts.lacking(tables, as_of) == [] != marts.lacking(tables, dt.datetime(2024, 3, 1))
    folder = marts.folder_of(tables, as_of)
    before = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
    assert len(before) == 5 and sum(name.endswith(".parquet") for name in before) == 4
    assert open_shop("corner", "2024-01").customer_360.count().to_pandas() == 2
    assert {p.name: p.stat().st_mtime_ns for p in folder.iterdir()} == before
    (shop.store.raw / "customers.csv").write_text(CUSTOMERS.replace("c1,jd", "c2,jd"))
    ingest(open_store("corner"))
    assert not folder.exists() and marts.lacking(open_store("corner").tables, as_of) == list(marts.MARTS)
    assert len(open_shop("corner", "2024-01").customer_360.to_pandas()) == 3


def test_a_mart_that_cannot_be_made_is_not_lacking_for_ever(build):
    build({"orders.csv": "order_id,ordered_at,amount\n1,2024-01-01,5\n"}, 'zone = "UTC"\ncurrency = "CNY"\n')
    shop = open_shop("corner", "2024-01")
    assert all(isinstance(shop.mart(name), Missing) for name in marts.lacking(shop.store.tables, shop.as_of))
    assert marts.lacking(shop.store.tables, shop.as_of) == []


def test_marts_are_attributes_like_tables(shop):
    assert {"persons", "customer_360"} <= set(dir(shop))
    with pytest.raises(AttributeError, match="customer_360"):
        shop.customer_350  # noqa: B018
