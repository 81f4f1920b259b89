"""The pause benchmark's curve as a drawing: false cut-offs against latency, a line a policy. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from softagent.lab.pause_replay import Point

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 190, 24, 56
"""Margins around the axes; the names of the policies stand in the right one."""
MOST_MS, MOST_PCT = 2000, 50
STEP_MS, STEP_PCT = 200, 10
COLOURS = ("#8a8a8a", "#1f6fb2", "#c45508", "#8f5fd0", "#0b8e5f", "#a01f5b")
"""Dark enough on white, light enough on black."""
INK = "#808080"


def curve_svg(points: Sequence[Point], *, target_pct: float, caption: str) -> str:
    """An SVG of `points`, with a line across at `target_pct` false cut-offs."""
    names = list(dict.fromkeys(one.policy for one in points))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f"<title>{escape(caption)}</title>",
        *_axes(),
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{_y(target_pct):.0f}" '
        f'y2="{_y(target_pct):.0f}" stroke="{INK}" stroke-dasharray="4 4"/>',
        _text(WIDTH - RIGHT + 6, _y(target_pct) + 4, f"{target_pct:g} %"),
    ]
    for number, name in enumerate(names):
        colour = COLOURS[number % len(COLOURS)]
        lines += _policy([one for one in points if one.policy == name], colour)
        label_y = TOP + 16 + 18 * number
        lines.append(
            f'<circle cx="{WIDTH - RIGHT + 12}" cy="{label_y - 4}" r="4" fill="{colour}"/>'
        )
        lines.append(_text(WIDTH - RIGHT + 22, label_y, name))
    return "\n".join([*lines, "</svg>", ""])


def _policy(points: Sequence[Point], colour: str) -> list[str]:
    """The points of one policy, joined where they are the settings of one dial."""
    shown = sorted(
        (one for one in points if one.false_cutoff_pct <= MOST_PCT and one.latency_ms <= MOST_MS),
        key=lambda one: one.latency_ms,
    )
    places = [(_x(one.latency_ms), _y(one.false_cutoff_pct)) for one in shown]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
    return [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>', *dots]


def _axes() -> list[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    lines = [
        f'<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="{INK}"/>',
        _text(
            (LEFT + right) / 2,
            HEIGHT - 14,
            "mean ms from the last word to the end of the turn",
            is_centred=True,
        ),
        f'<g transform="rotate(-90 16 {(TOP + bottom) / 2:.0f})">'
        f"{_text(16, (TOP + bottom) / 2, 'turns cut off, %', is_centred=True)}</g>",
    ]
    lines += [
        _text(_x(ms), bottom + 18, str(ms), is_centred=True)
        for ms in range(0, MOST_MS + 1, STEP_MS)
    ]
    for pct in range(0, MOST_PCT + 1, STEP_PCT):
        lines.append(_text(LEFT - 26, _y(pct) + 4, str(pct)))
        lines.append(
            f'<line x1="{LEFT}" x2="{right}" y1="{_y(pct):.0f}" y2="{_y(pct):.0f}" '
            f'stroke="{INK}" stroke-opacity="0.25"/>'
        )
    return lines


def _text(x: float, y: float, text: str, *, is_centred: bool = False) -> str:
    anchor = ' text-anchor="middle"' if is_centred else ""
    return f'<text x="{x:.0f}" y="{y:.0f}" fill="{INK}"{anchor}>{escape(text)}</text>'


def _x(ms: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * ms / MOST_MS


def _y(pct: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * pct / MOST_PCT
