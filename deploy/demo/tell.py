"""How the demo speaks: a heading a chapter, a line a step, a link wherever a workflow did the work."""

from rich.markup import escape
from rich.rule import Rule

from deploy.config import Stack
from deploy.console import out


class Teller:
    """Counts the chapters."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._chapter = 0

    def chapter(self, title: str) -> None:
        self._chapter += 1
        out.print(Rule(f"[bold]{self._chapter}. {escape(title)}[/]", align="left"))

    def step(self, text: str, *, link: str | None = None) -> None:
        out.print(f"  [green]✓[/] {escape(text)}", highlight=False, soft_wrap=True)
        if link:
            out.print(f"    [dim]{escape(link)}[/]", highlight=False, soft_wrap=True)

    def timeline(self, correlation_id: str) -> None:
        """Everything that one correlation id joins, in Temporal's UI."""
        base = self._stack.ui_url.rstrip("/")
        namespace = self._stack.environment.get("TEMPORAL_NAMESPACE", "default")
        query = f"OpsCorrelationId%3D%22{correlation_id}%22"
        self.step("All of this story's workflows", link=f"{base}/namespaces/{namespace}/workflows?query={query}")
