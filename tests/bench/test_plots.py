"""The plots are well-formed, labelled, and place their points where the numbers say."""

import re
from xml.etree import ElementTree as ET

import pytest

from rag_edit.bench.plots import HEIGHT, LEFT, PLOT_H, PLOT_W, TOP, Series, reliability_svg, risk_coverage_svg
from rag_edit.scope.risk import Bin, Point

SERIES = [
    Series("product", (Point(0.9, 0.5, 0.0), Point(0.5, 1.0, 0.01)), (Point(0.5, 1.0, 0.01),)),
    Series("nearest & <best>", ()),
]


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter() if element.tag.endswith("text")]


def test_axes_title_and_legend_are_labelled_and_escaped() -> None:
    found = texts(risk_coverage_svg(SERIES, title="Risk", risk=0.01))
    assert {"Risk", "questions in scope routed to their own record", "nearest & <best>", "1 %", "100 %"} <= set(found)


def test_full_coverage_at_the_asked_risk_lies_on_the_dashed_line_at_the_right() -> None:
    svg = risk_coverage_svg(SERIES, title="Risk", risk=0.01)
    dot = re.search(r'<circle cx="([\d.]+)" cy="([\d.]+)"', svg)
    line = re.search(r'class="goal" x1="\d+" y1="([\d.]+)"', svg)
    assert dot is not None
    assert line is not None
    assert (float(dot[1]), dot[2]) == (LEFT + PLOT_W, line[1])


def test_a_risk_of_nothing_lies_on_the_axis() -> None:
    svg = risk_coverage_svg([Series("p", (), (Point(1, 0.0, 0.0),))], title="t", risk=0.01)
    assert f'<circle cx="{LEFT:.1f}" cy="{TOP + PLOT_H:.1f}"' in svg


def test_reliability_draws_a_bar_a_bin_with_its_count() -> None:
    svg = reliability_svg([Bin(0.0, 219, 0.01, 0.0), Bin(0.9, 26, 0.98, 1.0)], 0.0179, title="Reliability")
    assert {"219", "26", "245 questions", "calibration error 0.0179"} <= set(texts(svg))
    assert len(re.findall(r"<rect", svg)) == 3  # paper and two bars


@pytest.mark.parametrize("svg", [risk_coverage_svg([], title="t", risk=0.01), reliability_svg([], 0.0, title="t")])
def test_nothing_is_drawn_well_formed_for_light_and_dark(svg: str) -> None:
    assert "prefers-color-scheme:dark" in svg
    assert ET.fromstring(svg).get("viewBox", "").endswith(f" {HEIGHT}")
