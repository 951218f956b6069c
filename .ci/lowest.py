"""Constraints for pip: the lowest version of each direct dependency that setup.cfg allows, `name==version` a line."""

from __future__ import annotations

import configparser
import re
import sys
from pathlib import Path

SETUP = Path(__file__).parents[1] / "setup.cfg"


def requirements() -> list[str]:
    """The lines of `install_requires`."""
    parser = configparser.ConfigParser()
    parser.read(SETUP, encoding="utf-8")
    return parser["options"]["install_requires"].split()


def lowest(requirement: str) -> str:
    """`name>=version,...` as `name==version`."""
    name, floor = re.split("[=>]=", requirement.split(",")[0])
    return f"{name}=={floor}"


if __name__ == "__main__":
    sys.stdout.write("".join(f"{lowest(each)}\n" for each in requirements()))
