"""Charts as SVG by Altair and vl-convert, drawn in a short-lived process: its 110 MB go when the charts are drawn."""

import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from core.adapters.aside import ask
from core.contracts.platform import Answer

MODULE = "core.adapters.charts"
WIDTH, DAYS_HEIGHT, BAR_HEIGHT = 640, 200, 22
FEW_DAYS, FEW_DAYS_STEP = 4, 110
"""Below that an axis of time would be cut into hours, one bar be as wide as the chart: each day has its own place."""
COLOURS = ("#3b6ea8", "#c8553d", "#8a8f98", "#5b9a68", "#8e6bb0")


class ChartKind(StrEnum):
    """How values are shown."""

    BARS = "bars"
    DAYS = "days"


class Point(NamedTuple):
    """One value: of `name` (a label, or a day as 2024-01-31), in the series `series`."""

    name: str
    value: float
    series: str = ""


class Chart(Answer):
    """What to draw. Bars keep the order of their points; days are a time axis, series stacked."""

    kind: ChartKind
    points: list[Point]
    unit: str = "events"


_CHARTS, _DRAWN = TypeAdapter(list[Chart]), TypeAdapter(list[str])


async def draw(charts: Sequence[Chart]) -> list[str]:
    """One SVG a chart, in order. AsideFailed if the drawing process fails."""
    return _DRAWN.validate_json(await ask(MODULE, _CHARTS.dump_json(list(charts)))) if charts else []


def _svg(chart: Chart) -> str:
    import vl_convert  # in the drawing process only: it brings a JavaScript engine

    drawn = _days(chart) if chart.kind is ChartKind.DAYS else _bars(chart)
    svg: str = vl_convert.vegalite_to_svg(drawn.to_dict())
    return svg


def _bars(chart: Chart) -> Any:
    import altair as alt  # in the drawing process only: it takes a second and 40 MB

    rows = [{"name": point.name, "value": point.value} for point in chart.points]
    names = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=220, ticks=False, domain=False))
    values = alt.X("value:Q", title=chart.unit, axis=alt.Axis(tickMinStep=1, gridColor="#e4e6ea"))
    drawn = alt.Chart(alt.InlineData(values=rows)).mark_bar(color=COLOURS[0], cornerRadiusEnd=2)
    base = drawn.encode(y=names, x=values)
    return base.properties(width=WIDTH, height=BAR_HEIGHT * max(2, len(rows))).configure_view(strokeWidth=0)


def _days(chart: Chart) -> Any:
    import altair as alt  # as above

    rows = [{"day": point.name, "value": point.value, "series": point.series} for point in chart.points]
    series = list(dict.fromkeys(point.series for point in chart.points))
    colour = alt.Color("series:N", title=None, scale=alt.Scale(domain=series, range=list(COLOURS[: len(series)])))
    axis = alt.Axis(grid=False, format="%d %b %Y", labelAngle=-30)
    few = len({point.name for point in chart.points}) < FEW_DAYS
    days = alt.X(f"utcyearmonthdate(day):{'O' if few else 'T'}", title=None, axis=axis)
    values = alt.Y("sum(value):Q", title=chart.unit, axis=alt.Axis(tickMinStep=1, gridColor="#e4e6ea"))
    base = alt.Chart(alt.InlineData(values=rows)).mark_bar().encode(x=days, y=values, color=colour)
    width = alt.Step(FEW_DAYS_STEP) if few else WIDTH
    return base.properties(width=width, height=DAYS_HEIGHT).configure_view(strokeWidth=0)


if __name__ == "__main__":
    wanted = _CHARTS.validate_json(sys.stdin.buffer.read())
    sys.stdout.buffer.write(_DRAWN.dump_json([_svg(chart) for chart in wanted]))
