"""Does a test prove anything? Read from its source: a test that asserts nothing, or is skipped whatever happens, is
found here, and a skip that is not about hardware is turned into a failure while the tests run.

A test asserts when it holds an `assert` whose outcome is not fixed by its text, `pytest.raises`, `pytest.fail`, a
raised AssertionError, or a call of a helper of the tests that does so itself (`until`, which fails when time is over).
A method counts only if every method of that name in the tests asserts, and none of that name is common elsewhere.
"""

import ast
from collections.abc import Iterable, Iterator

FIXED = (ast.Constant, ast.JoinedStr, ast.Lambda)
RAISERS = ("raises", "warns", "fail")
COMMON = frozenset({"wait", "start", "stop", "close", "get", "put", "send", "join", "read", "write", "kill", "end"})
Function = ast.FunctionDef | ast.AsyncFunctionDef


def written_in(tree: ast.AST) -> Iterator[Function]:
    """The test functions of a module, those within classes too."""
    for node in ast.walk(tree):
        if isinstance(node, Function) and node.name.startswith("test_"):
            yield node


def is_fixed(test: ast.expr) -> bool:
    """Whether the text alone decides that this holds (or does not)."""
    if isinstance(test, FIXED):
        return True
    if isinstance(test, ast.Tuple | ast.List | ast.Set | ast.Dict):
        return True  # `assert (x, "why")` is always true
    if isinstance(test, ast.UnaryOp):
        return is_fixed(test.operand)
    if isinstance(test, ast.BoolOp):
        return all(map(is_fixed, test.values)) or (isinstance(test.op, ast.Or) and any(map(is_fixed, test.values)))
    if isinstance(test, ast.IfExp):
        return is_fixed(test.body) and is_fixed(test.orelse)
    if isinstance(test, ast.Compare):
        sides = [test.left, *test.comparators]
        alike = len({ast.dump(side) for side in sides}) == 1 and not any(map(_calls, sides))
        return alike or all(isinstance(side, FIXED) for side in sides)
    return False


def _calls(node: ast.expr) -> bool:
    return any(isinstance(inner, ast.Call) for inner in ast.walk(node))


def reached(function: ast.AST) -> Iterator[ast.AST]:
    """Nodes of a function that can run: not those behind a return or raise, nor in `if False` or an inner function
    that nobody calls."""
    body = getattr(function, "body", [])
    called = {
        node.func.id for node in ast.walk(function) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    named = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)} | called
    yield from _statements(body, named)


def _statements(body: Iterable[ast.stmt], named: set[str]) -> Iterator[ast.AST]:
    for statement in body:
        if isinstance(statement, Function) and statement.name not in named:
            continue
        if isinstance(statement, ast.If | ast.While) and isinstance(statement.test, ast.Constant):
            yield from _statements(statement.body if statement.test.value else statement.orelse, named)
        else:
            yield statement
            for name in ("body", "orelse", "finalbody", "handlers"):
                yield from _statements(getattr(statement, name, []), named)
            yield from _expressions(statement)
        if isinstance(statement, ast.Return | ast.Raise | ast.Continue | ast.Break):
            return


def _expressions(statement: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(statement):
        if not isinstance(child, ast.stmt | ast.excepthandler):
            yield from ast.walk(child)


def asserts(function: ast.AST, helpers: set[str], methods: set[str]) -> bool:
    """Whether it can fail by what it finds. `helpers` are bare names, `methods` names behind a dot."""
    return any(_asserts(node, helpers, methods) for node in reached(function))


def _asserts(node: ast.AST, helpers: set[str], methods: set[str]) -> bool:
    if isinstance(node, ast.Assert):
        return not is_fixed(node.test)
    if isinstance(node, ast.Raise):
        return any(name in ast.dump(node) for name in ("AssertionError", "TimeoutError"))
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):
        return node.func.id in helpers
    if isinstance(node.func, ast.Attribute):
        of_pytest = isinstance(node.func.value, ast.Name) and node.func.value.id == "pytest"
        return node.func.attr in RAISERS if of_pytest else node.func.attr in methods
    return False


Known = tuple[set[str], set[str]]


def helpers_of(trees: Iterable[ast.AST], known: Known = (set(), set())) -> Known:
    """Names of functions, and of methods, that assert, beside those that are known; looked for until no more come."""
    functions: dict[str, list[Function]] = {}
    methods: dict[str, list[Function]] = {}
    for tree in trees:
        inside = {id(item) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for item in node.body}
        for node in ast.walk(tree):
            if isinstance(node, Function) and not node.name.startswith("test_"):
                (methods if id(node) in inside else functions).setdefault(node.name, []).append(node)
    helpers, dotted = known[0] - functions.keys(), known[1] - methods.keys() - functions.keys()
    while True:
        more = helpers | {n for n, of in functions.items() if all(asserts(f, helpers, dotted) for f in of)}
        behind_dot = dotted | {
            n for n, of in methods.items() if n not in COMMON and all(asserts(f, helpers, dotted) for f in of)
        }
        behind_dot |= {n for n in more - methods.keys() if n not in COMMON}  # a module's function: `sound.check(...)`
        if (more, behind_dot) == (helpers, dotted):
            return helpers, dotted
        helpers, dotted = more, behind_dot


# ---- skips -----------------------------------------------------------------------------------------------------------


def always_skipped(function: Function, tree: ast.AST) -> bool:
    """Whether nobody ever runs it: a mark without a condition, a skip as its own statement, no cases, `__test__`."""
    marks = [*function.decorator_list, *_marks_of_module(tree), *_marks_of_class(function, tree)]
    return any(map(_skips, marks)) or any(map(_is_skip_call, function.body)) or _switched_off(tree)


def _skips(mark: ast.expr) -> bool:
    if isinstance(mark, ast.List | ast.Tuple):
        return any(map(_skips, mark.elts))
    name = mark.func if isinstance(mark, ast.Call) else mark
    last = name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "")
    call = mark if isinstance(mark, ast.Call) else None
    if last == "skip":
        return True
    if last == "skipif":
        return call is None or not call.args or (is_fixed(call.args[0]) and _true(call.args[0]))
    if last == "xfail":  # a failure that is expected whatever happens proves as little
        return call is None or not call.args or is_fixed(call.args[0])
    if last == "parametrize" and call and len(call.args) > 1:
        cases = call.args[1]
        return isinstance(cases, ast.List | ast.Tuple) and (
            not cases.elts or all(_skipped_case(case) for case in cases.elts)
        )
    return False


def _skipped_case(case: ast.expr) -> bool:
    return isinstance(case, ast.Call) and any(k.arg == "marks" and _skips(k.value) for k in case.keywords)


def _true(test: ast.expr) -> bool:
    try:
        return bool(ast.literal_eval(test))
    except ValueError:
        return True


def _is_skip_call(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Expr | ast.Raise):
        return False
    call = statement.value if isinstance(statement, ast.Expr) else statement.exc
    name = call.func if isinstance(call, ast.Call) else None
    return isinstance(name, ast.Attribute) and name.attr in ("skip", "xfail", "skipTest", "Skipped", "SkipTest")


def _marks_of_module(tree: ast.AST) -> Iterator[ast.expr]:
    for node in getattr(tree, "body", []):
        if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == "pytestmark" for t in node.targets):
            yield node.value
        if isinstance(node, ast.Expr) and _is_skip_call(node) and isinstance(node.value, ast.Call):
            yield node.value  # pytest.skip(..., allow_module_level=True)


def _marks_of_class(function: Function, tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(inner is function for inner in ast.walk(node)):
            yield from node.decorator_list


def _switched_off(tree: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Assign) and any(getattr(t, "id", "") == "__test__" for t in node.targets)
        and is_fixed(node.value) and not _true(node.value)
        for node in ast.walk(tree)
    )  # fmt: skip
