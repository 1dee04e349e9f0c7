"""The tree keeps its shape: who may import whom, how long a file is, that names of tests exist and tests assert."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import honesty

ROOT = Path(__file__).resolve().parent.parent
LONGEST = 500

# a part -> the parts of ours it may import; its own is always allowed
MAY: dict[str, set[str]] = {
    "appliance.errors": set(),
    "appliance.words": set(),
    "appliance.notify": set(),
    "appliance.logs": set(),
    "appliance.core": {"appliance.errors"},
    "appliance.protocols": {"appliance.errors"},
    "appliance.settings": {"appliance.errors", "appliance.core", "appliance.words"},
    "appliance.native": set(),
    "appliance.lines": {
        "appliance.errors", "appliance.core", "appliance.protocols", "appliance.native", "appliance.settings.fields",
    },
    "appliance.panel": {"appliance.core", "appliance.words"},
    "appliance.journal": {"appliance.errors", "appliance.core"},
    "appliance.exchange": {
        "appliance.errors", "appliance.words", "appliance.notify", "appliance.logs", "appliance.core",
        "appliance.protocols",
        "appliance.settings", "appliance.lines", "appliance.panel", "appliance.journal",
    },
    "appliance.worker": {
        "appliance.errors", "appliance.words", "appliance.notify", "appliance.logs", "appliance.journal",
        "appliance.settings",
        "appliance.core", "appliance.protocols.pdu",
    },
    "appliance.virtual": set(),
    "webui": {
        "appliance.errors", "appliance.words", "appliance.settings", "appliance.journal", "appliance.core",
        "appliance.notify", "appliance.logs",
    },
}  # fmt: skip
# the command line and the supervisor join parts: they may import any but lines and native
ABOVE = {"appliance.cli", "appliance.run", "appliance.background", "appliance.__main__"}

DOORS: dict[str, tuple[str, ...]] = {  # third-party package -> where it may be imported
    "pjsua2": ("appliance/lines",),
    "serial": ("appliance/lines/gsm.py", "appliance/lines/fxs.py"),
    "gpiozero": ("appliance/panel",),
    "apscheduler": ("appliance/worker/jobs.py",),
    "tinydb": ("appliance/settings/store.py",),
    "flask": ("webui",),
    "_centralka_native": ("appliance/native/api.py",),
    "cffi": ("appliance/native/build_native.py",),
    "phonenumbers": ("appliance/core/numbers.py",),
    "regex": ("appliance/core/patterns.py",),
    "imapclient": ("appliance/worker/mailbox.py",),
    "aiosmtpd": ("appliance/virtual/mailbox.py",),
}


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Full names of the modules a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def part_of(module: str) -> str:
    return max((part for part in MAY if module == part or module.startswith(part + ".")), key=len, default="")


def test_parts_import_only_what_they_may() -> None:
    wrong = []
    for path in sources("appliance", "webui"):
        module = module_of(path)
        part = part_of(module)
        for name in set(imports(path)):
            if not name.startswith(("appliance.", "webui.")) or module in ABOVE or not part:
                continue
            allowed = {part, *MAY[part]}
            if not any(name == a or name.startswith(a + ".") for a in allowed) and part_of(name):
                wrong.append(f"{module} imports {name}")
    assert wrong == []


def test_each_library_has_one_door() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources("appliance", "webui")
        for name in imports(path)
        if (door := DOORS.get(name.partition(".")[0]))
        and not any(str(path.relative_to(ROOT)).startswith(place) for place in door)
    ]
    assert wrong == []


def test_no_file_is_too_long_to_be_read() -> None:
    kinds = {".py", ".c", ".h", ".sh", ".html", ".js", ".css"}
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    long = {
        name: count
        for name in listed
        if Path(name).suffix in kinds and ".min." not in name and (ROOT / name).exists()
        and (count := len((ROOT / name).read_text(encoding="utf-8").splitlines())) > LONGEST
    }  # fmt: skip
    assert long == {}


def test_print_is_for_the_command_line_alone() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources("appliance", "webui")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        and path.name != "cli.py"
    ]  # fmt: skip
    assert wrong == []


def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in sources("tests")}


def test_every_test_asserts_something() -> None:
    read = trees()
    shared = honesty.helpers_of(tree for path, tree in read.items() if not path.name.startswith("test_"))
    wrong = []
    for path, tree in read.items():
        helpers, methods = honesty.helpers_of([tree], shared)
        wrong += [
            f"{path.name}::{test.name}"
            for test in honesty.written_in(tree)
            if not honesty.asserts(test, helpers, methods)
        ]
    assert wrong == []


def test_no_test_is_always_skipped() -> None:
    """A skip is for hardware that is not here: such a test has its condition, and the mark `hardware`."""
    never = [
        f"{path.name}::{test.name}"
        for path, tree in trees().items()
        for test in honesty.written_in(tree)
        if honesty.always_skipped(test, tree)
    ]
    assert never == []


def all_tests() -> set[str]:
    return {test.name for tree in trees().values() for test in honesty.written_in(tree)}


def test_every_feature_that_is_ticked_names_a_test_that_exists() -> None:
    rows = [
        line for line in (ROOT / "docs" / "features.md").read_text(encoding="utf-8").splitlines() if "`test_" in line
    ]
    assert rows, "no feature is ticked"
    named = {name for line in rows for name in re.findall(r"`(test_\w+)`", line)}
    assert named - all_tests() == set()


def test_no_feature_stands_in_the_list_twice() -> None:
    text = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    numbers = re.findall(r"^\| ([A-Z]\d+) \|", text, re.MULTILINE)
    assert sorted(numbers) == sorted(set(numbers))


@pytest.mark.parametrize(
    "name", ["README.md", "docs/dependencies.md", "docs/manual.md", "docs/decisions.md", "docs/architecture.md"]
)
def test_the_papers_are_there_and_speak_of_the_product(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert len(text) > 300
    for word in ("/wo" + "rk/", "../shared", "assistant"):
        assert word not in text, word


def test_every_pinned_dependency_has_its_reason() -> None:
    reasons = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    setup = ast.parse((ROOT / "setup.py").read_text(encoding="utf-8"))
    wanted = {
        str(name).partition(";")[0]
        for node in setup.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in ("RUNTIME", "TEST")
        for name in ast.literal_eval(node.value)
    }
    assert {name for name in wanted if name.lower() not in reasons} == set()
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower().replace("_", "-")
    assert {name for name in wanted if f"{name.lower()}==" not in pins} == set()
