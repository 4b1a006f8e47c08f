"""Train the `house` that comes with the package, and write its weights and its card.

python benchmarks/bundled_house.py [--out benchmarks/out/house]

Simulations and phantom at the default grid, sequences of 1 s, seed 0; a quarter of the subjects is held out, and the
card's table is of those. About an hour on two cores; interrupted, the same command goes on.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from myovivo import evaluate, phantom_domain, simulate_domain, train, translate_domain, two_sample_test
from myovivo.models.sizes import parameter_counts
from myovivo.phantoms.settings import PhantomSettings
from myovivo.runs.folder import read_run, test_files
from myovivo.runs.weights import BUNDLED, load_weights, write_weights
from myovivo.runtime.files import write_text
from myovivo.runtime.settings import settings_from
from myovivo.simulation.settings import SimulateSettings

SIMULATIONS, SUBJECTS, RUNS, FRAMES = 64, 32, 2, 512

CARD = """# house, silico → phantom

Weights of the preset `house` (method one-sided), trained on simulations and on the **tissue phantom**. The phantom is
elastic tissue imaged by a model of ultrasound. **It is not in vivo**, and nothing here says how translated sequences
compare with recordings of people.

- **Use**: `myovivo translate house OUT --source silico`, `mv.Translator.load("house")`. One direction only.
- **Input**: simulated TVI sequences of {rows} rows, any number of columns and any length; pixels of {dz:.4f} mm,
  {rate:g} Hz.
- **Data**: {silico} simulated and {vivo} phantom sequences of {frames} frames ({train_subjects} phantom subjects),
  made by `simulate_domain` and `phantom_domain` with their defaults and seed 0. {test_subjects} further subjects were
  held out.
- **Training**: {steps} steps, batch {batch}, clips of {clip}, seed 0, settings of the preset; the last weights' running
  mean, no checkpoint chosen. {parameters:,} parameters. Written by myovivo {version}.
- **Regenerate**: `python benchmarks/bundled_house.py`.

Held-out subjects, {n_silico} translated against {n_vivo} phantom sequences (mean ± SD over pairs):

```
{table}
```

{two_sample}.

Limits:

- A classifier that sees the motion can tell more than the table shows; see the line above. What remains is chiefly the
  number and the shape of the motion sources, which a translator that keeps each pixel's time course cannot change.
- The columns are statistics of variance maps and spectra; the judges of the training see the variance maps too.
- Power beyond the pass band, above 60 Hz and some 40 dB below the motion, stays 10 to 15 dB higher than the phantom's.
- Translations are band-passed to {band} as the recordings were, so xCorr, against simulations that are not, is lower
  than within the band.
- Other pixel sizes, frame rates or numbers of rows are refused; train a `house` on them.
- Territories stay where the simulation put them, with the sign it gave them.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the bundled house and write its card.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "out" / "house")
    out = parser.parse_args().out
    grid: dict[str, Any] = {"grid.frames": FRAMES}
    simulate_domain(out / "silico", SIMULATIONS, settings_from(SimulateSettings, grid))
    phantom_domain(out / "vivo", SUBJECTS, RUNS, settings_from(PhantomSettings, grid))
    run = train("house", out / "silico", out / "vivo", out / "run")
    weights = load_weights(run)
    translated = translate_domain(run, None, out / "translated")
    silico, vivo = test_files(run, "silico"), test_files(run, "vivo")
    comparison = evaluate(translated, vivo, silico)
    scale = weights.standards["vivo"]
    result = two_sample_test(translated, vivo, (scale.mean, scale.std), clip=(32, 128, 128))

    split = read_run(run)["recipe"]
    subjects = {
        side: len({split["vivo"]["subjects"][name] for name in split["vivo"][side]}) for side in ("train", "test")
    }
    settings = weights.settings
    card = CARD.format(
        rows=settings.data.clip[1],
        dz=1e3 * weights.spacing[0],
        rate=weights.frame_rate,
        silico=len(split["silico"]["train"]),
        vivo=len(split["vivo"]["train"]),
        frames=FRAMES,
        train_subjects=subjects["train"],
        test_subjects=subjects["test"],
        steps=weights.step,
        batch=settings.optimiser.batch,
        clip=" x ".join(map(str, settings.data.clip)),
        parameters=parameter_counts(settings)["silico_to_vivo"],
        version=read_run(run)["versions"]["myovivo"],
        n_silico=len(silico),
        n_vivo=len(vivo),
        table=comparison.table(),
        band="no band" if (passed := weights.band_towards("vivo")) is None else f"{passed.low:g}-{passed.high:g} Hz",
        two_sample=str(result).replace("two", "Two", 1),
    )
    write_weights(BUNDLED / "house.safetensors", weights)
    write_text(BUNDLED / "house.md", card)
    print(card)


if __name__ == "__main__":
    main()
