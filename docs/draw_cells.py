"""Draw the pictures of the cells, docs/images/cell-*.svg.

    python docs/draw_cells.py

Blue is a gate, σ of a product; orange is a tanh; a circle works element by element; lines that meet in a dot
are one vector, or, where the state meets x⟨t⟩, both end to end.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seqkit.plots.canvas import INK, MUTED, PALETTE, drawing, new_figure, save
from seqkit.progress import SILENT

IMAGES = Path(__file__).parent / "images"
GATE, CANDIDATE, OUTPUT = PALETTE[0], PALETTE[1], PALETTE[2]
PAPER = "#f6f6f6"
Point = tuple[float, float]


class Sketch:
    """A drawing of boxes, circles and lines on axes whose unit is the same in both directions."""

    def __init__(self, axes: Any, width: float, height: float, title: str = "") -> None:
        self.axes = axes
        axes.set(xlim=(-1, width + 1), ylim=(-0.8, height), aspect="equal", title=title)
        axes.axis("off")

    def frame(self, left: float, bottom: float, right: float, top: float) -> None:
        """The border of the cell."""
        place = (left, bottom, right - left, top - bottom)
        self._patch(*place, PAPER, PAPER, zorder=0, rounding=0.25)
        self._patch(*place, "none", MUTED, zorder=2, rounding=0.25)

    def box(self, at: Point, text: str, color: str, width: float = 1.0) -> None:
        """What has weights."""
        self._patch(at[0] - width / 2, at[1] - 0.4, width, 0.8, "white", color, zorder=3, rounding=0.1)
        self.text(at, text)

    def circle(self, at: Point, text: str) -> None:
        """What works element by element."""
        from matplotlib.patches import Circle

        self.axes.add_patch(Circle(at, 0.27, facecolor="white", edgecolor=INK, linewidth=1.1, zorder=3))
        self.text(at, text, fontsize=9)

    def line(self, *points: Point, arrow: bool = True, dashed: bool = False) -> None:
        """A line from point to point; where it crosses another, it passes above."""
        x, y = zip(*points, strict=True)
        self.axes.plot(x, y, color=PAPER, linewidth=5, zorder=1, solid_capstyle="butt")
        self.axes.plot(x, y, color=INK, linewidth=1.2, linestyle="--" if dashed else "-", zorder=2)
        if arrow:
            style = {"arrowstyle": "-|>", "color": INK, "linewidth": 0, "shrinkA": 0, "shrinkB": 0}
            (before_x, before_y), (end_x, end_y) = points[-2:]
            length = abs(end_x - before_x) + abs(end_y - before_y)
            near = (end_x - 0.01 * (end_x - before_x) / length, end_y - 0.01 * (end_y - before_y) / length)
            self.axes.annotate("", points[-1], near, arrowprops=style, zorder=2)

    def dot(self, at: Point) -> None:
        """Where a line branches or two vectors are put end to end."""
        self.axes.plot(*at, "o", color=INK, markersize=4, zorder=3)

    def text(self, at: Point, text: str, **options: Any) -> None:
        """Writing, in the middle of a point by default."""
        self.axes.text(*at, text, **{"ha": "center", "va": "center", "zorder": 4, **options})

    def _patch(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        face: str,
        edge: str,
        *,
        zorder: int,
        rounding: float,
    ) -> None:
        from matplotlib.patches import FancyBboxPatch

        style = f"round,pad=0,rounding_size={rounding}"
        look = {"facecolor": face, "edgecolor": edge, "linewidth": 1.5, "zorder": zorder}
        self.axes.add_patch(FancyBboxPatch((x, y), width, height, boxstyle=style, **look))


def rnn(figure: Any) -> None:
    """One layer that sees its last output, and W_y for those who ask for it."""
    sketch = Sketch(figure.subplots(), 6, 3.6)
    sketch.frame(0.6, 0.3, 5.4, 3.0)
    sketch.line((0, 1), (2.1, 1), (2.25, 1))
    sketch.line((1.4, -0.3), (1.4, 1), arrow=False)
    sketch.line((3.9, 1), (6, 1))
    sketch.line((4.6, 1), (4.6, 1.7), dashed=True)
    sketch.line((4.6, 2.5), (4.6, 3.5), dashed=True)
    sketch.dot((1.4, 1))
    sketch.dot((4.6, 1))
    sketch.box((3.1, 1), r"$g(W_a\cdot + b_a)$", CANDIDATE, 1.7)
    sketch.box((4.3, 2.1), r"$g_y(W_y\cdot + b_y)$", OUTPUT, 1.9)
    sketch.text((-0.1, 1), r"$a^{\langle t-1\rangle}$", ha="right")
    sketch.text((6.1, 1), r"$a^{\langle t\rangle}$", ha="left")
    sketch.text((1.4, -0.5), r"$x^{\langle t\rangle}$")
    sketch.text((4.8, 3.4), r"$\hat{y}^{\langle t\rangle}$", ha="left")
    sketch.text((1.45, 1.25), r"$[a, x]$", color=MUTED, ha="left", fontsize=9)


def gru(figure: Any) -> None:
    """The three forms, side by side."""
    for axes, variant in zip(figure.subplots(1, 3), ("simplified", "full", "reset-after"), strict=True):
        sketch = Sketch(axes, 8, 6.8, variant)
        sketch.frame(0.4, 0.1, 7.6, 6.6)
        _gru_mixing(sketch)
        if variant == "simplified":
            sketch.line((4.6, 1.2), (6.5, 1.2), (6.5, 1.9))
            sketch.dot((4.6, 1.2))
        else:
            _gru_relevance(sketch, variant == "reset-after")


def _gru_mixing(sketch: Sketch) -> None:
    """What all forms have: Γ_u between c̃ and c⟨t-1⟩."""
    sketch.line((0, 6), (8, 6))
    sketch.line((1.1, 6), (1.1, 1.2), (4.6, 1.2), (4.6, 1.9))
    sketch.line((1.8, -0.3), (1.8, 1.2), arrow=False)
    sketch.line((4.6, 2.7), (4.6, 5.73))
    sketch.line((4.6, 4.3), (6.23, 4.3))
    sketch.line((6.5, 2.7), (6.5, 4.03))
    sketch.line((6.5, 4.57), (6.5, 5.73))
    for at in ((1.1, 6), (1.8, 1.2), (4.6, 4.3)):
        sketch.dot(at)
    sketch.box((4.6, 2.3), r"$\Gamma_u$: $\sigma$", GATE)
    sketch.box((6.5, 2.3), r"$\tilde{c}$: tanh", CANDIDATE, 1.5)
    for at, sign in (((4.6, 6), "×"), ((6.5, 6), "+"), ((6.5, 4.3), "×"), ((4.6, 5.15), "1−")):
        sketch.circle(at, sign)
    sketch.text((-0.05, 6), r"$c^{\langle t-1\rangle}$", ha="right")
    sketch.text((8.05, 6), r"$c^{\langle t\rangle}$", ha="left")
    sketch.text((1.8, -0.5), r"$x^{\langle t\rangle}$")
    sketch.text((1.95, 1.42), r"$[c, x]$", color=MUTED, ha="left", fontsize=9)


def _gru_relevance(sketch: Sketch, after: bool) -> None:
    """Γ_r, and the way of c⟨t-1⟩ through it into c̃; c̃ has x⟨t⟩ from below."""
    sketch.line((3.0, 1.2), (3.0, 1.9))
    sketch.line((1.8, 0.5), (6.5, 0.5), (6.5, 1.9))
    sketch.line((3.0, 6), (3.0, 3.87))
    sketch.line((3.0, 2.7), (3.0, 3.33))
    sketch.line((3.27, 3.6), (5.33, 3.6), (5.33, 2.3), (5.75, 2.3))
    for at in ((3.0, 1.2), (1.8, 0.5), (3.0, 6)):
        sketch.dot(at)
    sketch.box((3.0, 2.3), r"$\Gamma_r$: $\sigma$", GATE)
    sketch.circle((3.0, 3.6), "×")
    if after:
        sketch.box((3.0, 4.85), r"$W_{cc}\cdot + b_{cc}$", CANDIDATE, 2.15)


def lstm(figure: Any) -> None:
    """The cell above, its output below, four products between them."""
    sketch = Sketch(figure.subplots(), 11, 6.2)
    sketch.frame(0.4, 0.2, 10.6, 6.0)
    sketch.line((0, 5.4), (11, 5.4))
    sketch.line((0, 1.1), (7.9, 1.1), (7.9, 1.8))
    sketch.line((1.2, -0.3), (1.2, 1.1), arrow=False)
    for x in (2.6, 4.4, 6.2):
        sketch.line((x, 1.1), (x, 1.8))
        sketch.dot((x, 1.1))
    sketch.line((2.6, 2.6), (2.6, 5.13))
    sketch.line((4.4, 2.6), (4.4, 3.9), (5.93, 3.9))
    sketch.line((6.2, 2.6), (6.2, 3.63))
    sketch.line((6.2, 4.17), (6.2, 5.13))
    sketch.line((7.9, 2.6), (7.9, 3.2), (9.03, 3.2))
    sketch.line((9.3, 5.4), (9.3, 3.47))
    sketch.line((9.3, 2.93), (9.3, 1.1), (11, 1.1))
    sketch.dot((1.2, 1.1))
    sketch.dot((9.3, 5.4))
    for x, gate in ((2.6, "f"), (4.4, "u"), (7.9, "o")):
        sketch.box((x, 2.2), rf"$\Gamma_{gate}$: $\sigma$", GATE)
    sketch.box((6.2, 2.2), r"$\tilde{c}$: tanh", CANDIDATE, 1.5)
    for at, sign in (((2.6, 5.4), "×"), ((6.2, 5.4), "+"), ((6.2, 3.9), "×"), ((9.3, 3.2), "×")):
        sketch.circle(at, sign)
    sketch.box((9.3, 4.4), "tanh", MUTED)
    sketch.text((-0.1, 5.4), r"$c^{\langle t-1\rangle}$", ha="right")
    sketch.text((11.1, 5.4), r"$c^{\langle t\rangle}$", ha="left")
    sketch.text((-0.1, 1.1), r"$a^{\langle t-1\rangle}$", ha="right")
    sketch.text((11.1, 1.1), r"$a^{\langle t\rangle}$", ha="left")
    sketch.text((1.2, -0.5), r"$x^{\langle t\rangle}$")
    sketch.text((1.3, 1.35), r"$[a, x]$", color=MUTED, ha="left", fontsize=9)


PICTURES = {
    "rnn": (rnn, 5.6, 3.2, "One step of the RNN"),
    "gru": (gru, 13.0, 3.7, "One step of the GRU: simplified, full and reset-after"),
    "lstm": (lstm, 9.0, 4.9, "One step of the LSTM"),
}


def main(folder: Path = IMAGES) -> None:
    """Draws all of them."""
    import matplotlib

    for name, (draw, width, height, title) in PICTURES.items():
        style = {"svg.fonttype": "path", "mathtext.fontset": "dejavusans", "font.size": 10.5}
        with drawing("×σ", SILENT), matplotlib.rc_context(style):
            figure = new_figure(width, height)
            draw(figure)
            figure.tight_layout(pad=0.3)
            save(figure, folder / f"cell-{name}.svg", title, {}, {})


if __name__ == "__main__":
    main()
