"""How long do the funnel and the sessions of 20 million events take, beside one scan of the columns, and beside pandas?

    python benchmarks/funnel.py [--events 20000000] [--rounds 3] [--no-pandas]

The bounds that the book sets itself: the ordered funnel at most 4 times one full scan of the columns that it reads, the
sessions at most 12 times, all under 3 GiB, and at least 4 times as fast as the same in idiomatic pandas. Each runs in a
process of its own, in turn, so that what else the machine does weighs on all; the ratio is that of the medians. A scan
hashes each value, or DuckDB would answer from the file's statistics. The pandas runs are made once: they are slow.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

MAKE = """
import sys, duckdb
n = int(sys.argv[2])
duckdb.sql("SET enable_progress_bar = false; SET memory_limit = '4GB'")
# Visits of 4 events in the mean; who comes again is a matter of chance, a third of the visitors do.
duckdb.sql(f'''
COPY (
  WITH visit AS (
    SELECT i, substr(md5(((hash(i) % {n // 5})::BIGINT)::VARCHAR), 1, 16) AS visitor_id,
      TIMESTAMP '2026-10-01' + to_seconds((hash(i * 7 + 1) % (30 * 86400))::BIGINT) AS began,
      (hash(i * 13 + 5) % 1000)::INTEGER AS luck, (hash(i * 3 + 2) % 3)::INTEGER AS on_
    FROM range({n // 4}) t(i)),
  deep AS (SELECT *, CASE WHEN luck < 330 THEN 1 WHEN luck < 450 THEN 2 WHEN luck < 640 THEN 4 WHEN luck < 800 THEN 5
    WHEN luck < 920 THEN 7 WHEN luck < 960 THEN 9 WHEN luck < 972 THEN 10 ELSE 11 END AS depth FROM visit),
  row AS (SELECT *, unnest(range(depth)) AS k FROM deep)
  SELECT (i * 16 + k)::VARCHAR AS event_id,
    began + to_seconds((k * 40 + hash(i * 16 + k) % 30)::BIGINT) AS event_at,
    ['page_view', 'view_item', 'page_view', 'view_item', 'page_view', 'view_item', 'add_to_cart', 'page_view',
     'begin_checkout', 'add_payment_info', 'purchase'][k + 1] AS event,
    visitor_id, ['phone', 'mini_program', 'desktop'][on_ + 1] AS device
  FROM row ORDER BY event_at, event_id
) TO '{sys.argv[1]}' (FORMAT parquet, COMPRESSION zstd)''')
"""

START = """
import sys, time, warnings
warnings.simplefilter("ignore")
"""

SCAN_FUNNEL = """
import duckdb
c = duckdb.connect()
c.execute("SET enable_progress_bar = false")
began = time.perf_counter()
rows = "bit_xor(hash(event)), bit_xor(hash(event_at)), bit_xor(hash(visitor_id))"
print(c.execute(f"SELECT {rows} FROM '{sys.argv[1]}'").fetchall(), file=sys.stderr)
"""

SCAN_SESSIONS = """
import duckdb
c = duckdb.connect()
c.execute("SET enable_progress_bar = false")
began = time.perf_counter()
rows = "bit_xor(hash(event)), bit_xor(hash(event_at)), bit_xor(hash(visitor_id)), bit_xor(hash(device))"
print(c.execute(f"SELECT {rows} FROM '{sys.argv[1]}'").fetchall(), file=sys.stderr)
"""

FUNNEL = """
from pathlib import Path
from playbook.data.engine import engine
from playbook.site import funnel
events = engine().read(Path(sys.argv[1]))
began = time.perf_counter()
print(funnel.steps(events)[["step", "n"]].values.tolist(), file=sys.stderr)
"""

SESSIONS = """
from pathlib import Path
from playbook.data.engine import engine
from playbook.site.sessions import sessions
events = engine().read(Path(sys.argv[1])).drop("event_id")
began = time.perf_counter()
print(sessions(events).cache().count().to_pandas(), file=sys.stderr)
"""

PANDAS_FUNNEL = """
import pandas as pd
steps = ["page_view", "view_item", "add_to_cart", "begin_checkout", "add_payment_info", "purchase"]
began = time.perf_counter()
df = pd.read_parquet(sys.argv[1], columns=["event", "event_at", "visitor_id"])
reached = df[df.event == steps[0]].groupby("visitor_id", as_index=False).event_at.min()
reached["began"] = reached.event_at
n = [len(reached)]
for step in steps[1:]:
    m = df[df.event == step].merge(reached, on="visitor_id", suffixes=("", "_before"))
    m = m[(m.event_at >= m.event_at_before) & (m.event_at <= m.began + pd.Timedelta(days=7))]
    reached = m.groupby("visitor_id", as_index=False).agg(event_at=("event_at", "min"), began=("began", "first"))
    n.append(len(reached))
print(n, file=sys.stderr)
"""

PANDAS_SESSIONS = """
import pandas as pd
began = time.perf_counter()
df = pd.read_parquet(sys.argv[1], columns=["event", "event_at", "visitor_id", "device"])
df = df.sort_values(["visitor_id", "event_at"])
gap = df.groupby("visitor_id").event_at.diff()
df["visit"] = (gap.isna() | (gap > pd.Timedelta(minutes=30))).cumsum()
for event, name in (("page_view", "views"), ("add_to_cart", "carts"), ("purchase", "purchases")):
    df[name] = df.event == event
out = df.groupby("visit").agg(
    visitor_id=("visitor_id", "first"), started_at=("event_at", "min"), ended_at=("event_at", "max"),
    events=("event", "size"), views=("views", "sum"), carts=("carts", "sum"), purchases=("purchases", "sum"),
    device=("device", "first"))
print(len(out), file=sys.stderr)
"""

REPORT = """
import resource
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def measure(code: str, file: Path) -> tuple[float, float, str]:
    """Seconds, peak MiB and the answer of one run in a process of its own."""
    command = [sys.executable, "-c", START + code + REPORT, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, mib = done.stdout.splitlines()[-1].split()
    return float(seconds), float(mib), done.stderr.strip().splitlines()[-1]


def main() -> None:
    """Print one line for each way, and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-pandas", action="store_true")
    args = parser.parse_args()
    ways = {"scan, funnel": SCAN_FUNNEL, "funnel": FUNNEL, "scan, sessions": SCAN_SESSIONS, "sessions": SESSIONS}
    pandas = {} if args.no_pandas else {"pandas funnel": PANDAS_FUNNEL, "pandas sessions": PANDAS_SESSIONS}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "events.parquet"
        subprocess.run([sys.executable, "-c", MAKE, str(file), str(args.events)], check=True)
        print(f"{args.events:,} events, {os.path.getsize(file) / 2**20:.0f} MiB")
        runs: dict[str, list[tuple[float, float, str]]] = {name: [] for name in (*ways, *pandas)}
        for _round in range(args.rounds):
            for name, code in ways.items():
                runs[name].append(measure(code, file))
        for name, code in pandas.items():
            runs[name].append(measure(code, file))
    medians = {name: statistics.median(run[0] for run in of) for name, of in runs.items()}
    for name, of in runs.items():
        peak = max(run[1] for run in of)
        print(f"{name:16} median {medians[name]:6.2f} s, peak {peak:5.0f} MiB   {of[0][2][:110]}")
    for name in ("funnel", "sessions"):
        said = f"{name}: {medians[name] / medians[f'scan, {name}']:.1f} × a scan"
        print(said + (f", pandas takes {medians[f'pandas {name}'] / medians[name]:.1f} × as long" if pandas else ""))


if __name__ == "__main__":
    main()
