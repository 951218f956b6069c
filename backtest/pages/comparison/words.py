"""Words of the comparison page that are neither numbers nor statistics."""

from __future__ import annotations


def tied(text: str) -> str:
    """The text with its percent signs tied to their numbers, so that no line begins with one."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")
