"""Templates that users write: Jinja's sandbox with a small language, bounded in time, loops and length."""

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes, pass_context
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import Context, LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from core.errors import FieldError

MAX_RENDERED_CHARACTERS = 256 * 1024
MAX_FILTERED_CHARACTERS = 32 * MAX_RENDERED_CHARACTERS
MAX_ROUNDS, MAX_NESTED_LOOPS, MAX_DEPTH = 10_000, 3, 60
MAX_SECONDS = 1.0
FILTERS = (
    "capitalize", "count", "d", "default", "e", "escape", "first", "float", "int", "last", "length", "lower", "title",
    "trim", "truncate", "upper", "urlencode",
)  # fmt: skip
LOOP_WORDS = frozenset({"index", "index0", "first", "last", "length", "revindex", "revindex0"})
# What is missing here cannot be written: calls, macros, includes, assignments, arithmetic. `safe` is no filter of
# ours, so nothing that a variable brings along escapes the escaping.
LANGUAGE = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem,
    nodes.Filter, nodes.Test, nodes.If, nodes.For, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or,
    nodes.Not, nodes.List, nodes.Tuple, nodes.Keyword,
)  # fmt: skip
BUDGET = "_budget"
NO_VARIABLES = frozenset({"self", "super"})
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # what an escape such as "\x00" can write, and Postgres cannot keep


class TemplateFault(Exception):
    """What is wrong with a template, or with rendering it."""

    def __init__(self, message: str, *, code: str = "template_invalid", line: int | None = None) -> None:
        self.message = f"line {line}: {message}" if line else message
        self.code = code
        super().__init__(self.message)

    def of(self, field: str) -> FieldError:
        """As a fault of the caller's field."""
        return FieldError(field, self.message, self.code)


class _Budget:
    """How much one rendering may still do."""

    def __init__(self) -> None:
        self._rounds, self._ends = MAX_ROUNDS, time.monotonic() + MAX_SECONDS
        self._left, self._filtered = MAX_RENDERED_CHARACTERS, MAX_FILTERED_CHARACTERS

    def loop(self) -> None:
        self._rounds -= 1
        if self._rounds < 0:
            raise TemplateFault(f"loops more than {MAX_ROUNDS} times", code="template_too_long")
        self._check_time()

    def take(self, chunk: str) -> str:
        self._left -= len(chunk)
        if self._left < 0:
            limit = f"renders more than {MAX_RENDERED_CHARACTERS} characters"
            raise TemplateFault(limit, code="template_too_long")
        self._check_time()
        return chunk

    def compute(self, value: Any) -> Any:
        """What an expression came to, whether it is written or not."""
        self._filtered -= len(value) if isinstance(value, str) else 0
        if self._filtered < 0:
            raise TemplateFault("computes too long texts", code="template_too_long")
        self._check_time()
        return value

    def _check_time(self) -> None:
        if time.monotonic() > self._ends:
            raise TemplateFault(f"takes longer than {MAX_SECONDS:.0f} s", code="template_too_slow")


class _Missing(StrictUndefined):
    """A variable, or a part of one, that nobody gave."""

    __slots__ = ()

    def _fail_with_undefined_error(self, *_: Any, **__: Any) -> Any:
        raise TemplateFault(f"{self._undefined_name} has no value", code="missing_variable")

    __str__ = __iter__ = __len__ = __eq__ = __ne__ = __bool__ = __hash__ = __contains__ = _fail_with_undefined_error


class _Sandbox(ImmutableSandboxedEnvironment):
    """Reaches into JSON values only: fields of objects and items of lists, no attribute of any Python object."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, LoopContext) and attribute in LOOP_WORDS:
            return getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Undefined):
            str(obj)  # says which variable is missing
        if isinstance(obj, Mapping) and isinstance(argument, str) and argument in obj:
            return obj[argument]
        if isinstance(obj, list) and isinstance(argument, int) and -len(obj) <= argument < len(obj):
            return obj[argument]
        return self.undefined(obj=obj, name=argument)


def _join(value: Sequence[Any], separator: str = "") -> str:
    parts = [str(part) for part in value]
    if sum(map(len, parts)) + len(str(separator)) * len(parts) > MAX_RENDERED_CHARACTERS:
        raise TemplateFault("join makes too long a text", code="template_too_long")
    return str(separator).join(parts)


def _round(value: float, precision: int = 0) -> float:
    return round(float(value), max(0, min(int(precision), 10)))


@pass_context
def _counted(context: Context, value: Iterable[Any]) -> Iterator[Any]:
    budget: _Budget = context[BUDGET]
    for item in value:
        budget.loop()
        yield item


@pass_context
def _computed(context: Context, value: Any) -> Any:
    budget: _Budget = context[BUDGET]
    return budget.compute(value)


def _environment(*, html: bool) -> _Sandbox:
    made = _Sandbox(autoescape=html, undefined=_Missing, keep_trailing_newline=True, auto_reload=False)
    made.globals.clear()
    made.filters = {name: made.filters[name] for name in FILTERS}
    made.filters |= {"join": _join, "round": _round, "_counted": _counted, "_computed": _computed}
    made.tests = {name: made.tests[name] for name in ("defined", "undefined", "none", "in", "true", "false")}
    return made


_TEXT, _HTML = _environment(html=False), _environment(html=True)


class _Count(NodeTransformer):
    """Puts the rounds of loops, and what can take long in an expression, on the budget."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        node.iter = _filtered(node.iter, "_counted")
        return node

    def visit_Filter(self, node: nodes.Node) -> nodes.Node:
        self.generic_visit(node)
        return _filtered(node, "_computed")

    visit_Compare = visit_Test = visit_Filter


def _filtered(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


@lru_cache(maxsize=512)
def parse(source: str, *, html: bool = False) -> tuple[Template, frozenset[str], frozenset[str]]:
    """The compiled template, the variables it needs, and those it can do without. TemplateFault if it is wrong."""
    environment = _HTML if html else _TEXT
    try:
        tree = environment.parse(source)
        _check(tree)
        used = find_undeclared_variables(tree)
        needed = used - _optional(tree)
        return environment.from_string(_Count().visit(tree)), frozenset(needed), frozenset(used - needed)
    except TemplateSyntaxError as error:
        raise TemplateFault(error.message or "cannot be read", code="template_syntax", line=error.lineno) from error
    except ValueError as error:  # a number of more digits than Python reads
        raise TemplateFault(f"cannot be read: {error}"[:200], code="template_syntax") from error
    except (RecursionError, MemoryError, SyntaxError) as error:
        raise TemplateFault("is nested too deep", code="template_syntax") from error


def _check(tree: nodes.Node) -> None:
    waiting: list[tuple[nodes.Node, int, int]] = [(tree, 0, 0)]
    while waiting:
        node, depth, loops = waiting.pop()
        line = getattr(node, "lineno", None)
        loops += isinstance(node, nodes.For)
        if not isinstance(node, LANGUAGE):
            word = type(node).__name__.lower()
            raise TemplateFault(f"'{word}' is not part of the template language", code="template_syntax", line=line)
        if depth > MAX_DEPTH or loops > MAX_NESTED_LOOPS:
            raise TemplateFault("is nested too deep", code="template_syntax", line=line)
        if isinstance(node, nodes.For) and (node.recursive or node.test is not None):
            raise TemplateFault("a loop has neither 'recursive' nor 'if'", code="template_syntax", line=line)
        if isinstance(node, nodes.Filter) and node.name not in (*FILTERS, "join", "round"):
            raise TemplateFault(f"there is no filter '{node.name}'", code="template_syntax", line=line)
        if isinstance(node, nodes.Const) and isinstance(node.value, str) and _UNSTORABLE.search(node.value):
            told = "a text holds a NUL character or half a surrogate pair"
            raise TemplateFault(told, code="template_syntax", line=line)
        if isinstance(node, nodes.Name) and (node.name.startswith("_") or node.name in NO_VARIABLES):
            raise TemplateFault(f"'{node.name}' cannot be a variable", code="template_syntax", line=line)
        waiting += [(child, depth + 1, loops) for child in node.iter_child_nodes()]


def _optional(tree: nodes.Template) -> set[str]:
    """Variables with a default, or that the template asks for: `{{ name | default("you") }}`, `name is defined`."""
    guarded = [f.node for f in tree.find_all(nodes.Filter) if f.name in ("d", "default")]
    guarded += [t.node for t in tree.find_all(nodes.Test) if t.name in ("defined", "undefined")]
    return {node.name for node in guarded if isinstance(node, nodes.Name)}


def render(source: str, variables: Mapping[str, Any], *, html: bool = False) -> str:
    """The text with its variables filled in, within the limits. TemplateFault if that cannot be done."""
    template, _, _ = parse(source, html=html)
    budget = _Budget()
    try:
        return "".join(map(budget.take, template.generate({**variables, BUDGET: budget})))
    except TemplateError as error:
        raise TemplateFault(error.message or "cannot be rendered") from error
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise TemplateFault(f"cannot be rendered: {error}"[:200]) from error
