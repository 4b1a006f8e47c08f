"""Picture the viewer as viewer.png, with what `make demo` made.

    python docs/figures/viewer.py demo

The sequences are the first translated one, its simulation and the first recording: chosen by name, not by looks. The
units are those that `identify` finds in the simulation, the frame is the one in which the simulation moves most. Needs
playwright and Chromium, as the tests of the viewer do.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

import myovivo as mv
from myovivo.sequences.header import sequence_files

OUT = Path(__file__).with_name("viewer.png")


def main(demo: Path) -> None:
    translated = sequence_files(demo / "translated")[0]
    simulated = demo / "silico" / translated.name
    sequence = mv.Sequence.load(simulated)
    units = mv.identify(sequence)
    liveliest = int(np.argmax(np.square(sequence.velocity).sum((1, 2))))
    page = mv.view(
        *(simulated, translated, sequence_files(demo / "vivo")[0]),
        units=units,
        names=["simulated", "translated", "tissue phantom"],
        title="Simulated, translated, tissue phantom",
    )
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        file = page.save(Path(folder) / "view.html")
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="dark")
        tab.goto(file.as_uri())
        tab.wait_for_selector("html[data-ready]")
        tab.evaluate(f"viewer.clock.seek({liveliest})")
        tab.keyboard.press("n")
        tab.wait_for_timeout(500)
        tab.screenshot(path=OUT)
        browser.close()
    with Image.open(OUT) as picture:
        picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE).save(OUT, optimize=True)
    print(f"{OUT}: {OUT.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
