"""A line for the cell of a table, on the scale and with the interruptions of a trend."""

from collections.abc import Collection, Mapping

from odds_pipeline.charts.runs import runs
from odds_pipeline.charts.scale import scale
from odds_pipeline.months import month_index

WIDTH, HEIGHT, EDGE = 72.0, 20.0, 2.0
MOST = 60


def spark(values: Mapping[str, float | None], breaks: Collection[str] = ()) -> str:
    """The last values by month; hidden from screen readers, since the cells say them."""
    months = sorted(values)[-MOST:]
    shown = {month: values[month] for month in months}
    known = [value for value in shown.values() if value is not None]
    if len(known) < 2:
        return ""
    first, last = month_index(months[0]), month_index(months[-1])
    heights = scale(known)

    def at(month: str, value: float) -> str:
        x = EDGE + (WIDTH - 2 * EDGE) * (month_index(month) - first) / (last - first)
        return f"{x:.1f},{HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * heights.share(value):.1f}"

    drawn = "".join(
        f'<polyline points="{" ".join(at(*point) for point in run)}"/>'
        for run in runs(shown, breaks)
        if len(run) > 1
    )
    box = f"0 0 {WIDTH:g} {HEIGHT:g}"
    return f'<svg class="spark" viewBox="{box}" aria-hidden="true">{drawn}</svg>' if drawn else ""
