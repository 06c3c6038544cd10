"""What was sold: orders with their lines, what became of them, what came back, what the platforms paid out."""

from __future__ import annotations

from .model import table

TABLES = [
    table(
        "orders",
        "One row per order that was placed.",
        """
        order_id! id the platform's order number
        ordered_at! time when it was placed
        amount! money goods at the price agreed: after the merchant's discounts, before returns; no tax, no shipping
        platform text where it was sold (tmall, jd, douyin, own_site …)
        store text shop or store on the platform
        customer_id id buyer; empty for a guest
        paid_at time when it was paid; empty while unpaid
        discount money the merchant's own discounts (gross sales = amount + discount)
        platform_discount money the part of amount that the platform paid
        creator_discount money the part of amount that a creator paid
        shipping money shipping charged to the buyer
        tax money tax charged
        currency text ISO 4217 code of the export's money before conversion
        status text last known status (placed, paid, shipped, completed, cancelled, closed)
        channel text marketing channel credited by the platform
        campaign_id id campaign credited by the platform
        coupon_id id coupon used
        promotion_id id promotion applied
        device text phone, desktop, tablet, app, mini_program
        country text delivery country
        region text delivery province or state; a shop that sells across borders may put the country
        city text delivery city
        payment_method text how it was paid @paid_at
        shipped_at time when it left the warehouse
        delivered_at time when it arrived
        note text free text without personal data
        phone_hash hash telephone number of the recipient
        email_hash hash e-mail address of the buyer
        address_hash hash delivery address
        device_hash hash device that placed it
        """,
        key="platform order_id",
        happened="ordered_at",
    ),
    table(
        "order_items",
        "One row per line of an order.",
        """
        order_id! id order it belongs to
        product_id! id product sold
        quantity! integer units
        amount! money the line after the merchant's discounts
        line integer number of the line in its order
        platform text where it was sold
        ordered_at time when the order was placed
        sku id variant
        unit_price money price of a unit before discounts
        discount money the merchant's discounts on the line
        gift flag given free with the order
        """,
        key="platform order_id line",
        happened="ordered_at",
    ),
    table(
        "order_status",
        "The history of an order's status, one row a change.",
        """
        order_id! id order
        status! text status from then on
        changed_at! time when it changed
        platform text where it was sold
        """,
        key="platform order_id changed_at status",
        happened="changed_at",
    ),
    table(
        "returns",
        "One row per return or refund, booked when it was granted.",
        """
        return_id! id number of the return
        returned_at! time when it was booked
        amount! money what was given back for goods
        order_id id order it belongs to; empty where the export does not say
        platform text where it was sold
        customer_id id buyer
        product_id id product returned
        quantity integer units
        reason text reason given
        kind text return (goods came back), refund_only, exchange
        """,
        key="platform return_id",
        happened="returned_at",
    ),
    table(
        "settlements",
        "What platforms and payment providers paid out or kept, one row a booking.",
        """
        settlement_id! id number of the booking
        settled_at! time when it was booked
        kind! text payout, commission, service_fee, ad_fee, shipping, adjustment, bad_debt …
        amount! money positive is received, negative is paid
        platform text who booked it
        order_id id order it belongs to
        """,
        key="platform settlement_id",
        happened="settled_at",
    ),
]
