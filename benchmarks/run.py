"""One command from a fresh clone: installs this project with its peers into `.venv-bench`, then measures them together.

    python3 benchmarks/run.py [--quick]

The environment is made once, and again when `setup.cfg` changes. Nothing else on the machine is touched.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = ROOT / ".venv-bench"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = ENVIRONMENT / "made-for"


def main() -> None:
    """Install when needed, then hand over."""
    wanted = hashlib.sha256((ROOT / "setup.cfg").read_bytes()).hexdigest()
    if not STAMP.exists() or STAMP.read_text(encoding="ascii") != wanted:
        install()
        STAMP.write_text(wanted, encoding="ascii", newline="\n")
    raise SystemExit(subprocess.call([str(PYTHON), str(ROOT / "benchmarks" / "beside_peers.py"), *sys.argv[1:]]))


def install() -> None:
    """A fresh environment with the extra `[bench]`."""
    print(f"installing {ROOT.name}[bench] into {ENVIRONMENT.name} (a minute or two, once)", file=sys.stderr, flush=True)
    venv.EnvBuilder(with_pip=True, clear=True, symlinks=os.name != "nt").create(ENVIRONMENT)
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable"]
    if subprocess.call([*command, f"{ROOT}[bench]"]):
        raise SystemExit("pip could not install the peers; see above")


if __name__ == "__main__":
    main()
