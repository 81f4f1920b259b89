"""The curve of the pause benchmark is a drawing that any viewer of SVG takes."""

from __future__ import annotations

from xml.etree import ElementTree

from softagent.lab.pause_curve import curve_svg
from softagent.lab.pause_replay import Point

SVG = "{http://www.w3.org/2000/svg}"


def point(policy: str, false_cutoff_pct: float, latency_ms: float) -> Point:
    return Point(policy, false_cutoff_pct, latency_ms, 0, 0, 0)


def drawn(*points: Point) -> ElementTree.Element:
    return ElementTree.fromstring(curve_svg(points, target_pct=5, caption="a < b"))


def test_each_policy_is_a_line_with_its_name() -> None:
    svg = drawn(
        point("silence", 40, 500), point("silence", 10, 1000), point("words & sound", 5, 700)
    )
    lines = svg.findall(f"{SVG}polyline")
    assert [len(line.attrib["points"].split()) for line in lines] == [2, 1]
    assert {"silence", "words & sound"} <= {text.text for text in svg.iter(f"{SVG}text")}
    assert svg.findtext(f"{SVG}title") == "a < b"


def test_further_down_is_fewer_cut_off_and_further_left_is_sooner() -> None:
    svg = drawn(point("p", 40, 500), point("p", 10, 1000))
    places = svg.find(f"{SVG}polyline").attrib["points"].split()  # type: ignore[union-attr]
    (x1, y1), (x2, y2) = (map(float, place.split(",")) for place in places)
    assert x1 < x2
    assert y1 < y2


def test_what_lies_outside_is_left_out() -> None:
    svg = drawn(point("p", 80, 500), point("p", 10, 5000), point("p", 10, 500))
    assert len(svg.find(f"{SVG}polyline").attrib["points"].split()) == 1  # type: ignore[union-attr]
