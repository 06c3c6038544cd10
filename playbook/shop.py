"""The shop: the one object that a notebook holds. It knows the period, the calendar, the money, and hands out tables.

Tables come out in the shop's own time and cut at `Shop.as_of`: an observed row exists once it has happened, a planned
row once it was written down, and what only became known later is not known yet. So an old report run again gives the
same numbers.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import ibis
import pandas as pd

from . import language
from . import period as periods
from .data import identity, marts, schema
from .data.engine import Engine, engine
from .data.frames import table_from
from .data.ingest import ingest
from .data.keyed import identity_key
from .data.store import Settings, ShopError, Store, home, open_store
from .language import _
from .missing import Missing
from .period import Period

if TYPE_CHECKING:
    from .data.quality import Gate


class Shop:
    """A shop as it was known at the end of a period.

    Any canonical table is an attribute: ``shop.orders``, ``shop.events`` … gives an `ibis.Table` in the shop's local
    time, or a `Missing` where the shop has no such data; so is any mart: ``shop.customer_360``. An unknown name raises
    AttributeError.

    Attributes
    ----------
    name, title, currency, zone, language : str
        From ``shop.toml``.
    period : Period
        What the report is about.
    as_of : datetime.datetime
        The moment that nothing known lies behind, by the shop's clock; it stands for "now" everywhere.
    first_day, last_day : datetime.date
        The days of the first order and of the last order or payment in the data, whatever the period.
    """

    def __init__(
        self,
        settings: Settings,
        tables: Mapping[str, ibis.Table],
        *,
        period: str = "latest",
        until: Literal["period", "now"] = "period",
        engine: Engine,
        local: bool = False,
        store: Store | None = None,
    ):
        self._settings, self._tables, self._engine, self._local = settings, dict(tables), engine, local
        self.store = store
        self._kept: dict[str, Any] = {}
        self._memo: dict[str, Any] = {}
        self.first_day, self.last_day = self._span()
        if period == "latest":
            self.period = periods.latest_complete_month(self.first_day, self.last_day)
        else:
            self.period = periods.parse(period, week_start=settings.week_start)
        end = self.period.end if until == "period" else max(self.period.end, self._last_happening())
        self.as_of = dt.datetime.combine(end, dt.time())

    @property
    def name(self) -> str:
        return self._settings.name

    @property
    def title(self) -> str:
        return self._settings.title or self._settings.name

    @property
    def currency(self) -> str:
        return self._settings.currency

    @property
    def zone(self) -> str:
        return self._settings.zone

    @property
    def language(self) -> str:
        return self._settings.language

    @property
    def week_start(self) -> str:
        return self._settings.week_start

    def covers(self, period: Period) -> bool:
        """Whether the data reach over the whole of a period (its first day is not before the first order's)."""
        return self.first_day <= period.start and period.end <= self.as_of.date() and period.start <= self.last_day

    def accounting(self) -> Any:
        """What ingest did with the shop's files (see `playbook.data.ingest.ingest`), or a Missing without files."""
        if self.store is None:
            return Missing("files", remedy=_("A shop made from frames has no files."))
        return self.store.accounting()

    def rows(self) -> Any:
        """The ledger of rows: every row that ingest read, in the shop's time, not cut.

        Columns: file, row, class, outcome, at (time that the row states), money, order, customer.
        """
        if self.store is None or self.store.tables is None:
            return Missing("files", remedy=_("A shop made from frames has no files."))
        rows = self._engine.read(self.store.tables / "rows.parquet")
        return rows.mutate(at=self._engine.local(rows["at"], self.zone))

    @cached_property
    def gate(self) -> Gate:
        """Whether decisions may rest on the shop's data: by the rules that can block them, and their usual floor.

        `playbook.data.quality.gate` on the whole scorecard says more; whether the verdict is FAIL is the same.
        """
        from .data import quality

        accounting = None if self.store is None else self.store.accounting()
        scores = quality.scorecard(self.tables, self.period, last_day=self.last_day, blocking=True)
        return quality.gate(scores, accounting)

    @property
    def tables(self) -> dict[str, ibis.Table]:
        """The canonical tables that the shop has, by name, as `table` gives them."""
        return {name: self.table(name) for name in schema.TABLES if name in self._tables}

    def last_report(self) -> Any:
        """What the last report of this period left behind, while a new one is made, or a Missing where there is none.

        Returns
        -------
        dict
            ``figures`` and ``manifest``, as they lie in ``reports/<shop>/<period>/``.
        """
        folder = home() / "reports" / self.name / self.period.slug
        try:
            texts = [(folder / f"{part}.json").read_text(encoding="utf-8") for part in ("figures", "manifest")]
            return dict(zip(("figures", "manifest"), map(json.loads, texts), strict=True))
        except (OSError, ValueError):
            return Missing(
                _("an earlier report of this period"), remedy=_("This is the first one; the next is compared with it.")
            )

    def __getattr__(self, name: str) -> ibis.Table:
        if name in marts.MARTS:
            return self.mart(name)
        if name.startswith("_") or name not in schema.TABLES:
            there = ", ".join([*schema.TABLES, *marts.MARTS])
            raise AttributeError(_("a shop has no {name!r}; its tables are: {tables}").format(name=name, tables=there))
        return self.table(name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *schema.TABLES, *marts.MARTS]

    def __repr__(self) -> str:
        return f"Shop({self.name!r}, period={self.period.label!r}, as_of={self.as_of:%Y-%m-%d %H:%M})"

    def table(self, name: str) -> ibis.Table:
        """One canonical table, in local time and cut at `as_of`; a Missing where the shop has none.

        Customers come with their `person_id`, which is the same on every platform (`playbook.data.identity`).
        """
        if name == "customers" and name in self._tables:
            return self.kept("customers of persons", self._with_persons)
        return self._observed(name)

    def mart(self, name: str) -> ibis.Table:
        """One of the tables that are made of the others (`playbook.data.marts`), as of `as_of`."""

        def make() -> ibis.Table | Missing:
            if self.store is None or self.store.tables is None:
                key = hashlib.sha256(self.name.encode()).digest()  # of frames, nothing is to be kept from anybody
                return marts.MARTS[name].make(marts.Inputs(self._observed, self.mart, self.as_of, key, self._memo))
            inputs = marts.Inputs(self._observed, self.mart, self.as_of, identity_key(self.store.folder), self._memo)
            folder = marts.folder_of(self.store.tables, self.as_of)
            return marts.kept(name, inputs, folder=folder, engine=self._engine)

        return self.kept(f"mart {name}", make)

    def _with_persons(self) -> ibis.Table:
        customers, orders = self._observed("customers"), self._observed("orders")
        named = identity.by_platform(customers, orders)
        return identity.with_person(customers, self.mart("persons"), named=named)

    def _observed(self, name: str) -> ibis.Table:
        """A canonical table before anything is added to it."""
        spec = schema.TABLES[name]
        if name not in self._tables:
            return Missing(
                name,
                remedy=_("Put an export with {columns} into data/{shop}/raw/ and run `playbook ingest {shop}`.").format(
                    columns=", ".join(spec.required), shop=self.name
                ),
            )
        return self.kept(name, lambda: self._cut(self._tables[name], spec))

    def kept[T: ibis.Table | Missing](self, name: str, make: Callable[[], T]) -> T:
        """What `make` gives, made once for this shop; a table becomes a view of the engine."""
        if name not in self._kept:
            made = make()
            # a frame's rows live only as long as its expression, so frames stay expressions
            self._kept[name] = made if isinstance(made, Missing) or self._local else self._engine.view(made)
        return self._kept[name]

    # -- time

    def _span(self) -> tuple[dt.date, dt.date]:
        orders = self._tables["orders"]
        ends = (
            orders.aggregate(
                first=orders.ordered_at.min(), last=ibis.greatest(orders.ordered_at.max(), orders.paid_at.max())
            )
            .to_pandas()
            .iloc[0]
        )
        if pd.isna(ends["first"]):
            raise ShopError(_("{shop} has no orders: check the files in data/{shop}/raw/").format(shop=self.name))
        first, last = (self._to_local(ends[c].to_pydatetime()) for c in ("first", "last"))
        return first.date(), last.date()

    def _last_happening(self) -> dt.date:
        """The day after the last thing that happened in any table."""
        last = [self.last_day]
        for name, table in self._tables.items():
            spec = schema.TABLES[name]
            seen = [c.name for c in spec.columns if c.type == "time" and not spec.planned and c.name in table.columns]
            for moment in table.aggregate(**{c: table[c].max() for c in seen}).to_pandas().iloc[0] if seen else ():
                if not pd.isna(moment):
                    last.append(self._to_local(moment.to_pydatetime()).date())
        return max(last) + dt.timedelta(days=1)

    def _to_local(self, moment: dt.datetime) -> dt.datetime:
        if self._local:
            return moment
        return moment.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)

    def _to_stored(self, moment: dt.datetime) -> dt.datetime:
        """A moment of the shop's clock as the tables store it."""
        if self._local:
            return moment
        return moment.replace(tzinfo=ZoneInfo(self.zone)).astimezone(dt.UTC).replace(tzinfo=None)

    def _cut(self, table: ibis.Table, spec: schema.Table) -> ibis.Table:
        """The table as it was known at `as_of`, in local time."""
        moment = ibis.timestamp(self._to_stored(self.as_of))
        day = ibis.date(self.as_of.date())

        def ahead(column: str) -> ibis.Value:
            return table[column] >= (moment if spec.by_name[column].type == "time" else day)

        changed: dict[str, ibis.Value] = {}
        for c in spec.columns:
            if c.name not in table.columns:
                continue
            if c.known_at and c.known_at in table.columns:
                changed[c.name] = (table[c.known_at].isnull() | ahead(c.known_at)).ifelse(ibis.null(), table[c.name])
            elif c.type == "time" and not spec.planned and c.name != spec.happened:
                changed[c.name] = ahead(c.name).ifelse(ibis.null(), table[c.name])
        cut = spec.recorded or spec.happened
        there = table.filter(~ahead(cut) | table[cut].isnull()) if cut and cut in table.columns else table
        there = there.mutate(**{n: v.cast(table[n].type()) for n, v in changed.items()}) if changed else there
        if self._local:
            return there
        times = [c.name for c in spec.columns if c.type == "time" and c.name in there.columns]
        return there.mutate(**{n: self._engine.local(there[n], self.zone) for n in times}) if times else there


def open_shop(
    name: str = "demo", period: str = "latest", *, until: Literal["period", "now"] = "period", engine: str | None = None
) -> Shop:
    """Open a shop for a period; its raw files are ingested first where they have changed.

    Parameters
    ----------
    name : str
        A folder of ``data/``.
    period : str
        ``2026-10``, ``2026-W42``, ``2026-Q3``, ``2026``, ``2026-10-01/2026-10-15`` or ``latest``, the last complete
        month of the data.
    until : {"period", "now"}
        What the tables may know: what was known when the period ended, or everything that is in the data.
    engine : {"duckdb", "spark"}, optional
        Instead of the one that ``shop.toml`` names.

    Raises
    ------
    ShopError
        There is no such shop, or its files cannot be used.
    ValueError
        The period is none.
    """
    store = open_store(name)
    ingest(store)
    return shop_of(store, period, until=until, engine_name=engine)


def shop_of(
    store: Store,
    period: str = "latest",
    *,
    until: Literal["period", "now"] = "period",
    engine_name: str | None = None,
) -> Shop:
    """The shop in a folder whose tables are built."""
    folder = store.tables
    if folder is None:
        store.accounting()
    assert folder is not None
    using = engine(engine_name or store.settings.engine)
    tables = {n: using.read(folder / f"{n}.parquet") for n in schema.TABLES if (folder / f"{n}.parquet").exists()}
    if "orders" not in tables:
        raise ShopError(
            _("{shop} has files but no orders; every question begins with them: see `playbook formats`").format(
                shop=store.name
            )
        )
    accounting = store.accounting()
    settings = replace(
        store.settings,
        currency=accounting["currency"],
        zone=accounting["zone"],
        language=language.use(store.settings.language),
    )
    return Shop(settings, tables, period=period, until=until, engine=using, store=store)


def shop_from(
    *,
    period: str = "latest",
    name: str = "frames",
    currency: str = "CNY",
    zone: str = "UTC",
    week_start: str = "monday",
    until: Literal["period", "now"] = "period",
    **frames: pd.DataFrame | ibis.Table,
) -> Shop:
    """A shop made from an analyst's own frames, e.g. ``shop_from(orders=frame, returns=other)``.

    Parameters
    ----------
    **frames
        Canonical tables by name; ``orders(order_id, ordered_at, amount)`` is required. Times are the shop's local time,
        or carry a zone and are converted to it. Orders without ``paid_at`` count as paid when they were placed.

    Raises
    ------
    ShopError
        A table or column has a name that the schema does not know, a required column is lacking, or a cell cannot be
        read.
    """
    if "orders" not in frames:
        raise ShopError(_("a shop needs orders: shop_from(orders=frame)"))
    tables = {n: table_from(n, f, zone) for n, f in frames.items()}
    settings = Settings(name=name, currency=currency, zone=zone, week_start=week_start)
    return Shop(settings, tables, period=period, until=until, engine=engine(), local=True)
