"""What people plan and write down: targets, campaigns, promotions, content, tasks, orders to suppliers, risks."""

from __future__ import annotations

from .model import table

TABLES = [
    table(
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
    table(
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
    table(
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
    table(
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
    table(
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
    table(
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
    table(
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
    table(
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
    table(
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
