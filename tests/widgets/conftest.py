"""Explorers set the book's look; the pictures of other tests are to keep theirs."""

import matplotlib as mpl
import pytest


@pytest.fixture(autouse=True)
def look():
    with mpl.rc_context():
        yield
