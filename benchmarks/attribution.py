"""Markov attribution side by side with ChannelAttribution, which simulates the chain that is solved here.

``python benchmarks/attribution.py [paths.csv]``; the peer is in the dependency group `benchmark`. Without it only our
own times are told.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import time
from pathlib import Path

import pandas as pd

from playbook.media import attribution

ROOT = Path(__file__).resolve().parents[1]
NAMES = {"conversions": "total_conversions", "value": "total_conversion_value", "nulls": "total_null"}


def ours(paths: pd.DataFrame) -> pd.Series:
    """Conversions by channel: counted in the engine, solved."""
    credited = attribution.credits(attribution.touches_of_paths(paths, **NAMES), rules=["markov"])
    return pd.Series(credited["conversions"].to_numpy(), index=credited["channel"].to_numpy())


def theirs(paths: pd.DataFrame, seed: int) -> pd.Series:
    """The same by ChannelAttribution, with its defaults."""
    import ChannelAttribution as peer

    made = peer.markov_model(
        paths, "path", "total_conversions", var_value="total_conversion_value", var_null="total_null", order=1,
        sep=">", seed=seed, verbose=False,
    )  # fmt: skip
    return pd.Series(made["total_conversions"].to_numpy(float), index=made["channel_name"].to_numpy())


def fastest(run, times: int = 5) -> tuple[float, pd.Series]:
    best, made = float("inf"), None
    for i in range(times):
        began = time.perf_counter()
        made = run(i)
        best = min(best, time.perf_counter() - began)
    return best, made


def main() -> None:
    folder = Path(os.environ.get("PLAYBOOK_REAL_DATA", ROOT.parent / "shared" / "data"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", type=Path, nargs="?", default=folder / "attribution_paths" / "paths.csv")
    paths = pd.read_csv(parser.parse_args().paths)
    own, solved = fastest(lambda _seed: ours(paths))
    whole, _made = fastest(lambda _seed: attribution.credits(attribution.touches_of_paths(paths, **NAMES)))
    print(f"{len(paths):,} paths: removal effects {own:.3f} s, all eight rules {whole:.3f} s")
    if importlib.util.find_spec("ChannelAttribution") is None:
        print("ChannelAttribution is not installed: pip install --group benchmark")
        return
    peer, _made = fastest(lambda seed: theirs(paths, seed + 1))
    runs = pd.DataFrame({seed: theirs(paths, seed) for seed in range(1, 11)})
    frame = pd.DataFrame({"solved": solved, "simulated": runs.mean(axis=1), "error": runs.std(axis=1)})
    frame["z"] = (frame["solved"] - frame["simulated"]) / frame["error"]
    print(f"ChannelAttribution {peer:.3f} s: {peer / own:.1f} times as long")
    print(frame.round(2).to_string())


if __name__ == "__main__":
    main()
