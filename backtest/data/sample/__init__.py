"""The simulated sample: funds and a T-bill under the real policy decisions.

noise -> rates -> funds -> prices, macro -> source.
"""
