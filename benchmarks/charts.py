"""Charts as SVG, without a library: series of points over two axes, and their names."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT = 820, 400
LEFT, RIGHT, TOP, BOTTOM = 60, 290, 50, 50
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""The palette of Okabe and Ito, which people who see few colours tell apart too."""
MIDDLE, END = 'text-anchor="middle"', 'text-anchor="end"'

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class _Axis:
    """Places values between two ends of the drawing. Both are values of `scale`, which is `log10` or `float`."""

    least: float
    most: float
    begin: float
    end: float
    scale: Callable[[float], float]

    @classmethod
    def over(cls, values: Sequence[float], begin: float, end: float, *, is_log: bool) -> "_Axis":
        if is_log:
            return cls(floor(log10(min(values))), ceil(log10(max(values))), begin, end, log10)
        return cls(0.0, max(values), begin, end, float)

    def place(self, value: float) -> float:
        return self.begin + (self.scale(value) - self.least) / (self.most - self.least) * (self.end - self.begin)

    def marks(self) -> list[float]:
        """The values that the axis names: 1, 2 and 5 of each power of ten, or up to ten round numbers."""
        if self.scale is log10:
            powers = [10.0**power for power in range(int(self.least), int(self.most) + 1)]
            return [power * part for power in powers for part in (1, 2, 5) if power * part <= 10**self.most]
        power = 10.0 ** floor(log10(self.most))
        step = next(power * part for part in (0.1, 0.2, 0.5, 1) if self.most / (power * part) <= 10)
        return [step * number for number in range(int(self.most / step + 1e-9) + 1)]


def chart(title: str, across: str, up: str, series: Mapping[str, Points], *, is_log: bool = False) -> str:
    """Return an SVG document. A line joins the points of a series, and a single point is a dot.

    With `is_log` both axes are logarithmic, and all values are above 0.
    """
    points = [point for each in series.values() for point in each]
    horizontal = _Axis.over([x for x, _ in points], LEFT, WIDTH - RIGHT, is_log=is_log)
    vertical = _Axis.over([y for _, y in points], HEIGHT - BOTTOM, TOP, is_log=is_log)
    parts = [_text(title, LEFT, 20, 'font-weight="bold"')]
    for value in horizontal.marks():
        x = horizontal.place(value)
        parts += [_line(f"M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"), _text(f"{value:,g}", x, HEIGHT - 32, MIDDLE)]
    for value in vertical.marks():
        y = vertical.place(value)
        parts += [_line(f"M{LEFT} {y:.1f}H{WIDTH - RIGHT}"), _text(f"{value:,g}", LEFT - 8, y + 4, END)]
    parts += [_text(across, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, MIDDLE), _text(up, LEFT, 40)]
    for number, (name, values) in enumerate(series.items()):
        places = [(horizontal.place(x), vertical.place(y)) for x, y in values]
        parts += _drawn(name, places, COLOURS[number % len(COLOURS)], TOP + 14 + 20 * number)
    frame = f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12"'
    ground = '<rect width="100%" height="100%" fill="white"/>'
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {frame}>', ground, *parts, "</svg>", ""])


def _line(path: str, look: str = 'stroke="#ddd"') -> str:
    return f'<path d="{path}" fill="none" {look}/>'


def _text(text: str, x: float, y: float, look: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{escape(text)}</text>'


def _drawn(name: str, places: Points, colour: str, named_at: float) -> Iterator[str]:
    if len(places) > 1:
        yield _line("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places), f'stroke="{colour}" stroke-width="2"')
    else:
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>' for x, y in places)
    yield f'<rect x="{WIDTH - RIGHT + 12}" y="{named_at - 9:.0f}" width="10" height="10" fill="{colour}"/>'
    yield _text(name, WIDTH - RIGHT + 28, named_at)
