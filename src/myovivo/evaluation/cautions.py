"""What a reader of the table must know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Series

import numpy as np

from ..sequences.source import Source
from .comparison import DomainSummary
from .reading import PixelSums


def warnings_of(
    domains: Mapping[str, DomainSummary],
    everything: Series[Source],
    paired_models: Iterable[str],
    unmatched: Mapping[str, int],
    contents: Iterable[PixelSums],
) -> Iterable[str]:
    vivo = domains["vivo"]
    if "vivo" not in vivo.origins:
        called = {"phantom": "a tissue phantom", "silico": "simulated", "translated": "translated"}
        yield f"the reference domain is {' and '.join(called[origin] for origin in vivo.origins)}, not measured in vivo"
    elif len(vivo.origins) > 1:
        yield f"the reference domain mixes {' and '.join(vivo.origins)}"
    if vivo.subjects == 0:
        yield "the reference sequences name no subject, so vivo-vivo may be within one subject"
    elif vivo.subjects == 1:
        yield "all reference sequences are of one subject, so vivo-vivo does not show the variation between subjects"
    if vivo.sequences < 8:
        yield f"only {vivo.sequences} reference sequences: the mean and SD over their pairs are uncertain"
    sizes = np.array([source.header.spacing for source in everything])
    if np.any(np.ptp(sizes, axis=0) > 0.01 * sizes.min(axis=0)):
        yield "pixel sizes differ between sequences, so equal K-space indices are not equal spatial frequencies"
    for name in paired_models:
        if unmatched[name] == domains[name].sequences:
            yield f"no sequence of {name} carries the name of a silico one, so xCorr and lag are left out"
        elif unmatched[name]:
            yield f"{unmatched[name]} of {domains[name].sequences} sequences of {name} have no silico one of their name"
    still = sum(content.undefined for content in contents)
    if still:
        share = still / sum(content.pixels for content in contents)
        yield f"{share:.1%} of the silico pixels never move and are left out of xCorr and lag"
