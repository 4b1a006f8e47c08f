"""Compare translated sequences with recorded ones: `evaluate`, and the metrics it is made of."""

from .._callable import make_callable
from ..sequences.scale import DomainScale
from .comparison import Comparison, Row, Statistic, evaluate
from .features import SequenceFeatures, domain_features

__all__ = ["Comparison", "DomainScale", "Row", "SequenceFeatures", "Statistic", "domain_features", "evaluate"]

make_callable(__name__, evaluate)
