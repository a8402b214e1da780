"""What documents and pages cost: building every document to Markdown, that is deriving what it contains, and to Markdown and HTML.

    python benchmarks/build.py [FOLDER] [--rounds N]

Fresh processes on a copy of the folder, on all cores, nothing remembered, the two in turn; medians of the seconds on the wall.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def seconds(folder: str, formats: str) -> float:
    """Of one build that remembers nothing, start-up included."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / "documents"
        shutil.copytree(folder, copy)
        start = time.perf_counter()
        command = [sys.executable, "-m", "symgrad", "build", str(copy), "--to", formats]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "XDG_CACHE_HOME": place})
        return time.perf_counter() - start


def main() -> None:
    """Print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default="derivations")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    times: dict[str, list[float]] = {"md": [], "md,html": []}
    for _ in range(options.rounds):
        for formats, seen in times.items():
            seen.append(seconds(options.folder, formats))
    derived, pages = map(statistics.median, times.values())
    print(f"md {derived:.2f} s, md and html {pages:.2f} s: {pages / derived:.2f} × (goal ≤ 2)")


if __name__ == "__main__":
    main()
