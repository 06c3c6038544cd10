"""Who comes and how they are reached: customers, visits, spending on advertising, messages."""

from __future__ import annotations

from .model import table

TABLES = [
    table(
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
    table(
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
    table(
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
    table(
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
    table(
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
    table(
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
    table(
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
    table(
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
]
