"""A short soak; ``make soak`` has a long one."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults.soak import Soak
from helpers.browsers.engines import ENGINES, Visitor, started
from helpers.browsers.website import Website

pytestmark = pytest.mark.browser


def test_ten_uploads_through_random_faults(website: Website, tmp_path: Path) -> None:
    with started(ENGINES[0], tmp_path / "profile") as driver:
        soak = Soak(Visitor(driver, website), website, uploads=10, seed=7)
        soak.run()
    soak.check()
