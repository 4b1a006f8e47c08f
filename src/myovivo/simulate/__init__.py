"""The in silico muscle."""

from .._callable import make_callable
from .contraction import simulate, simulate_domain
from .measured import read_spike_trains

__all__ = ["read_spike_trains", "simulate", "simulate_domain"]

make_callable(__name__, simulate)
