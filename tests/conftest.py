"""What tests share: a home of their own, shops made of a few raw files, and the folder of real data."""

import gzip
import io
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from playbook.data.ingest import ingest
from playbook.data.store import Store, open_store

ROOT = Path(__file__).parents[1]

Content = bytes | str | pd.DataFrame


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that the book takes for its home."""
    folder = tmp_path / "home"
    (folder / "data").mkdir(parents=True)
    monkeypatch.setenv("PLAYBOOK_HOME", str(folder))
    return folder


@pytest.fixture
def make_shop(home: Path) -> Callable[..., Store]:
    """Make ``data/<name>/`` from files: a name alone lies in raw/, one like ``formats/my.toml`` in the shop's folder.

    A frame is written as its name's ending says (.csv, .csv.gz, .xlsx, .parquet). Called again for the same shop it
    adds files or replaces them.
    """

    def make(name: str, files: Mapping[str, Content], settings: str = "") -> Store:
        folder = home / "data" / name
        (folder / "raw").mkdir(parents=True, exist_ok=True)
        (folder / "shop.toml").write_text(settings, encoding="utf-8")
        for path, content in files.items():
            target = folder / path if path.startswith("formats/") else folder / "raw" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(as_bytes(content, target.name))
        return open_store(name)

    return make


@dataclass(frozen=True)
class Built:
    """A shop after ingest: the accounting and everything that lies beside it."""

    store: Store
    accounting: dict[str, Any]

    @property
    def folder(self) -> Path:
        assert self.store.tables is not None
        return self.store.tables

    def table(self, name: str) -> pd.DataFrame:
        """A canonical table, in order of its first column."""
        rows = pd.read_parquet(self.folder / f"{name}.parquet")
        return rows.sort_values(list(rows.columns[:1]), kind="stable", ignore_index=True)

    @property
    def orders(self) -> pd.DataFrame:
        return self.table("orders")

    @property
    def ledger(self) -> pd.DataFrame:
        rows = pd.read_parquet(self.folder / "rows.parquet")
        return rows.sort_values(["file", "row"], ignore_index=True)

    @property
    def quarantine(self) -> list[tuple[str, int, str, str]]:
        """File, line, reason, field of each row in quarantine."""
        rows = pd.read_csv(self.folder / "quarantine.csv", dtype=str, keep_default_na=False, encoding="utf-8-sig")
        return [(r.file, int(r.line), r.reason, r.field) for r in rows.itertuples(index=False)]

    def file(self, name: str) -> dict[str, Any]:
        """The accounting's entry of one raw file."""
        return next(f for f in self.accounting["files"] if f["file"] == name)


@pytest.fixture
def build(make_shop: Callable[..., Store]) -> Callable[..., Built]:
    """Make a shop as `make_shop` does, and ingest it."""

    def make(files: Mapping[str, Content], settings: str = "", name: str = "corner") -> Built:
        store = make_shop(name, files, settings)
        return Built(store, ingest(store))

    return make


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data (its README says what is in it); skips where there is none."""
    said = os.environ.get("PLAYBOOK_REAL_DATA")
    folder = Path(said) if said else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}: set PLAYBOOK_REAL_DATA to the folder that holds them")
    return folder


def as_bytes(content: Content, name: str) -> bytes:
    if isinstance(content, str):
        return content.encode("utf-8")
    if isinstance(content, bytes):
        return content
    if name.endswith(".xlsx"):
        content.to_excel(buffer := io.BytesIO(), index=False)
        return buffer.getvalue()
    if name.endswith(".parquet"):
        content.to_parquet(buffer := io.BytesIO(), index=False)
        return buffer.getvalue()
    text = content.to_csv(index=False).encode("utf-8")
    return gzip.compress(text, mtime=0) if name.endswith(".gz") else text
