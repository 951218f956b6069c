"""A Config as plain data, as YAML that reads back equal, and as the text whose hash names its results."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from backtest.config.models import Config
from backtest.config.nodes import scalar_or_none

_PLAIN = re.compile(r"[A-Za-z0-9_^/.][A-Za-z0-9_^/.=+-]*")
_WIDTH: Final = 100


def resolved(config: Config) -> dict[str, Any]:
    """Plain data with every default filled in, dates as ISO text and locations absolute; runs again as it is."""
    return config.model_dump(mode="json")


def question(config: Config) -> str:
    """What a config asks, as canonical JSON: the same for all ways to write it and all places to keep the prices.

    The order of the legs is part of it (of ties, of the books), their labels are not.
    """
    data = resolved(config)
    data["legs"] = [[name, dict(leg.weights)] for name, leg in config.legs.items()]
    data["data"]["prices"].pop("folder", None)
    (data["data"]["cross_check"] or {}).pop("folder", None)
    (data["data"]["macro"] or {}).pop("folder", None)
    return json.dumps(data, sort_keys=True, allow_nan=False, separators=(",", ":"))


def dump_yaml(data: Mapping[str, Any]) -> str:
    """Plain data as YAML, in the order given, the same bytes every time; `load_config` reads it back unchanged.

    Lists, and maps of scalars below the top level, stand on one line where they are short.
    """
    return "".join(f"{line}\n" for line in _lines(data, 0))


def _lines(data: Mapping[str, Any], depth: int) -> list[str]:
    lines = []
    for key, value in data.items():
        head = f"{'  ' * depth}{_text(key)}:"
        short = inline(value)
        is_map_of_maps = isinstance(value, dict) and any(isinstance(each, dict) for each in value.values())
        is_block = isinstance(value, dict) and value and (is_map_of_maps or not depth or len(short) > _WIDTH)
        if is_block:
            lines += [head, *_lines(value, depth + 1)]
        else:
            lines.append(f"{head} {short}")
    return lines


def inline(value: object) -> str:
    """A value as it would stand on one line of YAML."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_text(key)}: {inline(each)}' for key, each in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(inline(each) for each in value)}]"
    if isinstance(value, str):
        return _text(value)
    return json.dumps(value, allow_nan=False)


def _text(text: str) -> str:
    """Text bare when it is read back as this text, else in quotes."""
    if _PLAIN.fullmatch(text) and isinstance(scalar_or_none(text), str):
        return text
    escaped = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in escaped)
