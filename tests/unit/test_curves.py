"""DVH curves as SVG: points are those of the DVHs, any name is text, the same bytes every time."""

from xml.etree import ElementTree

import numpy as np
import pytest

from rtgraph.preprocess.curves import HEIGHT, LEFT, TOP, WIDTH, Curve, curves_svg
from rtgraph.preprocess.dvh import Dvh
from rtgraph.preprocess.storeddvh import StoredDvh

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert('x')</script> & \"GTV\" ]]>\x1b[31m\x00\nOhr – 耳"


def dvh(low: float, high: float, n: int = 200, cc: float = 40.0) -> Dvh:
    """Return a DVH that falls evenly from one dose to another."""
    return Dvh(np.linspace(low, high, n), np.full(n, cc / n), cc)


def stored(edges: list[float], cumulative: list[float], number: int = 1) -> StoredDvh:
    return StoredDvh((number,), (), np.array(edges), np.array(cumulative), None, None, None, None)


def pixels(svg: str, name: str) -> np.ndarray:
    """Return the points of a path as they are drawn."""
    (path,) = [p for p in ElementTree.fromstring(svg).iter(f"{SVG}path") if p.get("id") == name]
    return np.array([p.split() for p in str(path.get("d"))[1:].split("L")], float)


def points(svg: str, name: str) -> np.ndarray:
    """Return the points of a path as Gy and percent, by the ticks that the image has."""
    xy = pixels(svg, name)
    at = [(float(t.text or ""), float(t.get("x") or ""))
          for t in ElementTree.fromstring(svg).iter(f"{SVG}text")
          if t.get("text-anchor") == "middle" and (t.text or "").replace(".", "").isdigit()]
    (d0, x0), (d1, x1) = min(at), max(at)
    return np.column_stack([d0 + (xy[:, 0] - x0) / (x1 - x0) * (d1 - d0),
                            (TOP + HEIGHT - xy[:, 1]) / HEIGHT * 100])


@pytest.mark.parametrize(("low", "high"), [(0.0, 2.3), (20.0, 66.4), (58.0, 61.0), (95.0, 103.0)])
def test_points_are_those_of_the_dvh(low: float, high: float) -> None:
    made = dvh(low, high)
    found = points(curves_svg([Curve(7, "PTV", made)], "case"), "computed-7")
    assert found[0] == pytest.approx((0, 100), abs=0.02)
    assert found[-1, 0] > high
    assert found[-1, 1] == pytest.approx(0, abs=0.02)
    for dose, percent in found:
        assert percent == pytest.approx(made.volume_of_dose(round(dose, 1)) / 40 * 100, abs=0.02)
    steep = np.linspace(low + 0.05, high, 57)
    shown = np.interp(steep, found[:, 0], found[:, 1])
    assert shown == pytest.approx([made.volume_of_dose(d) / 40 * 100 for d in steep], abs=6)


def test_stored_curves_are_dashed_and_in_percent() -> None:
    svg = curves_svg([Curve(1, "PTV", dvh(50, 60), stored([0, 50, 55, 62], [80, 80, 20])),
                      Curve(2, "Heart", dvh(0, 30))], "case")
    assert points(svg, "stored-1") == pytest.approx(
        np.array([(0, 100), (50, 100), (55, 25), (62, 0)]), abs=0.1)
    paths = {p.get("id"): p for p in ElementTree.fromstring(svg).iter(f"{SVG}path") if p.get("id")}
    assert sorted(map(str, paths)) == ["computed-1", "computed-2", "stored-1"]
    assert paths["stored-1"].get("stroke") == paths["computed-1"].get("stroke")
    assert paths["stored-1"].get("stroke") != paths["computed-2"].get("stroke")
    assert [k for k, p in paths.items() if p.get("stroke-dasharray")] == ["stored-1"]
    assert "dashed: stored with the dose" in svg
    assert "dashed" not in curves_svg([Curve(2, "Heart", dvh(0, 30))], "case")


def test_any_name_is_text_and_stays_inside() -> None:
    names = [HOSTILE, "A" * 300, "", "&amp;"]
    svg = curves_svg([Curve(k, n, dvh(0, 10 + k)) for k, n in enumerate(names)], HOSTILE)
    root = ElementTree.fromstring(svg)
    assert {e.tag.removeprefix(SVG) for e in root.iter()} == {
        "svg", "rect", "text", "path", "title"}
    texts = [t.text or "" for t in root.iter(f"{SVG}text")]
    assert any(t.startswith("<script>alert('x')</script> & \"GTV\"") for t in texts)
    assert "A" * 35 + "…" in texts
    assert "&amp;" in texts
    assert "\x1b" not in svg
    assert all(len(t) <= 40 for t in texts if "A" in t and "script" not in t)


@pytest.mark.parametrize("n", [1, 3, 60])
def test_everything_lies_on_the_image_with_axes_and_legend(n: int) -> None:
    curves = [Curve(k, f"ROI {k}", dvh(k / 2, 20 + k)) for k in range(1, n + 1)]
    svg = curves_svg(curves, "case")
    assert svg == curves_svg(curves, "case")
    root = ElementTree.fromstring(svg)
    width, height = float(root.get("width") or 0), float(root.get("height") or 0)
    texts = [(t.text, float(t.get("x") or 0), float(t.get("y") or 0))
             for t in root.iter(f"{SVG}text")]
    assert all(0 < x < width and 0 < y < height for _, x, y in texts)
    assert {"Dose in Gy", "Volume in %", *(f"ROI {k}" for k in range(1, n + 1))} <= {
        t for t, _, _ in texts}
    for curve in curves:
        x, y = pixels(svg, f"computed-{curve.number}").T
        assert LEFT <= x.min() <= x.max() <= LEFT + WIDTH
        assert TOP <= y.min() <= y.max() <= TOP + HEIGHT
    colours = [p.get("stroke") for p in root.iter(f"{SVG}path") if p.get("id")]
    assert len(set(colours)) == n


def test_an_roi_without_dose_is_named_and_at_zero() -> None:
    outside = Dvh(np.zeros(0), np.zeros(0), 12.0)
    svg = curves_svg([Curve(1, "Outside", outside), Curve(2, "Nothing", Dvh.nothing()),
                      Curve(3, "Empty", dvh(0, 5), stored([0.0, 1.0], [0.0]))], "case")
    assert not points(svg, "computed-1")[:, 1].any()
    assert 'id="computed-2"' not in svg
    assert 'id="stored-3"' not in svg
    assert "Nothing" in svg
