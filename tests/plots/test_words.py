"""Maps of words: what is on them, read from the SVG; bytes, escaping, fonts, refusals."""

from __future__ import annotations

import html.parser
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from helpers import Told
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import UnavailableError, UnknownWordError, UsageError
from seqkit.plots import MapConfig, plot_words
from seqkit.plots.canvas import drawing
from seqkit.plots.drawing import draw_map
from seqkit.plots.projection import Projection
from seqkit.plots.selection import select
from seqkit.progress import SILENT

SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"
HOSTILE = ["</text><script>x", "a&b", "\"q'", "$x_2$ \\frac", "_hidden", "\x1b[31m\n", "]]>", "{title}"]


def random_vectors(n: int, size: int = 12) -> Vectors:
    matrix = np.random.default_rng(0).normal(size=(n, size)).astype(np.float32)
    return Vectors([f"word{index}" for index in range(n)], matrix, np.arange(n, 0, -1) ** 2)


# Two features, gender and royalty: pairs differ by the same vector.
ROYAL = Vectors(
    ["man", "woman", "king", "queen", "prince", "princess"],
    np.array([[1, 0, 3], [-1, 0, 3], [1, 1, 3], [-1, 1, 3], [1, 0.5, 3], [-1, 0.5, 3]], np.float32),
    [9, 8, 7, 6, 5, 4],
)


def drawn(vectors: Vectors, config: MapConfig, heading: str) -> Any:
    """A map as a figure of matplotlib, its places known."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    selection = select(vectors, [], config)
    points = np.random.default_rng(1).normal(size=(len(selection.ids), 2))
    shown = [vectors.words[index] for index in selection.ids]
    counts = None if vectors.counts is None else vectors.counts[selection.ids]
    with drawing("", SILENT):
        figure, _ = draw_map(selection, Projection(points, "tsne", None), shown, counts, heading)
        FigureCanvasAgg(figure).draw()
    return figure


def test_the_key_has_room_for_all_groups() -> None:
    groups = {f"{'GROUP' * 3}{number}": [f"word{number}"] for number in range(50)}
    figure = drawn(random_vectors(60), MapConfig(groups=groups), "heading")
    boxes = [text.get_window_extent() for text in figure.axes[0].get_legend().get_texts()]
    assert len(boxes) == 50
    assert max(box.x1 for box in boxes) <= figure.bbox.width
    assert min(box.y0 for box in boxes) >= 0


@pytest.mark.parametrize("length", [10, 80, 90])
def test_a_heading_ends_before_the_scale_of_counts(length: int) -> None:
    figure = drawn(random_vectors(40), MapConfig(), "W" * length)
    heading, caption, count = figure.texts
    assert (caption.get_text()[:5], count.get_text()) == ("t-SNE", "count")
    assert heading.get_text().rstrip("…") in "W" * length
    assert heading.get_window_extent().x1 < count.get_window_extent().x0
    assert len(heading.get_text()) >= min(length, 30)


def test_control_characters_in_names_have_a_font(tmp_path: Path) -> None:
    """They are drawn as escapes."""
    told = Told()
    groups = MapConfig(groups={"a\n\x1b[31mb": ["word1", "word2"]})
    plot_words(random_vectors(5), tmp_path / "g.svg", config=groups, progress=told)
    assert not told.messages


def read(path: Path) -> ElementTree.Element:
    return ElementTree.fromstring(path.read_bytes())


def labels_of(root: ElementTree.Element) -> dict[str, ElementTree.Element]:
    """The texts of the words by number."""
    return {
        group.attrib["id"]: text
        for group in root.iter(f"{SVG}g")
        if group.get("id", "").startswith("label-")
        for text in group.iter(f"{SVG}text")
    }


def points_of(root: ElementTree.Element) -> dict[str, tuple[float, float, str]]:
    """Place and fill of each marker."""
    found = {}
    for group in root.iter(f"{SVG}g"):
        if group.get("id", "").startswith("point-"):
            [use] = group.iter(f"{SVG}use")
            fill = re.search(r"fill: (#\w+)", use.attrib["style"])
            assert fill
            found[group.attrib["id"]] = (float(use.attrib["x"]), float(use.attrib["y"]), fill[1])
    return found


@pytest.mark.parametrize("ending", ["png", "svg", "html"])
@pytest.mark.parametrize("projection", ["pca", "tsne"])
def test_the_same_bytes_twice(tmp_path: Path, ending: str, projection: Any) -> None:
    config = MapConfig(n=40, projection=projection, seed=4)
    files = [tmp_path / f"{name}.{ending}" for name in "ab"]
    for file in files:
        plot_words(random_vectors(60), file, config=config)
    first, second = (file.read_bytes() for file in files)
    assert first == second
    assert not re.search(rb"20\d\d-\d\d-\d\d|matplotlib\.org|Software", first)


def test_a_png_is_one(tmp_path: Path) -> None:
    from matplotlib.image import imread

    plot_words(random_vectors(20), tmp_path / "m.PNG")
    pixels = imread(tmp_path / "m.PNG", format="png")
    assert pixels.shape[1] == 1500  # 10 inches at 150 dots
    assert np.ptp(pixels) > 0.5


def test_the_most_frequent_words_are_shown(tmp_path: Path) -> None:
    vectors = Vectors(["rare", "often", "never", "always"], np.eye(4, dtype=np.float32), [1, 5, 0, 9])
    report = plot_words(vectors, tmp_path / "m.svg", config=MapConfig(n=2), title="toy")
    assert (report.words, report.labels, report.projection) == (2, 2, "pca")
    root = read(tmp_path / "m.svg")
    assert {text.text for text in labels_of(root).values()} == {"always", "often"}
    assert root.get("aria-label") == "toy: the 2 most frequent words"


def boxes_of(root: ElementTree.Element, size: float) -> list[tuple[float, float, float, float]]:
    """Boxes of the labels: the width that the viewer must keep, the font's size above the baseline."""
    boxes = []
    for text in labels_of(root).values():
        x, y = float(text.attrib["x"]), float(text.attrib["y"])
        boxes.append((x, y - size * 0.75, x + float(text.attrib["textLength"]), y))
    return boxes


@pytest.mark.parametrize("n", [30, 120])
def test_no_two_drawn_labels_overlap(tmp_path: Path, n: int) -> None:
    plot_words(random_vectors(n), tmp_path / "m.svg", config=MapConfig(n=n))
    boxes = boxes_of(read(tmp_path / "m.svg"), 10 if n <= 60 else 8.5)
    assert len(boxes) > n / 2
    for index, one in enumerate(boxes):
        for other in boxes[index + 1 :]:
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_labels_without_room_are_counted(tmp_path: Path) -> None:
    matrix = np.tile(np.float32([1, 0]), (120, 1))  # all in one place
    vectors, told = Vectors([f"long word {index}" for index in range(120)], matrix), Told()
    report = plot_words(vectors, tmp_path / "m.svg", config=MapConfig(projection="pca"), progress=told)
    assert 0 < report.labels < report.words == 120
    assert len(labels_of(read(tmp_path / "m.svg"))) == report.labels
    assert told.messages == [
        f"{120 - report.labels} of 120 words have no label, for lack of room; show fewer"
    ]


def test_arrows_of_pairs_are_parallel(tmp_path: Path) -> None:
    pairs = [("man", "woman"), ("king", "queen"), ("prince", "princess")]
    plot_words(ROYAL, tmp_path / "m.svg", config=MapConfig(pairs=pairs))
    places = [np.array(place[:2]) for place in points_of(read(tmp_path / "m.svg")).values()]
    assert len(places) == 6
    # Words stand in the order of the pairs. man-woman is (-2, 0, 0) / sqrt(10); for king-queen and
    # prince-princess the direction is the same, so the three arrows have the same direction in any plane.
    directions = [(b - a) / np.linalg.norm(b - a) for a, b in zip(places[::2], places[1::2], strict=True)]
    np.testing.assert_allclose(directions[1:], [directions[0]] * 2, atol=1e-4)


def test_other_words_do_not_turn_the_plane_of_the_pairs(tmp_path: Path) -> None:
    vectors = Vectors([*ROYAL.words, "far"], np.vstack([ROYAL.matrix, np.float32([[0, -9, -3]])]))
    captions = []
    for words in ([], ["far"]):
        config = MapConfig(pairs=[("man", "woman"), ("king", "queen")])
        plot_words(vectors, tmp_path / "m.svg", words, config, overwrite=True)
        texts = [text.text or "" for text in read(tmp_path / "m.svg").iter(f"{SVG}text")]
        captions += [text for text in texts if text.startswith("PCA: ")]
    assert captions[0] == captions[1]


def test_neighbours_have_the_colour_of_their_word(tmp_path: Path) -> None:
    # a1 and a2 are near a, b1 and b2 near b, c near neither.
    matrix = np.array(
        [[1, 0, 0], [0, 1, 0], [1, 0.1, 0], [1, 0.2, 0], [0.1, 1, 0], [0.2, 1, 0], [0, 0, 1]], np.float32
    )
    vectors = Vectors(["a", "b", "a1", "a2", "b1", "b2", "c"], matrix)
    plot_words(vectors, tmp_path / "m.svg", ["a", "b"], MapConfig(neighbours=2))
    root = read(tmp_path / "m.svg")
    colours = {
        labels_of(root)[f"label-{number}"].text: points_of(root)[f"point-{number}"][2] for number in range(6)
    }
    assert colours["a"] == colours["a1"] == colours["a2"]
    assert colours["b"] == colours["b1"] == colours["b2"] != colours["a"]
    assert set(colours) == {"a", "b", "a1", "a2", "b1", "b2"}


def test_groups_have_colours_and_a_key(tmp_path: Path) -> None:
    groups = {"royals": ["king", "queen"], "_o$x$": ["man"]}
    plot_words(ROYAL, tmp_path / "m.svg", ["king", "queen", "man", "woman"], MapConfig(groups=groups))
    root = read(tmp_path / "m.svg")
    king, queen, man, woman = (points_of(root)[f"point-{number}"][2] for number in range(4))
    assert king == queen
    assert len({king, man, woman}) == 3
    assert {"royals", "_o$x$"} <= {text.text for text in root.iter(f"{SVG}text")}
    report = plot_words(ROYAL, tmp_path / "n.svg", config=MapConfig(groups=groups))
    assert report.words == 3


class Tags(html.parser.HTMLParser):
    """Collects the tags, the attributes that could load something, and all text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.targets: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.targets += [value or "" for name, value in attrs if name.endswith(("href", "src"))]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_is_self_contained_and_says_what_a_word_is(tmp_path: Path) -> None:
    vectors = Vectors(
        HOSTILE, np.random.default_rng(2).normal(size=(8, 4)).astype(np.float32), range(1008, 1000, -1)
    )
    plot_words(vectors, tmp_path / "m.html", title="<b>&\x1b")
    page = (tmp_path / "m.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(page)
    assert not tags.tags & {"script", "b", "img", "link", "iframe"}
    assert all(target.startswith("#") for target in tags.targets)
    assert "default-src 'none'" in page
    assert not re.search("[\x00-\x09\x0b-\x1f]", page)
    root = ElementTree.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])
    titles = [title.text or "" for title in root.iter(f"{SVG}title")]
    assert len(titles) == 16  # point and label of each
    shown = [line.replace("\x1b", "\\x1b").replace("\n", "\\n") for line in HOSTILE]
    assert {title.splitlines()[0] for title in titles} == set(shown)
    assert {text.text for text in labels_of(root).values()} == set(shown)
    # The cosine by hand for the first: the nearest stands first.
    unit = vectors.matrix / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)
    cosines = (unit @ unit[0])[1:]
    nearest = shown[1 + int(cosines.argmax())]
    first = next(title for title in titles if title.startswith(shown[0]))
    assert first.splitlines()[1] == "count 1,008"
    assert first.splitlines()[2].startswith(f"nearest: {nearest} {cosines.max():.2f}")


def test_svg_keeps_text_as_text(tmp_path: Path) -> None:
    plot_words(ROYAL, tmp_path / "m.svg")
    root = read(tmp_path / "m.svg")
    assert {text.text for text in labels_of(root).values()} == set(ROYAL.words)
    assert not list(root.iter(f"{SVG}title"))
    for use in root.iter(f"{SVG}use"):
        assert use.attrib[f"{XLINK}href"].startswith("#")


def test_scripts_without_a_font_are_one_message(tmp_path: Path) -> None:
    # The private use area is in no font but Last Resort.
    words = ["\ue000\ue001", "\ue001x", "plain", "слово"]
    vectors, told = Vectors(words, np.eye(4, dtype=np.float32)), Told()
    for ending in ("png", "svg"):
        told.messages.clear()
        report = plot_words(vectors, tmp_path / f"m.{ending}", progress=told)
        assert report.labels == 4
        assert told.messages == []  # private characters are escaped like controls
    vectors = Vectors(["𒀀𒀁", "plain", "word"], np.eye(3, dtype=np.float32))
    for ending in ("png", "svg", "html"):
        told.messages.clear()
        plot_words(vectors, tmp_path / f"n.{ending}", progress=told)
        assert len(told.messages) == 1
        assert "no installed font has 2 of the characters" in told.messages[0]
    texts = {text.text: text for text in labels_of(read(tmp_path / "n.svg")).values()}
    assert "textLength" not in texts["𒀀𒀁"].attrib  # its width is not known
    assert "textLength" in texts["plain"].attrib


def test_a_users_matplotlibrc_changes_nothing(tmp_path: Path) -> None:
    import matplotlib

    plot_words(ROYAL, tmp_path / "a.svg")
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path", "axes.facecolor": "black"}):
        before = dict(matplotlib.rcParams)
        plot_words(ROYAL, tmp_path / "b.svg")
        assert dict(matplotlib.rcParams) == before
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 1}, "n is 1"),
        ({"neighbours": -1}, "neighbours is -1"),
        ({"seed": -1}, "seed is -1"),
        ({"projection": "umap"}, "projection is one of pca, tsne, spectral, not 'umap'"),
        ({"projection": "tsne", "pairs": [("a", "b")]}, "only in PCA"),
        ({"neighbours": 2, "pairs": [("a", "b")]}, "choose one"),
        ({"neighbours": 2, "groups": {"g": ["a"]}}, "choose one"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        MapConfig(**options)


def test_what_is_refused(tmp_path: Path) -> None:
    for words, config, message in [
        ([], MapConfig(neighbours=3), "neighbours of which words"),
        (["king", "king"], MapConfig(), "two different words"),
        ([], MapConfig(pairs=[("king", "king")]), "two different words"),
    ]:
        with pytest.raises(UsageError, match=message):
            plot_words(ROYAL, tmp_path / "m.svg", words, config)
    with pytest.raises(UnknownWordError, match="nearest spellings: king"):
        plot_words(ROYAL, tmp_path / "m.svg", ["kng", "queen"])
    (tmp_path / "there.svg").write_text("mine")
    (tmp_path / "folder.svg").mkdir()
    for name, message in [
        ("m.pdf", r"\.png, \.svg, \.html"),
        ("m", "a picture ends"),
        ("there.svg", "--overwrite"),
        ("folder.svg", "is a directory"),
    ]:
        with pytest.raises(UsageError, match=message):
            plot_words(ROYAL, tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.svg", "there.svg"]
    assert (tmp_path / "there.svg").read_text() == "mine"
    plot_words(ROYAL, tmp_path / "there.svg", overwrite=True)
    assert (tmp_path / "there.svg").read_text().startswith("<svg")


@pytest.mark.parametrize("projection", ["pca", "tsne"])
def test_a_missing_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, projection: Any) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.style", None)
    with pytest.raises(UnavailableError, match=r"pip install 'seqkit\[plot\]'"):
        plot_words(ROYAL, tmp_path / "m.svg", config=MapConfig(projection=projection))
