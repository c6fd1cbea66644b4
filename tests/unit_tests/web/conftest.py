"""A browser's view of the app over fake acts."""

from __future__ import annotations

import warnings

import pytest

from chw_tools.api.app import build_app
from chw_tools.testing.acts import FakeActs

with warnings.catch_warnings():
    # Starlette's test client asks for another HTTP client than the one declared here.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient


@pytest.fixture
def acts() -> FakeActs:
    return FakeActs()


@pytest.fixture
def browser(acts: FakeActs) -> TestClient:
    """Sends forms as a browser does from a page of the same site."""
    return TestClient(
        build_app(acts),
        base_url="http://127.0.0.1:8000",
        client=("127.0.0.1", 50000),
        headers={"sec-fetch-site": "same-origin"},
        follow_redirects=False,
    )
