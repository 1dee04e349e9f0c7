"""The checker of the tests, checked: what proves nothing is found, what proves something is left alone."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.honesty import always_skipped, asserts, helpers_of, written_in

HELPERS = """
def until(what, check, seconds=10):
    while True:
        if check():
            return
    raise AssertionError(what)
def until_quiet(check):
    for _ in range(10):
        if check():
            return
def wait(name):
    until(name, lambda: name in seen)
def wait_long(check):
    if not check():
        raise TimeoutError("not in time")
class Box:
    def wait_calls(self): return until("rows", self.calls)
    def wait(self, name): until("it", lambda: name)
class Phone:
    def wait_ring(self): assert self.rings()
class Other:
    def wait_ring(self): return None
"""

PROVES = [
    "assert add(1, 2) == 3",
    "assert found",
    "assert not wrong, 'why'",
    "assert 0 < count",
    "with pytest.raises(ValueError):\n        parse('')",
    "for row in rows:\n        assert row",
    "until('it rings', lambda: rings)",
    "wait('it rings')",
    "wait_long(check)",
    "box.wait_calls()",
    "if wrong:\n        raise AssertionError(wrong)",
    "if wrong:\n        pytest.fail('wrong')",
    "def check(x):\n        assert x\n    each(check)",
    "try:\n        act()\n    finally:\n        assert done()",
    "assert next(rows) == next(rows)",
]
PROVES_NOTHING = [
    "pass",
    "act()",
    "assert True",
    "assert 1",
    "assert 'text'",
    "assert f'{x}'",
    "assert (found, 'a tuple is always true')",
    "assert [found]",
    "assert not False",
    "assert True or found",
    "assert found or 1",
    "assert 1 == 1",
    "assert found == found",
    "assert lambda: found",
    "until_quiet(lambda: rings)",
    "wait_for_it()",
    "check_everything()",
    "process.wait(5)",
    "thread.join()",
    "box.wait('x')",
    "phone.wait_ring()",
    "raise ValueError('no assertion')",
    "return\n    assert found",
    "if False:\n        assert found",
    "while 0:\n        assert found",
    "def never():\n        assert found",
    "other.raises(ValueError)",
]


def judged(body: str) -> bool:
    tree = ast.parse(HELPERS + f"def test_it():\n    {body}\n")
    helpers, methods = helpers_of([tree])
    return asserts(next(written_in(tree)), helpers, methods)


@pytest.mark.parametrize("body", PROVES)
def test_a_test_that_can_fail_counts(body: str) -> None:
    assert judged(body)


@pytest.mark.parametrize("body", PROVES_NOTHING)
def test_a_test_that_cannot_fail_does_not_count(body: str) -> None:
    assert not judged(body)


RUNS = [
    "def test_it():\n    assert x",
    "@pytest.mark.skipif(not modem(), reason='no modem')\ndef test_it():\n    assert x",
    "@pytest.mark.skipif(False, reason='never')\ndef test_it():\n    assert x",
    "@pytest.mark.parametrize('x', [1])\ndef test_it(x):\n    assert x",
    "@pytest.mark.parametrize('x', [1, pytest.param(2, marks=pytest.mark.skip)])\ndef test_it(x):\n    assert x",
    "@pytest.mark.xfail(sys.version_info < (3, 12), reason='old')\ndef test_it():\n    assert x",
    "def test_it():\n    if not modem():\n        pytest.skip('no modem')\n    assert x",
    "pytestmark = pytest.mark.hardware\ndef test_it():\n    assert x",
]
NEVER_RUNS = [
    "@pytest.mark.skip\ndef test_it():\n    assert x",
    "@pytest.mark.skip(reason='later')\ndef test_it():\n    assert x",
    "@pytest.mark.skipif(True, reason='later')\ndef test_it():\n    assert x",
    "@pytest.mark.skipif('True')\ndef test_it():\n    assert x",
    "@pytest.mark.skipif(1 == 1, reason='later')\ndef test_it():\n    assert x",
    "@unittest.skip('later')\ndef test_it():\n    assert x",
    "@pytest.mark.xfail\ndef test_it():\n    assert x",
    "@pytest.mark.xfail(reason='later')\ndef test_it():\n    assert x",
    "@pytest.mark.parametrize('x', [])\ndef test_it(x):\n    assert x",
    "@pytest.mark.parametrize('x', [pytest.param(1, marks=pytest.mark.skip)])\ndef test_it(x):\n    assert x",
    "def test_it():\n    pytest.skip('later')\n    assert x",
    "def test_it():\n    act()\n    pytest.xfail('later')\n    assert x",
    "def test_it():\n    raise unittest.SkipTest('later')",
    "pytestmark = pytest.mark.skip\ndef test_it():\n    assert x",
    "pytestmark = [pytest.mark.acceptance, pytest.mark.skip(reason='later')]\ndef test_it():\n    assert x",
    "pytest.skip('later', allow_module_level=True)\ndef test_it():\n    assert x",
    "@pytest.mark.skip\nclass TestIt:\n    def test_it(self):\n        assert x",
    "__test__ = False\ndef test_it():\n    assert x",
]


@pytest.mark.parametrize("source", RUNS)
def test_a_test_that_somebody_runs_is_left_alone(source: str) -> None:
    tree = ast.parse(source)
    assert not always_skipped(next(written_in(tree)), tree)


@pytest.mark.parametrize("source", NEVER_RUNS)
def test_a_test_that_nobody_ever_runs_is_found(source: str) -> None:
    tree = ast.parse(source)
    assert always_skipped(next(written_in(tree)), tree)


def test_a_skip_without_need_of_hardware_fails_the_run_and_says_its_reason(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text((Path(__file__).parent / "conftest.py").read_text())
    (tmp_path / "test_some.py").write_text(
        "import pytest\n"
        "def test_lazy():\n    pytest.skip('it is late')\n"
        "@pytest.mark.hardware\ndef test_modem():\n    pytest.skip('no modem here')\n"
        "def test_good():\n    assert len('x') == 1\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-ra", "-o", "markers=hardware: needs a real modem", "-p", "no:cacheprovider",
         "--rootdir", str(tmp_path), str(tmp_path)],
        capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 1
    assert "1 failed, 1 passed, 1 skipped" in done.stdout
    assert "not for want of hardware: Skipped: it is late" in done.stdout
    assert "no modem here" in done.stdout
