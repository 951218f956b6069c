"""The strategies that a config can name: one file each, one line here."""

from strategies.parts import Parts
from strategies.rank import Rank
from strategies.rate_cut import RateCut
from strategies.rate_cut_momentum import RateCutMomentum
from strategies.relative_momentum import RelativeMomentum
from strategies.rules import Rules
from strategies.static_mix import StaticMix

REGISTRY = {
    "rate_cut": RateCut,
    "relative_momentum": RelativeMomentum,
    "rate_cut_momentum": RateCutMomentum,
    "static_mix": StaticMix,
    "rules": Rules,
    "rank": Rank,
    "parts": Parts,
}
