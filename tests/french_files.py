"""Files in the layout of Ken French's library: made up, or of the real returns where those are at hand."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SIX = {
    "small_lobm": "SMALL LoBM", "me1_bm2": "ME1 BM2", "small_hibm": "SMALL HiBM",
    "big_lobm": "BIG LoBM", "me2_bm2": "ME2 BM2", "big_hibm": "BIG HiBM",
}  # fmt: skip
FACTORS = {"mkt_rf": "Mkt-RF", "smb": "SMB", "hml": "HML", "rf": "RF"}
TEN = ("NoDur", "Durbl", "Manuf", "Enrgy", "HiTec", "Telcm", "Shops", "Hlth ", "Utils", "Other")


LEGS: dict[str, dict[str, float]] = {"growth": {"BIG-GROWTH": 1.0}, "small": {"SMALL-VALUE": 1.0}}
RATE_CUT = {"name": "rate_cut", "params": {"hold_sessions": 12}}


def century(folder: Path, *, data: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A config on the files of a folder."""
    prices = {"source": "french", "folder": str(folder)}
    usual = {"prices": prices, "start": "1954-01-29", "end": "2024-12-31", "tbill": "french"}
    costs = {"commission_bps": 1, "slippage_bps": 4}
    own = {"name": "century", "data": usual | (data or {}), "legs": LEGS, "strategy": RATE_CUT, "execution": costs}
    return own | changes


def french_text(table: pd.DataFrame, names: dict[str, str], vintage: str = "202412", digits: int = 4) -> str:
    """The text of a file: a preamble, a table of months in percent, and a table of years after it."""
    head = f"This file was created using the {vintage} CRSP database.\nMissing data are indicated by -99.99 or -999.\n"
    rows = [f"\n  Average Value Weighted Returns -- Monthly\n,{','.join(names.values())}"]
    columns = table[list(names)].to_numpy(dtype=np.float64)
    for month, values in zip(table.index, np.where(np.isnan(columns), -99.99, columns), strict=True):
        rows.append(month.strftime("%Y%m") + "," + ",".join(f"{value:9.{digits}f}" for value in values))
    years = "\n  Average Value Weighted Returns -- Annual\n," + ",".join(names.values()) + "\n1927,1,2,3\n"
    return head + "\n".join(rows) + "\n" + years


def write_zipped(folder: Path, name: str, text: str) -> None:
    """As the library gives it."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(f"{name}.csv", text)
    (folder / f"{name}_CSV.zip").write_bytes(data.getvalue())


def made_up_tables(seed: int = 7, first: str = "1926-07", last: str = "2024-12") -> dict[str, pd.DataFrame]:
    """Six portfolios, factors and ten industries that fit together, in percent by month."""
    random = np.random.default_rng(seed)
    months = pd.period_range(first, last, freq="M")
    market = random.normal(0.9, 4.5, len(months))
    lead = random.normal(0.1, 2.5, len(months))
    noise = random.normal(0.0, 1.2, (len(months), 6))
    sides = np.array([0.5, 0.5, 0.5, -0.5, -0.5, -0.5])
    six = pd.DataFrame(np.clip(market[:, None] + lead[:, None] * sides + noise, -60, 120), months, list(SIX)).round(4)
    rf = pd.Series(np.clip(0.3 + np.cumsum(random.normal(0, 0.01, len(months))), 0.0, 1.2), months).round(2)
    small, big = six.iloc[:, :3].mean(axis=1), six.iloc[:, 3:].mean(axis=1)
    hml = (six["small_hibm"] + six["big_hibm"] - six["small_lobm"] - six["big_lobm"]) / 2
    factors = pd.DataFrame({"mkt_rf": big - rf, "smb": small - big, "hml": hml, "rf": rf}).round(2)
    ten = pd.DataFrame(market[:, None] + random.normal(0, 2, (len(months), 10)), months, list(TEN)).round(2)
    return {"six": six, "factors": factors, "ten": ten}


def real_tables(data: Path) -> dict[str, pd.DataFrame]:
    """The real ones, to the last month that both files have."""
    six = pd.read_csv(data / "macro" / "ff_6portfolios_2x3_monthly_vw.csv", index_col="date")
    factors = pd.read_csv(data / "macro" / "ff_factors_monthly.csv", index_col="date")
    found = {"six": six, "factors": factors.loc[: six.index[-1]]}
    return {name: each.set_axis(pd.PeriodIndex(each.index, freq="M")) for name, each in found.items()}


def write_library(folder: Path, tables: dict[str, pd.DataFrame]) -> Path:
    """The files of the library in a folder: one zipped, one as plain text, as users have them."""
    folder.mkdir(parents=True, exist_ok=True)
    write_zipped(folder, "6_Portfolios_2x3", french_text(tables["six"], SIX))
    (folder / "F-F_Research_Data_Factors.csv").write_text(
        french_text(tables["factors"], FACTORS, digits=2), encoding="utf-8", newline="\n"
    )
    if "ten" in tables:
        write_zipped(folder, "10_Industry_Portfolios", french_text(tables["ten"], {n: n for n in TEN}, digits=2))
    return folder
