"""What a comparison is given: domains, models, constants, and which sequences belong together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..errors import InputError
from ..sequences.scale import DomainScale, given_scale
from ..sequences.source import Domain, Source
from .maps import Constants
from .rows import NONE, VIVO_VIVO

Translated = Domain | Mapping[str, Domain]
"""One translated domain, or several by the name of the model that made them."""


def named_models(translated: Translated | None) -> dict[str, Domain]:
    """Translated domains by model name; one without a name is called `translated`.

    Raises
    ------
    InputError : a name that the table uses otherwise.
    """
    if translated is None:
        return {}
    if isinstance(translated, Mapping):
        named: dict[str, Domain] = {str(name): domain for name, domain in translated.items()}
    else:
        named = {"translated": translated}
    taken = sorted(set(named) & {NONE, VIVO_VIVO, "silico", "vivo"})
    if taken:
        raise InputError(f"a model cannot be called {taken[0]!r}, a name the table uses; choose another")
    return named


def stored_constants(models: Mapping[str, list[Source]]) -> dict[str, DomainScale]:
    """The constants of the training run, if all translated sequences carry the same."""
    stored = [source.header.provenance.get("standardisation") for domain in models.values() for source in domain]
    if not stored or stored[0] is None or any(constants != stored[0] for constants in stored):
        return {}
    numbers = {name: stored[0][name] for name in ("silico", "vivo")}
    return {name: DomainScale(float(mean), float(std), "training run") for name, (mean, std) in numbers.items()}


def given_constants(standardisation: Constants) -> dict[str, DomainScale]:
    """The constants as given, by domain.

    Raises
    ------
    InputError : no mapping, or a standardisation that is none.
    """
    if not isinstance(standardisation, Mapping):
        got = type(standardisation).__name__
        raise InputError(f"standardisation must be {{'silico': (mean, std), 'vivo': (mean, std)}}, got {got}")
    return {name: given_scale(value) for name, value in standardisation.items()}


def common_shape(domains: Iterable[Source], frames: int | None) -> tuple[int, int, int]:
    """(T, Z, X) that all sequences share.

    Raises
    ------
    InputError : they share no frame rate, size or length.
    """
    first, *others = domains
    length = first.header.shape[0] if frames is None else frames
    for source in (first, *others):
        names = f"{_where(first)} and {_where(source)}"
        here, there = source.header, first.header
        if not math.isclose(here.frame_rate, there.frame_rate, rel_tol=1e-3):
            got = f"{there.frame_rate:g} and {here.frame_rate:g} Hz"
            raise InputError(f"{names}: sequences must share a frame rate, got {got}; make them again at one rate")
        if here.shape[1:] != there.shape[1:]:
            got = f"{there.shape[1:]} and {here.shape[1:]} pixels"
            raise InputError(f"{names}: sequences must share a size, got {got}; make them again at one size")
        if frames is None and here.shape[0] != length:
            got = f"{there.shape[0]} and {here.shape[0]} frames"
            remedy = f"compare the first frames={min(there.shape[0], here.shape[0])} of each"
            raise InputError(f"{names}: sequences must be equally long, got {got}; {remedy}")
        if here.shape[0] < length:
            raise InputError(f"{_where(source)}: has {here.shape[0]} frames, fewer than frames={frames}; ask for fewer")
    return length, *first.header.shape[1:]


def _where(source: Source) -> str:
    return str(source.item) if isinstance(source.item, Path) else source.name


def pairs_of(silico: list[Source], models: Mapping[str, list[Source]]) -> dict[str, list[tuple[Source, Source]]]:
    """For each model its translated sequences that carry the name of a silico one, each with that one before it.

    Raises
    ------
    InputError : two silico sequences share a name.
    """
    by_name = {source.name: source for source in silico}
    if len(by_name) < len(silico):
        twice = next(source for source in silico if by_name[source.name] is not source)
        raise InputError(f"{_where(twice)}: two silico sequences are called {twice.name!r}; rename one")
    return {
        name: [(by_name[source.name], source) for source in domain if source.name in by_name]
        for name, domain in models.items()
    }
