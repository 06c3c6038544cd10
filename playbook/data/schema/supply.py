"""What is in stock and on its way, and how customers are served."""

from __future__ import annotations

from .model import table

TABLES = [
    table(
        "inventory",
        "Stock by day.",
        """
        day! date day, at its end
        product_id! id product
        on_hand! integer units in stock
        warehouse text warehouse
        platform text channel that the stock is held for
        reserved integer units promised
        inbound integer units on their way
        """,
        key="day product_id warehouse platform",
        happened="day",
    ),
    table(
        "suppliers",
        "Suppliers.",
        """
        supplier_id! id number
        name text name of the firm
        lead_days number agreed lead time in days
        minimum_order money minimum order value
        sole_source flag the only source of something we sell
        """,
        key="supplier_id",
    ),
    table(
        "shipments",
        "Parcels.",
        """
        shipment_id! id parcel number
        order_id! id order
        shipped_at! time when it left
        platform text platform
        carrier text carrier
        region text destination
        promised_at time when it should arrive
        delivered_at time when it arrived
        cost money cost of carriage
        warehouse text warehouse
        """,
        key="shipment_id",
        happened="shipped_at",
    ),
    table(
        "tickets",
        "Contacts with customer service.",
        """
        ticket_id! id number
        opened_at! time when it was opened
        customer_id id who
        order_id id order
        product_id id product
        platform text platform
        topic text subject
        channel text chat, phone, e-mail
        first_reply_at time first answer
        solved_at time when solved
        rating number rating given @solved_at
        by_bot flag answered by a bot
        """,
        key="ticket_id",
        happened="opened_at",
    ),
]
