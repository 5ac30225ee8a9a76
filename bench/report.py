"""What the bench leaves behind: a table on the terminal, results.md for people, results.json for machines."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Measure:
    """One measurement. `binds` says what the bar holds: the ratio (at least), the figure (at most), or "at least"."""

    ours: float
    floor: float | None
    bar: float
    unit: str
    binds: str = "ratio"
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.floor if self.floor else None

    @property
    def held(self) -> bool:
        if self.binds == "ratio":
            return self.ratio is not None and self.ratio >= self.bar
        return self.ours >= self.bar if self.binds == "at least" else self.ours <= self.bar


def show(measures: dict[str, Measure]) -> None:
    """Print the table."""
    table = Table("measure", "ours", "floor", "ratio", "bar", "unit", "held", title="isA Operations: bench")
    for name, measure in measures.items():
        table.add_row(name, *_cells(measure), "[green]yes[/]" if measure.held else "[red]NO[/]")
    Console().print(table)


def keep(measures: dict[str, Measure], *, command: str, generator: str) -> None:
    """Write both files; measures not taken this time keep their last figures."""
    path = HERE / "results.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    known |= {name: _plain(measure) for name, measure in measures.items()}
    path.write_text(json.dumps(known, indent=2) + "\n")
    lines = [
        "# Bench",
        "",
        f"Made by `{command}`, load from {generator}. Each row is measured in one run beside its floor; figures move",
        "with the machine, ratios should not. A bar binds the ratio (at least), or, where the unit is MiB or s,",
        "the figure itself (at most).",
        "",
        "| measure | ours | floor | ratio | bar | unit | held | what it is |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, m in known.items():
        cells = [_number(m[key]) for key in ("ours", "floor", "ratio", "bar")]
        lines.append(
            f"| {name} | {' | '.join(cells)} | {m['unit']} | {'yes' if m['held'] else '**no**'} | {m['note']} |"
        )
    (HERE / "results.md").write_text("\n".join(lines) + "\n")


def _plain(measure: Measure) -> dict[str, object]:
    fields = {k: v for k, v in asdict(measure).items() if k != "binds"}
    ratio = round(measure.ratio, 3) if measure.ratio is not None else None
    return {k: round(v, 2) if isinstance(v, float) else v for k, v in fields.items()} | {
        "ratio": ratio,
        "bar": measure.bar,
        "held": measure.held,
    }


def _cells(measure: Measure) -> list[str]:
    return [*(_number(v) for v in (measure.ours, measure.floor, measure.ratio, measure.bar)), measure.unit]


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
