"""What the project says of its dependencies: floors and bounds, the set that was tested, and where it is tested."""

from __future__ import annotations

import configparser
import re
import runpy
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOWEST = runpy.run_path(str(ROOT / ".ci" / "lowest.py"))
REQUIREMENTS = [Requirement(line) for line in LOWEST["requirements"]()]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def pins() -> list[Requirement]:
    return [Requirement(line) for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()]


def version_of(pin: Requirement) -> str:
    (only,) = pin.specifier
    assert only.operator == "=="
    return only.version


def test_every_dependency_has_a_floor_and_a_bound() -> None:
    for requirement in REQUIREMENTS:
        assert {each.operator for each in requirement.specifier} in ({"=="}, {">=", "<"}, {">=", "<", "!="}), (
            requirement
        )


def test_the_lowest_versions_are_those_of_setup_cfg() -> None:
    lowest = [Requirement(LOWEST["lowest"](str(line))) for line in LOWEST["requirements"]()]
    for requirement, low in zip(REQUIREMENTS, lowest, strict=True):
        floor = next(each.version for each in requirement.specifier if each.operator in (">=", "=="))
        assert (low.name, version_of(low)) == (requirement.name, floor)


def test_the_tested_set_holds_every_dependency_within_its_bounds_on_every_python() -> None:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    asked = [*REQUIREMENTS, *map(Requirement, parser["options.extras_require"]["test"].split())]
    for requirement in asked:
        for python in ("3.11.7", "3.12.0", "3.13.0", "3.14.0"):
            environment = {"python_full_version": python, "python_version": python[:4], "sys_platform": "linux"}
            found = [
                version_of(pin)
                for pin in pins()
                if canonicalize_name(pin.name) == canonicalize_name(requirement.name)
                and (pin.marker is None or pin.marker.evaluate(environment))
            ]
            assert len(found) == 1, (requirement, python)
            assert requirement.specifier.contains(found[0]), (requirement, found)


def test_the_tested_set_names_no_place() -> None:
    assert not re.search("://|@|--", (ROOT / "constraints.txt").read_text(encoding="utf-8"))


def test_the_readmes_two_commands_install_the_tested_set_in_one_line_each() -> None:
    commands = [line for line in README.splitlines() if "pip install" in line and line.startswith("python3 -m venv")]
    run, suite = commands
    assert ".venv/bin/pip install -q -c constraints.txt -e . && " in run
    assert run.endswith("run_backtest.py configs/quickstart.yaml")
    assert '.venv/bin/pip install -q -c constraints.txt -e ".[test]" && ' in suite
    assert "-m pytest" in suite


def test_one_command_renews_the_tested_set_and_one_tests_the_floor() -> None:
    assert ".ci/renew" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert "-o constraints.txt" in (ROOT / ".ci" / "renew").read_text(encoding="utf-8")
    assert ".ci/lowest.py" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_workflow_names_three_systems_four_pythons_and_the_lowest_dependencies() -> None:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))["jobs"]
    matrix = jobs["suite"]["strategy"]["matrix"]
    assert [name.partition("-")[0] for name in matrix["os"]] == ["ubuntu", "macos", "windows"]
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    steps = [step["run"] for step in jobs["lowest-dependencies"]["steps"] if "run" in step]
    assert steps[0] == "python .ci/lowest.py > lowest.txt"
    assert any("pytest" in step for step in steps)
