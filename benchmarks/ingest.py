"""How long does ingest take beside DuckDB's own reading of the same file, and how much memory?

    python benchmarks/ingest.py [FILE] [--rounds 5]

Both run in a process of their own, in turn, so that what else the machine does weighs on both. The bound that the book
sets itself: at most 3 times the time of ``read_csv`` into a table, under 1 GiB.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

REAL_DATA = Path(os.environ.get("PLAYBOOK_REAL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
DEFAULT = REAL_DATA / "online_retail" / "online_retail_by_day_concat.csv.gz"

DUCKDB = """
import time, sys, duckdb
began = time.perf_counter()
duckdb.connect().execute("CREATE TABLE t AS SELECT * FROM read_csv(?)", [sys.argv[1]])
"""

PLAYBOOK = """
import shutil, time, sys
from pathlib import Path
from playbook.data.ingest import ingest
from playbook.data.store import create, open_store
raw = create("bench") / "raw"
shutil.copy(sys.argv[1], raw)
began = time.perf_counter()
ingest(open_store("bench"))
"""

REPORT = """
import resource
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def measure(code: str, file: Path) -> tuple[float, float]:
    """Seconds and peak MiB of one run in a process and a home of its own."""
    with tempfile.TemporaryDirectory() as home:
        env = os.environ | {"PLAYBOOK_HOME": home}
        done = subprocess.run(
            [sys.executable, "-c", code + REPORT, str(file)], env=env, capture_output=True, text=True, check=True
        )
    seconds, mib = done.stdout.split()
    return float(seconds), float(mib)


def main() -> None:
    """Print one line for each way, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=DEFAULT)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    runs: dict[str, list[tuple[float, float]]] = {"duckdb read_csv": [], "playbook ingest": []}
    for _round in range(args.rounds):
        for name, code in zip(runs, (DUCKDB, PLAYBOOK), strict=True):
            runs[name].append(measure(code, args.file))
    medians = {name: statistics.median(seconds for seconds, _mib in of) for name, of in runs.items()}
    for name, of in runs.items():
        print(f"{name:16} median {medians[name]:.2f} s, peak {max(mib for _s, mib in of):.0f} MiB")
    ratios = [ours / theirs for (theirs, _a), (ours, _b) in zip(*runs.values(), strict=True)]
    print(f"ratio            median {statistics.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}")


if __name__ == "__main__":
    main()
