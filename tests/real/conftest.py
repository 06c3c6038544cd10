"""Real files that several stories are told of are ingested once."""

import shutil

import pytest

from playbook.data.ingest import ingest
from playbook.data.store import create, open_store
from playbook.shop import open_shop


@pytest.fixture(scope="session")
def retail_home(real_data, tmp_path_factory):
    """A home with UCI Online Retail as the shop `retail`."""
    path = real_data / "online_retail" / "online_retail_by_day_concat.csv.gz"
    if not path.exists():
        pytest.skip(f"no {path}: see the README of the real data")
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYBOOK_HOME", str(home))
        shutil.copy(path, create("retail") / "raw")
        ingest(open_store("retail"))
    return home


@pytest.fixture(scope="module")
def retail(retail_home):
    """Opens the shop `retail` for a period."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYBOOK_HOME", str(retail_home))
        yield lambda period: open_shop("retail", period)
