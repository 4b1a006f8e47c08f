"""Simulated muscle motion made to look recorded, with its labels kept, and measured.

    import myovivo as mv
    sim = mv.simulate(seed=0)          # a TVI sequence with its labels
    rec = mv.phantom(seed=0)           # a recording of the tissue phantom
    tvi = mv.acquire(rec)              # its TVI sequence

Names are loaded when they are first used, so that importing the package is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .version import __version__ as __version__

if TYPE_CHECKING:
    from .acquire import ChannelData, Inspection, acquire, acquire_domain, beamform, inspect
    from .acquisition.settings import AcquireSettings
    from .checkpoint import test_files, train_files
    from .demo import demo
    from .errors import MyovivoError
    from .estimate import estimate
    from .evaluate import Comparison, evaluate
    from .evaluate.paired import paired_error
    from .evaluate.two_sample import two_sample_test
    from .export import export
    from .groups import compare_groups
    from .identification.settings import IdentifySettings, LearnSettings
    from .identified import identify_domain
    from .identify import Units, identify
    from .identify.learning import train_identifier
    from .identify.tuning import tune_identification
    from .learned import compare_identification
    from .maps import depth_profile, difference_map, difference_maps, similarity_map, variance_map
    from .models.settings import TrainSettings
    from .phantom import phantom, phantom_domain
    from .phantoms.settings import PhantomSettings
    from .report import report
    from .runtime.parallel import on_cluster
    from .sequences.labels import MotorUnits
    from .sequences.recording import Recording
    from .sequences.sequence import Sequence
    from .simulate import read_spike_trains, simulate, simulate_domain
    from .simulation.settings import SimulateSettings
    from .study import StudySettings, study
    from .train import train
    from .translate import Translator, translate_domain

# The public names and where they live. A name that is also a module is that module, made callable.
_HOME = {
    "AcquireSettings": "acquisition.settings",
    "ChannelData": "acquire",
    "Comparison": "evaluate",
    "IdentifySettings": "identification.settings",
    "Inspection": "acquire",
    "LearnSettings": "identification.settings",
    "MotorUnits": "sequences.labels",
    "MyovivoError": "errors",
    "PhantomSettings": "phantoms.settings",
    "Recording": "sequences.recording",
    "Sequence": "sequences.sequence",
    "SimulateSettings": "simulation.settings",
    "StudySettings": "study",
    "TrainSettings": "models.settings",
    "Translator": "translate",
    "Units": "identify",
    "acquire": "acquire",
    "acquire_domain": "acquire",
    "beamform": "acquire",
    "compare_groups": "groups",
    "compare_identification": "learned",
    "demo": "demo",
    "depth_profile": "maps",
    "difference_map": "maps",
    "difference_maps": "maps",
    "estimate": "estimate",
    "evaluate": "evaluate",
    "export": "export",
    "identify": "identify",
    "identify_domain": "identified",
    "inspect": "acquire",
    "on_cluster": "runtime.parallel",
    "paired_error": "evaluate.paired",
    "phantom": "phantom",
    "phantom_domain": "phantom",
    "read_spike_trains": "simulate",
    "report": "report",
    "similarity_map": "maps",
    "simulate": "simulate",
    "simulate_domain": "simulate",
    "study": "study",
    "test_files": "checkpoint",
    "train": "train",
    "train_files": "checkpoint",
    "train_identifier": "identify.learning",
    "translate_domain": "translate",
    "tune_identification": "identify.tuning",
    "two_sample_test": "evaluate.two_sample",
    "variance_map": "maps",
}

__all__ = [
    "AcquireSettings",
    "ChannelData",
    "Comparison",
    "IdentifySettings",
    "Inspection",
    "LearnSettings",
    "MotorUnits",
    "MyovivoError",
    "PhantomSettings",
    "Recording",
    "Sequence",
    "SimulateSettings",
    "StudySettings",
    "TrainSettings",
    "Translator",
    "Units",
    "acquire",
    "acquire_domain",
    "beamform",
    "compare_groups",
    "compare_identification",
    "demo",
    "depth_profile",
    "difference_map",
    "difference_maps",
    "estimate",
    "evaluate",
    "export",
    "identify",
    "identify_domain",
    "inspect",
    "on_cluster",
    "paired_error",
    "phantom",
    "phantom_domain",
    "read_spike_trains",
    "report",
    "similarity_map",
    "simulate",
    "simulate_domain",
    "study",
    "test_files",
    "train",
    "train_files",
    "train_identifier",
    "translate_domain",
    "tune_identification",
    "two_sample_test",
    "variance_map",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_HOME[name]}")
    return module if name == _HOME[name] else getattr(module, name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
