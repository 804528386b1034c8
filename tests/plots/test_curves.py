"""Training curves: panels, lines and numbers, read from the SVG."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from seqkit.embeddings.vectors import Vectors
from seqkit.errors import BundleError, MissingInputError, UsageError
from seqkit.plots import plot_history
from seqkit.plots.canvas import drawing
from seqkit.plots.curves import _draw, _Run
from seqkit.progress import SILENT

SVG = "{http://www.w3.org/2000/svg}"

HISTORY: list[Any] = [
    {"epoch": 1, "loss": 4.0, "learning_rate": 0.02, "validation_loss": 3.0, "x_spearman": None},
    {"epoch": 2, "loss": 2.0, "learning_rate": 0.01, "validation_loss": 2.5, "x_spearman": 0.5},
    {"epoch": 3, "loss": 1.0, "learning_rate": 0.0, "validation_loss": 2.25, "x_spearman": 0.25},
]


def save(path: Path, history: list[Any]) -> Path:
    Vectors(["a", "b"], np.eye(2, dtype=np.float32)).save(path, history=history)
    return path


def texts(path: Path) -> list[str]:
    return [text.text or "" for text in ElementTree.fromstring(path.read_bytes()).iter(f"{SVG}text")]


def hints(path: Path) -> dict[str, str]:
    """What each marker of a page says, by its name."""
    page = path.read_text(encoding="utf-8")
    root = ElementTree.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])
    return {
        group.attrib["id"]: group[0].text or ""
        for group in root.iter(f"{SVG}g")
        if group.get("id", "").startswith("point-")
    }


@pytest.mark.parametrize("ending", ["png", "svg", "html"])
def test_the_same_bytes_twice(tmp_path: Path, ending: str) -> None:
    bundle = save(tmp_path / "run", HISTORY)
    files = [tmp_path / f"{name}.{ending}" for name in "ab"]
    for file in files:
        report = plot_history([bundle], file)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert report.measures == ["loss", "validation_loss", "x_spearman", "learning_rate"]
    assert (report.file, report.bundles, report.epochs) == (str(files[1]), 1, 3)


@pytest.mark.parametrize("names", [[f"run-{n}" for n in range(13)], ["n" * 40, "a" * 40], ["1" * 40] * 30])
@pytest.mark.parametrize("measures", [["loss"], ["loss", "validation_loss", "learning_rate"]])
def test_the_key_has_room(names: list[str], measures: list[str]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    runs = [_Run(name, {measure: ([1.0, 2.0], [3.0, 2.0]) for measure in measures}) for name in names]
    with drawing("", SILENT):
        figure, _ = _draw(runs, measures, "title")
        FigureCanvasAgg(figure).draw()
        [key] = figure.legends
        box = key.get_window_extent()
        tops = [axes.title.get_window_extent().y1 for axes in figure.axes]
        texts = [text.get_window_extent() for text in key.get_texts()]
    assert 0 <= box.x0 < min(text.x0 for text in texts)
    assert max(text.x1 for text in texts) <= figure.bbox.width
    assert max(tops) < min(text.y0 for text in texts)
    assert max(text.y1 for text in texts) < figure.texts[0].get_window_extent().y0


def test_a_number_beyond_float_is_left_out(tmp_path: Path) -> None:
    history = [{"epoch": 1, "loss": 2.0, "seen": 10**400}]
    assert plot_history([save(tmp_path / "run", history)], tmp_path / "h.svg").measures == ["loss"]


def test_every_number_is_there(tmp_path: Path) -> None:
    plot_history([save(tmp_path / "run", HISTORY)], tmp_path / "h.html")
    found = hints(tmp_path / "h.html")
    assert len(found) == 3 + 3 + 2 + 3  # one score is missing
    assert found["point-0-0-2"] == "run, epoch 2\nloss 2"
    assert found["point-2-0-3"] == "run, epoch 3\nx spearman 0.25"
    assert "point-2-0-1" not in found


def test_points_are_where_the_numbers_say(tmp_path: Path) -> None:
    plot_history([save(tmp_path / "run", HISTORY)], tmp_path / "h.svg")
    root = ElementTree.fromstring((tmp_path / "h.svg").read_bytes())
    places = {}
    for group in root.iter(f"{SVG}g"):
        if group.get("id", "").startswith("point-0-"):
            [use] = group.iter(f"{SVG}use")
            places[group.attrib["id"]] = np.array([float(use.attrib["x"]), float(use.attrib["y"])])
    first, second, third = (places[f"point-0-0-{epoch}"] for epoch in (1, 2, 3))
    assert (second - first)[0] == pytest.approx((third - second)[0], abs=1e-4)
    # The loss falls by 2, then by 1, and SVG counts downwards.
    assert (second - first)[1] == pytest.approx(2 * (third - second)[1], abs=1e-4)
    assert (second - first)[1] > 0


def test_several_bundles_are_overlaid(tmp_path: Path) -> None:
    runs = [save(tmp_path / name, HISTORY[:epochs]) for name, epochs in (("one", 3), ("_two$x$", 2))]
    report = plot_history([*runs, runs[0]], tmp_path / "h.svg")
    assert (report.bundles, report.epochs) == (2, 3)
    shown = texts(tmp_path / "h.svg")
    assert {"one", "_two$x$", "training of 2 bundles"} <= set(shown)
    assert shown.count("loss") == shown.count("validation loss") == shown.count("learning rate") == 1
    colours = set(re.findall(r"stroke: (#0072b2|#d55e00)", (tmp_path / "h.svg").read_text()))
    assert len(colours) == 2
    assert "<title>" not in (tmp_path / "h.svg").read_text()


def test_bundles_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    for folder in "ab":
        (tmp_path / folder).mkdir()
        save(tmp_path / folder / "run", HISTORY)
    plot_history([tmp_path / "a" / "run", tmp_path / "b" / "run"], tmp_path / "h.html")
    names = {hint.split(", epoch")[0] for hint in hints(tmp_path / "h.html").values()}
    assert len(names) == 2


@pytest.mark.parametrize(
    "history",
    [
        [{"epoch": 1, "loss": 1.0}],
        [{"loss": 1.0}, {"loss": 1.0}],
        [{"epoch": "first", "loss": 1.0}, {"epoch": 2, "loss": 2}],
        [3, {"epoch": 1, "loss": 1.0, "note": "text", "nested": {"a": 1}, "flag": True}],
        [{"epoch": e, "loss": 1 / e, "perplexity": 1e9 / e} for e in range(1, 120)],
    ],
)
def test_any_history_is_drawn(tmp_path: Path, history: list[Any]) -> None:
    report = plot_history([save(tmp_path / "run", history)], tmp_path / "h.svg")
    assert report.measures[0] == "loss"
    assert set(report.measures) <= {"loss", "perplexity"}


def test_what_is_refused(tmp_path: Path) -> None:
    run, imported = save(tmp_path / "run", HISTORY), save(tmp_path / "imported", [])
    with pytest.raises(BundleError, match="imported: has no history of its training"):
        plot_history([run, imported], tmp_path / "h.svg")
    with pytest.raises(MissingInputError):
        plot_history([tmp_path / "absent"], tmp_path / "h.svg")
    with pytest.raises(UsageError, match=r"\.png, \.svg, \.html"):
        plot_history([run], tmp_path / "h.pdf")
    with pytest.raises(UsageError, match="at least one"):
        plot_history([], tmp_path / "h.svg")
    assert not (tmp_path / "h.svg").exists()
