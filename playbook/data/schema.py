"""The canonical tables: the one definition of every table and column, its type, and how time cuts it.

Every table is *observed* or *planned*. An observed row exists from the moment it happened (`happened`); columns that
became known later name the time column that reveals them (`known_at`), and any other time that lies ahead is not known
yet. A planned row exists from the moment it was recorded (`recorded_at`); its own dates may lie ahead, except those
that say what came of it (they name themselves in `known_at`).

Types: ``id`` and ``text`` are text (an identifier is never a number); ``money`` is DECIMAL(18, 4) in the shop's
currency (four places because exports carry unit prices of a tenth of a cent); ``time`` is a UTC timestamp in storage;
``date`` is a day of the shop's calendar; ``share`` is a fraction; ``integer``, ``number``, ``flag`` are what they say;
``hash`` is a keyed hash of something personal, made by ingest: the thing itself is never carried into a table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Type = Literal["id", "text", "money", "integer", "number", "share", "flag", "time", "date", "hash"]

SQL_TYPES: dict[str, str] = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "money": "DECIMAL(18, 4)",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "share": "DOUBLE",
    "flag": "BOOLEAN",
    "time": "TIMESTAMP",
    "date": "DATE",
    "hash": "VARCHAR",
}


@dataclass(frozen=True)
class Column:
    """One column: its type, what it means, and when it became known (a time column of the same row)."""

    name: str
    type: Type
    meaning: str
    required: bool = False
    known_at: str | None = None


@dataclass(frozen=True)
class Table:
    """One canonical table.

    Attributes
    ----------
    key : tuple of str
        Columns that tell one row from another; empty where a row has none.
    happened : str or None
        Observed tables: the time or date column that says when the row came to be. None: not cut (a state, such as the
        product list).
    recorded : str or None
        Planned tables: the column that says when the row was written down.
    """

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...] = field(repr=False)
    happened: str | None = None
    recorded: str | None = None

    @cached_property
    def by_name(self) -> dict[str, Column]:
        return {c.name: c for c in self.columns}

    @property
    def planned(self) -> bool:
        return self.recorded is not None

    @property
    def state(self) -> bool:
        """Whether a row says how something is, not that something happened: products, customers, suppliers."""
        return self.recorded is None and (self.happened is None or self.name == "customers")

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns if c.required)


def _table(name: str, meaning: str, rows: str, *, key: str, happened: str = "", recorded: str = "") -> Table:
    """A table from lines of ``name[!] type meaning [@known_at]``; an exclamation mark says required."""
    columns = []
    for line in rows.strip().splitlines():
        head, kind, text = line.split(None, 2)
        text, _at, known_at = text.partition(" @")
        columns.append(Column(head.rstrip("!"), kind, text, head.endswith("!"), known_at or None))  # type: ignore[arg-type]
    return Table(name, meaning, tuple(key.split()), tuple(columns), happened or None, recorded or None)


_ALL = [
    _table(
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
    _table(
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
    _table(
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
    _table(
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
    _table(
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
    _table(
        "customers",
        "One row per customer as a platform knows her.",
        """
        customer_id! id the platform's customer number
        platform text which platform
        person_id id the same person on every platform (a keyed hash)
        registered_at time when the account was made
        gender text female, male, other
        birth_year integer year of birth
        age integer age in years when the export was made
        country text country
        region text province or state
        city text city
        city_tier text tier1, tier2, tier3, rural
        income text low, middle, high
        occupation text occupation
        education text education
        tier text member tier
        channel text channel that brought her
        consent_marketing flag may be written to
        consent_at time when she agreed
        phone_hash hash telephone number
        email_hash hash e-mail address
        login_hash hash account that several platforms share (unionid, login)
        device_hash hash device she registered with
        """,
        key="platform customer_id",
        happened="registered_at",
    ),
    _table(
        "events",
        "One row per event on the own site or mini-program, with GA4's names.",
        """
        event_id! id number of the event
        event_at! time when it happened
        event! text page_view, view_item, add_to_cart, begin_checkout, purchase …
        visitor_id! id device or login, hashed
        session_id id session
        customer_id id customer when logged in
        page text path of the page
        product_id id product seen
        order_id id order of a purchase
        value money value of the event
        search_term text words searched
        source text where the session came from
        medium text kind of source
        campaign text campaign name
        device text phone, desktop, tablet, app, mini_program
        region text province or state
        dwell_seconds number seconds on the page
        """,
        key="event_id",
        happened="event_at",
    ),
    _table(
        "traffic",
        "Aggregates that platforms give instead of events. Visitors of several days are never added.",
        """
        day! date day
        platform! text platform
        product_id id product; empty for the whole shop
        source text traffic source; empty for all sources
        visitors integer distinct visitors of the day
        sessions integer sessions of the day
        views integer page views
        carts integer visitors who added to cart
        buyers integer visitors who paid
        orders integer orders paid
        sales money sales paid
        bounces integer visitors who saw one page
        dwell_seconds number mean seconds per visitor
        """,
        key="day platform product_id source",
        happened="day",
    ),
    _table(
        "audience_profile",
        "Shares of an audience by trait as a platform reports them.",
        """
        day! date day or last day of the span
        platform! text platform
        audience! text visitors, buyers, followers, members
        trait! text age, gender, region, city_tier, income
        value! text the trait's value
        share! share part of the audience
        """,
        key="day platform audience trait value",
        happened="day",
    ),
    _table(
        "touchpoints",
        "One row per contact of a customer with a channel.",
        """
        touch_id! id number of the contact
        touched_at! time when it was
        visitor_id! id who
        channel! text channel
        customer_id id customer when known
        campaign_id id campaign
        kind text impression, click, visit, message
        order_id id order that followed, when the platform links it
        cost money cost of the contact
        """,
        key="touch_id",
        happened="touched_at",
    ),
    _table(
        "ad_spend",
        "Advertising by day and unit. Rows of different `level` are never added together.",
        """
        day! date day
        platform! text advertising platform
        level! text account, campaign, keyword, creative
        spend! money cost
        channel text channel
        campaign_id id campaign
        campaign text campaign name
        keyword text keyword
        creative_id id creative
        impressions integer impressions
        clicks integer clicks
        conversions number conversions that the platform claims
        conversion_value money sales that the platform claims
        region text region
        audience text audience
        """,
        key="day platform level campaign_id keyword creative_id region audience",
        happened="day",
    ),
    _table(
        "messages",
        "One row per e-mail, SMS or push sent.",
        """
        message_id! id number of the message
        sent_at! time when it was sent
        channel! text email, sms, push, wecom
        customer_id! id to whom
        campaign_id id campaign
        delivered_at time when it arrived
        opened_at time when it was opened
        clicked_at time when it was clicked
        unsubscribed_at time when she left the list
        holdout flag chosen but held back on purpose
        cost money cost of sending
        """,
        key="message_id",
        happened="sent_at",
    ),
    _table(
        "points",
        "Loyalty points earned, redeemed and expired.",
        """
        entry_id! id number of the booking
        booked_at! time when it was booked
        customer_id! id whose
        kind! text earn, redeem, expire, adjust
        points! integer points, negative when they go
        order_id id order
        value money money value of a redemption
        """,
        key="entry_id",
        happened="booked_at",
    ),
    _table(
        "products",
        "One row per product sold.",
        """
        product_id! id product number
        name text name
        name_en text English name
        category text category
        category_en text English name of the category
        brand text brand
        role text star, traffic, profit
        unit_cost money cost of a unit
        list_price money list price
        launched_on date first day on sale
        retired_on date last day on sale
        lead_days integer days from purchase order to stock
        supplier_id id main supplier
        usage_days integer days that a unit lasts
        """,
        key="product_id",
    ),
    _table(
        "prices",
        "Own price history, one row a change.",
        """
        product_id! id product
        platform! text platform
        changed_at! time from when
        price! money price shown
        list_price money struck-through price
        """,
        key="product_id platform changed_at",
        happened="changed_at",
    ),
    _table(
        "competitors",
        "Competitors' prices and sales as observed.",
        """
        day! date day observed
        competitor! text brand or shop
        item! text their product
        price! money price observed
        platform text platform
        list_price money struck-through price
        sales_units integer units sold as shown
        comments integer comments as shown
        rating number rating, 0 to 5
        category text category
        product_id id our comparable product
        """,
        key="day competitor item platform",
        happened="day",
    ),
    _table(
        "market",
        "Size of the market by period, category and platform.",
        """
        day! date last day of the period
        category! text category
        size! money sales of the market
        platform text platform
        seller text brand, or empty for all
        source text where the figure comes from
        """,
        key="day category platform seller",
        happened="day",
    ),
    _table(
        "reviews",
        "Product reviews.",
        """
        review_id! id number of the review
        reviewed_at! time when it was written
        product_id id product
        platform text platform
        customer_id id who
        order_id id order
        rating number 1 to 5
        text text the words
        """,
        key="review_id",
        happened="reviewed_at",
    ),
    _table(
        "mentions",
        "Mentions of the brand or a product on other media.",
        """
        mention_id! id number
        mentioned_at! time when
        source! text medium
        brand text brand mentioned
        product_id id product
        text text the words
        sentiment number −1 to 1 as the supplier grades it
        reach integer people reached
        """,
        key="mention_id",
        happened="mentioned_at",
    ),
    _table(
        "surveys",
        "Answers to surveys, one row per answer.",
        """
        response_id! id number of the response
        answered_at! time when
        survey! text name of the survey
        question! text question
        answer text words
        score number number given
        customer_id id who
        segment text segment asked
        weight number weight of the response
        """,
        key="response_id question",
        happened="answered_at",
    ),
    _table(
        "assessments",
        "Scores that a person gave.",
        """
        day! date day
        subject! text what was scored
        criterion! text by which criterion
        score! number score, 0 to 10
        weight number weight of the criterion
        evidence text why
        assessor text role of the person who gave it
        topic text which table of scores
        """,
        key="day topic subject criterion",
        happened="day",
    ),
    _table(
        "experiments",
        "Assignments to the arms of experiments.",
        """
        experiment! text name of the experiment
        unit_id! id visitor, customer or region
        arm! text arm assigned
        assigned_at! time when
        exposed_arm text arm that was really seen
        value number outcome where the file carries it
        converted flag converted where the file carries it
        """,
        key="experiment unit_id",
        happened="assigned_at",
    ),
    _table(
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
    _table(
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
    _table(
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
    _table(
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
    _table(
        "targets",
        "Targets, one row per metric and period.",
        """
        metric! text metric
        period! text period
        target! number value aimed at
        recorded_at! time when written down
        platform text platform
        channel text channel
        owner text role responsible
        """,
        key="metric period platform channel recorded_at",
        recorded="recorded_at",
    ),
    _table(
        "campaigns",
        "Campaigns, run and planned.",
        """
        campaign_id! id number
        name! text name
        starts_on! date first day
        ends_on! date last day
        recorded_at! time when written down
        kind text launch, festival, clearance, loyalty, brand, content
        channel text channel
        platform text platform
        budget money budget
        objective text objective
        owner text role responsible
        """,
        key="campaign_id",
        recorded="recorded_at",
    ),
    _table(
        "promotions",
        "Promotions, run and planned.",
        """
        promotion_id! id number
        name! text name
        starts_at! time begins
        ends_at! time ends
        recorded_at! time when written down
        kind text discount, full_reduction, gift, coupon, points, joint
        platform text platform
        rule text the rule in the promotion engine's words
        product_id id product; empty for all
        category text category; empty for all
        budget money budget
        funded_by text merchant, platform, creator
        """,
        key="promotion_id product_id",
        recorded="recorded_at",
    ),
    _table(
        "coupons",
        "Coupons issued.",
        """
        coupon_id! id number
        issued_at! time when issued
        recorded_at! time when written down
        customer_id id to whom
        promotion_id id promotion
        face_value money value
        threshold money minimum order
        expires_at time last moment
        claimed_at time when claimed @claimed_at
        used_at time when used @used_at
        order_id id order @used_at
        """,
        key="coupon_id",
        recorded="recorded_at",
    ),
    _table(
        "content",
        "Content, published and planned.",
        """
        content_id! id number
        title! text title
        publish_at! time when it goes out
        recorded_at! time when written down
        channel text channel
        form text article, video, live, post, email
        theme text theme
        stage text planned, drafted, reviewed, published
        product_id id product
        campaign_id id campaign
        owner text role responsible
        text text the words
        """,
        key="content_id",
        recorded="recorded_at",
    ),
    _table(
        "keywords",
        "Keywords planned and tracked.",
        """
        keyword! text keyword
        recorded_at! time when written down
        platform text platform
        volume integer searches a month
        difficulty number 0 to 100
        rank integer own rank
        bid money bid for a click
        page text page meant for it
        """,
        key="keyword platform recorded_at",
        recorded="recorded_at",
    ),
    _table(
        "tasks",
        "Tasks of the plan.",
        """
        task_id! id number
        title! text what
        owner! text role responsible
        starts_on! date first day
        due_on! date last day
        recorded_at! time when written down
        measure text how one sees that it is done
        resources text what it takes
        after text tasks that must be done before, separated by spaces
        campaign_id id campaign
        status text open, doing, done, dropped
        done_on date day when done @done_on
        """,
        key="task_id",
        recorded="recorded_at",
    ),
    _table(
        "purchase_orders",
        "Goods on order.",
        """
        purchase_order_id! id number
        product_id! id product
        quantity! integer units ordered
        recorded_at! time when ordered
        due_on! date promised day of arrival
        supplier_id id supplier
        unit_cost money price of a unit
        received_on date day of arrival @received_on
        received integer units that arrived @received_on
        defective integer units that were defective @received_on
        """,
        key="purchase_order_id product_id",
        recorded="recorded_at",
    ),
    _table(
        "risks",
        "Risk register.",
        """
        risk_id! id number
        title! text what could happen
        kind! text law, competition, technology, supply, credit
        recorded_at! time when written down
        probability number 1 to 5
        impact number 1 to 5
        mitigation text what is done against it
        owner text role responsible
        trigger text rule on a metric that says it is happening
        """,
        key="risk_id",
        recorded="recorded_at",
    ),
]

TABLES: dict[str, Table] = {t.name: t for t in _ALL}


def dictionary() -> str:
    """The data dictionary, as Markdown: every table, its columns, types and meanings."""
    out = ["# Data dictionary", ""]
    for table in TABLES.values():
        cut = (
            f"planned, cut by `{table.recorded}`"
            if table.recorded
            else f"observed, cut by `{table.happened}`"
            if table.happened
            else "a state, not cut"
        )
        out += [f"## {table.name}", "", f"{table.meaning} ({cut}; key: {', '.join(table.key)})", ""]
        out += ["| column | type | meaning |", "|---|---|---|"]
        for c in table.columns:
            need = " **(required)**" if c.required else ""
            late = f" (known from `{c.known_at}` on)" if c.known_at else ""
            out.append(f"| {c.name} | {c.type} | {c.meaning}{late}{need} |")
        out.append("")
    return "\n".join(out)
