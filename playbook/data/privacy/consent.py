"""Who has agreed: the only people that an audience may hold."""

from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd

from ...missing import answers
from ..engine import as_table


@answers("Who has agreed to be written to?", needs={"table": ["consent_marketing"]})
def with_consent(
    table: ibis.Table | pd.DataFrame, *, at: dt.datetime, messages: ibis.Table | None = None
) -> ibis.Table:
    """Who has agreed to be written to?

    Parameters
    ----------
    table : Table or DataFrame
        With `consent_marketing` (silence is no consent) and, where known, `consent_at`: customers, customer 360, or
        what was made of them.
    at : datetime
        The moment at which somebody is to be written to; consent given later does not count.
    messages : Table, optional
        With `customer_id` and `unsubscribed_at`: who has left a list by then is left out too.

    Returns
    -------
    Table
        The rows of those who agreed.
    """
    rows = as_table(table)
    there = rows.filter(rows.consent_marketing.fill_null(False))
    if "consent_at" in there.columns:
        there = there.filter(there.consent_at.isnull() | (there.consent_at <= ibis.timestamp(at)))
    if messages is None or "unsubscribed_at" not in messages.columns or "customer_id" not in there.columns:
        return there
    gone = messages.filter(messages.unsubscribed_at <= ibis.timestamp(at)).select("customer_id").distinct()
    return there.anti_join(gone, "customer_id")
