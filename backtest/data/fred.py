"""One series of FRED, the public database of the Federal Reserve Bank of St. Louis, as its CSV download gives it."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request

from backtest.data.csv_folder import read_rate
from backtest.data.sources import Fetched
from backtest.errors import NetworkError

ADDRESS = "https://fred.stlouisfed.org/graph/fredgraph.csv?id={}"
TIMEOUT_SECONDS = 20


def fetch_fred(series_id: str) -> Fetched:
    """The whole history of a daily rate; column `value`, percent.

    Raises NetworkError when FRED does not answer or answers with something that is not the complete table asked for:
    it has served error pages with status 200, and a file that is cut off may end in half a number.
    """
    address = ADDRESS.format(series_id)
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as answer:
            data: bytes = answer.read()
    except urllib.error.HTTPError as error:
        raise NetworkError(f"FRED {series_id}: answered with HTTP {error.code}; try again later") from error
    except (OSError, ValueError) as error:
        raise NetworkError(f"FRED {series_id}: could not be reached ({error}); try again later") from error
    header = data.split(b"\n", 1)[0].decode("latin-1").strip().upper().split(",")
    if len(header) != 2 or header[0] not in ("DATE", "OBSERVATION_DATE") or header[1] != series_id:
        raise NetworkError(f"FRED {series_id}: answered with something else than this series; try again later")
    if not data.endswith(b"\n"):
        raise NetworkError(f"FRED {series_id}: the answer is cut off; try again")
    return Fetched(read_rate(data, f"FRED {series_id}", series_id), address, hashlib.sha256(data).hexdigest())
