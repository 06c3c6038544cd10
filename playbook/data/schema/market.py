"""What is offered and what is said of it: products and prices, competitors, the market, opinions, experiments."""

from __future__ import annotations

from .model import table

TABLES = [
    table(
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
    table(
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
    table(
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
    table(
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
    table(
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
    table(
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
    table(
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
    table(
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
    table(
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
]
