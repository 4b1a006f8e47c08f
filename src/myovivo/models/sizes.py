"""How large the networks of a method are: compare Table 2 of Ali et al. (2022), BioMed Eng OnLine 21:46."""

from __future__ import annotations

from .method import translation_model
from .settings import TrainSettings


def parameter_counts(settings: TrainSettings) -> dict[str, int]:
    """Number of parameters of each network, by name.

    Builds the networks as a training would, which takes a fraction of a second and their memory.

    Parameters
    ----------
    settings : of a translator

    Returns
    -------
    dict : "silico_to_vivo", "vivo_judge", ... -> parameters; only "silico_to_vivo" is needed to translate

    Raises
    ------
    InputError : the clip size does not suit the networks.
    """
    model = translation_model(settings)
    return {name: sum(each.numel() for each in network.parameters()) for name, network in model.named_children()}
