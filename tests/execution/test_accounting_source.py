"""The source of the accounting: nothing in it may add up in an order of its own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import backtest.account.sizing
import backtest.account.strategy
from backtest.account import kernel

ADDERS = {"sum", "fsum", "sumprod", "dot", "vdot", "inner", "einsum", "matmul", "mean", "cumsum", "nansum", "add"}
"""Calls that add in pairs, in reverse or with compensation: `sum` itself compensates from Python 3.12 on."""


@pytest.mark.parametrize(
    ("module", "functions"),
    [
        (backtest.account.sizing, {"affordable", "value_net_of_costs", "trade_sizes", "has_drifted"}),
        (
            kernel,
            {"simulate", "value_stretch", "add_exposures", "fill_all", "book", "split_and_pay", "stretches_between"},
        ),
        (backtest.account.strategy, {"next", "next_open", "_has_drifted"}),
    ],
)
def test_accounting_adds_up_one_by_one(module: object, functions: set[str]) -> None:
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))  # type: ignore[attr-defined]
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name in functions]
    assert {node.name for node in found} == functions
    for function in found:
        for node in ast.walk(function):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                assert name not in ADDERS, f"{function.name}, line {node.lineno}: {name}"
            assert not isinstance(node, ast.MatMult), f"{function.name}: a matrix product"


def test_the_kernel_is_compiled_without_fastmath() -> None:
    tree = ast.parse(Path(kernel.__file__).read_text(encoding="utf-8"))
    options = {k.arg for node in ast.walk(tree) if isinstance(node, ast.Call) for k in node.keywords}
    assert "fastmath" not in options
    assert "parallel" not in options
