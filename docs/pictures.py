"""Draw the pictures of the README and the documentation: python docs/pictures.py [DEMO_DIR].

Needs Chromium, and playwright from the extra ``test``.
"""

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from matplotlib.figure import Figure
from playwright.sync_api import sync_playwright

from ztfml import Model, Night, plots
from ztfml.ranking import TERMS

IMAGES = Path(__file__).parent / "images"
PAGE = {"x": 0, "y": 0, "width": 1400, "height": 1900}


def paint_stamps():
    """Draw cutouts of a source next to a galaxy; simulated nights have none."""
    rng = np.random.default_rng(4)
    row, column = np.mgrid[:63, :63] - 31.0

    def source(east, north, flux, width=1.1):
        return flux * np.exp(-((column + east) ** 2 + (row + north) ** 2) / 2 / width**2)

    host = source(-2.2, 3.0, 260, 1.6) + source(-2.2, 3.0, 110, 3.2)
    field = host + source(17, -14, 2600) + source(-22, 19, 300) + source(-9, -21, 90)
    new = source(0, 0, 170)
    return SimpleNamespace(
        science=field + new + rng.normal(0, 9, field.shape),
        reference=field + rng.normal(0, 5, field.shape),
        difference=new + rng.normal(0, 10, field.shape),
    )


def draw(demo):
    """Draw the light curve and the panel of the first object of the ranked list."""
    night = Night.load(sorted(demo.glob("ztf_alerts_*[0-9].parquet"))[-1])
    best = Model.load(demo / "model").rank(night, top=1).iloc[0]
    fig, (ax,) = plots.figure()
    plots.light_curve(night, best["objectId"], ax)
    plots.save(fig, IMAGES / "light_curve.png")
    fig = Figure(figsize=(12, 8), layout="constrained")
    plots.candidate(fig, night, best, paint_stamps())
    plots.save(fig, IMAGES / "panel.png")


def draw_terms():
    """Draw each term of the ranking."""
    fig, axes = plots.figure(len(TERMS), width=4.0, height=2.7, n_columns=4)
    for ax, name in zip(axes, TERMS, strict=True):
        plots.term_shape(ax, name)
    for ax in fig.axes[len(TERMS) :]:
        ax.remove()
    plots.save(fig, IMAGES / "ranking_terms.png")


def photograph(page):
    """Photograph the top of the page of the night, in light colours."""
    with sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        tab = browser.new_page(
            viewport={"width": PAGE["width"], "height": 1500}, color_scheme="light"
        )
        tab.goto(page.resolve().as_uri())
        tab.screenshot(path=IMAGES / "page.png", full_page=True, clip=PAGE)
        browser.close()


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo")
    draw(folder)
    draw_terms()
    photograph(folder / "night.html")
