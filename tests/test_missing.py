"""Stories of absence: it flows through calls and arithmetic, shows itself once, and never goes silently empty."""

import copy
import json
import pickle
import signal

import ibis
import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import seaborn as sns
from IPython.core.formatters import DisplayFormatter

from playbook.missing import Missing, MissingDataError, answers, column_missing, quietly

EVENTS = pd.DataFrame({"visitor_id": ["a", "b", "c"]})
SAYS = "This shop does not have events. Export them."


@pytest.fixture
def gone():
    return Missing("events", remedy="Export them.")


@pytest.fixture(autouse=True)
def no_endless_loop():
    """A Missing with __getitem__ and no __iter__ would be looped over for ever: five seconds, then an error."""

    def stop(*_args):
        raise TimeoutError("it never ends")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(5)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


USES = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "sum": sum,
    "max": max,
    "sorted": sorted,
    "len": len,
    "bool": bool,
    "if": lambda m: 1 if m else 2,
    "not": lambda m: not m,
    "in": lambda m: 3 in m,
    "for": lambda m: [x for x in m],
    "unpack": lambda m: (lambda a, b: a)(*m),
    "a, b =": lambda m: [0 for a, b in [m]],
    "float": float,
    "int": int,
    "complex": complex,
    "index": lambda m: [1, 2][m],
    "range": range,
    "np.asarray": np.asarray,
    "np.array": np.array,
    "np.isnan": lambda m: np.isnan(np.asarray(m)),
    "pd.DataFrame": pd.DataFrame,
    "pd.DataFrame of columns": lambda m: pd.DataFrame({"x": m, "y": [1, 2]}),
    "pd.Series": pd.Series,
    "pd.to_datetime": pd.to_datetime,
    "sns.lineplot": lambda m: sns.lineplot(data=m),
    "sns.lineplot of columns": lambda m: sns.lineplot(x=m.x, y=m.y),
    "plt.plot": plt.plot,
    "DataFrame + m": lambda m: pd.DataFrame({"x": [1, 2]}) + m,
}


@pytest.mark.parametrize("use", USES.values(), ids=USES.keys())
def test_using_it_as_if_it_were_there_raises_with_our_words(gone, use):
    with pytest.raises(MissingDataError) as raised:
        use(gone)
    assert str(raised.value) == SAYS


def test_it_is_a_type_error_so_that_libraries_treat_it_as_one():
    assert issubclass(MissingDataError, TypeError)


LOUD = {
    "dict": dict,
    "dict(**)": lambda m: dict(**m),
    "sns.barplot": lambda m: sns.barplot(data=m, x="x", y="y"),
    "json.dumps": lambda m: json.dumps({"x": m}),
    "pd.concat": lambda m: pd.concat([EVENTS, m]),
    "merge": lambda m: EVENTS.merge(m),
    "join": lambda m: ibis.memtable(EVENTS).join(m, "visitor_id").execute(),
    "round": round,
    "%d": lambda m: "%d" % m,  # noqa: UP031
    "np.sqrt": np.sqrt,
    "plt.bar": lambda m: plt.bar(["a"], m),  # in matplotlib's words once pandas has taught it dates
}


@pytest.mark.parametrize("use", LOUD.values(), ids=LOUD.keys())
def test_what_libraries_refuse_in_their_own_words_is_a_type_error_too(gone, use):
    with pytest.raises(TypeError):
        use(gone)


FILTERS = {
    "column == missing": lambda t, m: t.filter(t.visitor_id == m.x),
    "missing == column": lambda t, m: t.filter(m.x == t.visitor_id),
    "column != missing": lambda t, m: t.filter(t.visitor_id != m.x),
    "frame": lambda t, m: EVENTS[EVENTS.visitor_id == m.x],
}


@pytest.mark.parametrize("made", FILTERS.values(), ids=FILTERS.keys())
def test_a_comparison_with_it_never_filters_a_table_into_an_empty_or_a_full_one(gone, made):
    with pytest.raises((TypeError, NotImplementedError)):
        getattr(made(ibis.memtable(EVENTS), gone), "execute", lambda: None)()


@pytest.mark.parametrize(
    "use",
    [
        lambda t, m: t.filter(m.x > 3),
        lambda t, m: t.filter(t.visitor_id > m.x),
        lambda t, m: t.select(m.x),
        lambda t, m: t.mutate(b=m),
        lambda t, m: t.aggregate(n=m.x.sum()),
        lambda t, m: t.order_by(m.x),
    ],
    ids=["filter", "compare", "select", "mutate", "aggregate", "order_by"],
)
def test_ibis_given_it_in_an_expression_says_what_is_missing(gone, use):
    with pytest.raises(TypeError, match="does not have events"):
        use(ibis.memtable(EVENTS), gone).execute()


def test_any_access_and_any_arithmetic_gives_the_same_absence(gone):
    for result in (
        gone.filter(gone.event == "x").select("a")["a"].loc[0],
        gone.x == 3,
        gone.x != "a",
        gone.set_title("x"),
        gone > 0,
        gone <= 3,
        1 - gone.x / 2,
        2**gone,
        gone % 7 // 2,
        -gone,
        abs(gone),
        np.arange(3) + gone,
        gone * np.arange(3),
        np.float64(2.5) * gone,
        np.mean(gone),
    ):
        assert isinstance(result, Missing) and result.sentence() == SAYS


def test_it_formats_as_a_dash_under_any_format(gone):
    assert f"{gone:.1%}" == f"{gone:,.2f}" == f"{gone}" == "{:>10d}".format(gone) == "—"  # noqa: UP032


def test_it_can_be_copied_and_pickled(gone):
    asked = gone.asked("How many came?")
    for other in (copy.copy(asked), copy.deepcopy(asked), pickle.loads(pickle.dumps(asked)), copy.deepcopy([asked])[0]):
        assert isinstance(other, Missing) and other.what == "events"
        assert other.sentence() == "“How many came?” needs events, which this shop does not have. Export them."


def test_names_with_an_underscore_are_not_there_so_that_probes_by_libraries_fail(gone):
    for name in ("_repr_latex_", "_ipython_canary_method_should_not_exist_", "__array_interface__", "_x"):
        with pytest.raises(AttributeError, match=name):
            getattr(gone, name)


def test_ipython_shows_the_card_and_the_sentence(gone):
    shown, _metadata = DisplayFormatter().format(gone.asked("How many <i>came</i>?"))
    assert set(shown) == {"text/html", "text/plain"}
    assert shown["text/plain"].startswith("Missing: “How many <i>came</i>?” needs events")
    assert "How many &lt;i&gt;came&lt;/i&gt;?" in shown["text/html"] and "<i>" not in shown["text/html"]
    assert "Needs events. Export them." in shown["text/html"]


def test_the_first_question_stays():
    missing = Missing("events").asked("First?").asked("Second?")
    assert "First?" in missing.sentence() and "Second?" not in missing.sentence()


# -- answers


@answers("How many came?", needs={"events": ["visitor_id"], "orders": ["order_id"]})
def visitors(events, orders=None, *, day=None):
    return len(events) + (0 if orders is None else 100)


@answers("How much was left?")
def left(stock: pd.DataFrame, prices: pd.DataFrame | None = None, *, plan: "pd.DataFrame | None" = None) -> str:
    return f"{stock} {prices} {plan}"


def test_a_function_answers_a_missing_required_input_with_its_question(gone):
    answer = visitors(gone)
    assert isinstance(answer, Missing)
    assert answer.sentence() == "“How many came?” needs events, which this shop does not have. Export them."
    assert visitors(events=gone).sentence() == answer.sentence()
    assert visitors(EVENTS) == 3


def test_an_optional_input_arrives_as_none_and_the_answer_is_partial(gone):
    assert left("12", gone) == left("12", prices=gone) == "12 None None"
    assert left("12", "3", plan=gone) == "12 3 None"
    assert isinstance(left(gone, "3"), Missing)


def test_a_column_that_is_needed_and_lacking_counts_as_missing():
    answer = visitors(pd.DataFrame({"page": ["/"]}))
    assert answer.what == "events.visitor_id"
    assert "Map a column of your export to events.visitor_id" in answer.sentence()
    assert "How many came?" in answer.sentence()
    orders = ibis.memtable(pd.DataFrame({"amount": [1.0]}))
    assert visitors(EVENTS, orders).what == "orders.order_id"


def test_an_optional_table_without_a_needed_column_arrives_as_none():
    @answers("How many?", needs={"extra": ["x"]})
    def count(rows: pd.DataFrame, extra: pd.DataFrame | None = None) -> int:
        return len(rows) if extra is None else -1

    assert count(EVENTS, pd.DataFrame({"y": [1]})) == 3
    assert count(EVENTS, pd.DataFrame({"x": [1]})) == -1
    assert count(EVENTS) == 3


def test_an_answer_keeps_its_name_and_its_signature():
    assert visitors.__name__ == "visitors" and list(visitors.__wrapped__.__code__.co_varnames[:2]) == [
        "events",
        "orders",
    ]


def test_a_missing_answer_flows_on_through_the_next_function(gone):
    @answers("And then?")
    def then(n: int) -> int:
        return n + 1

    assert then(visitors(EVENTS)) == 4
    assert "How many came?" in then(visitors(gone)).sentence()


def test_the_plot_of_a_missing_answer_is_quiet(gone):
    @quietly
    def plot(result, *, width=1):
        return f"{result} {width}"

    silent = plot(visitors(gone), width=3)
    assert isinstance(silent, Missing) and repr(silent) == "" and silent._repr_html_() == ""
    assert repr(silent.set_title("x")) == ""  # whatever a cell does with its Axes
    assert plot(7, width=3) == "7 3"
    with pytest.raises(MissingDataError, match="How many came"):
        list(silent)


def test_a_missing_column_says_how_to_supply_it():
    said = column_missing("orders", "customer_id").sentence()
    assert said.startswith("This shop does not have orders.customer_id. Map a column of your export")
    assert "`playbook ingest`" in said
