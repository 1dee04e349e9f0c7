"""For every test: a skip is for hardware that is not here, and for nothing else."""

from collections.abc import Generator

import pytest

HARDWARE = "hardware"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that skips without needing hardware fails, with the reason it gave."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and item.get_closest_marker(HARDWARE) is None:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"skipped, and not for want of hardware: {reason}"
    return report
