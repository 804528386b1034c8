"""Pictures of word vectors and of training, as PNG, SVG or one self-contained HTML page; needs matplotlib.

The extra `plot` installs what they need: `pip install 'seqkit[plot]'`. The same vectors, options and seed
give the same bytes.
"""

from seqkit.plots.curves import HistoryReport, plot_history
from seqkit.plots.groups import read_groups
from seqkit.plots.selection import MapConfig
from seqkit.plots.words import MapReport, plot_words

__all__ = ["HistoryReport", "MapConfig", "MapReport", "plot_history", "plot_words", "read_groups"]
