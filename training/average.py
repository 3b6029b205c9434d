"""The weighted mean of several adapters of one training line: what a late stage learned, without what it forgot.

    python -m training.average LAST.safetensors=0.4 EARLIER.safetensors=0.2 ... --out FILE

The adapters come from one another, so their means lie in one valley of the loss (Wortsman et al. 2022, "Model soups").
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import load_file, save_file


def average(parts: Sequence[tuple[Path, float]], out: Path) -> None:
    """Write the mean, with the shares divided by their sum. Raises `ValueError` where the files hold different weights."""
    loaded = [load_file(path) for path, _ in parts]
    if any(x.keys() != loaded[0].keys() for x in loaded):
        raise ValueError("the files hold different weights; adapters of one network can be averaged")
    whole = sum(share for _, share in parts)
    mean = {
        name: sum(share / whole * x[name].float() for (_, share), x in zip(parts, loaded, strict=True)).to(
            loaded[0][name].dtype
        )
        for name in loaded[0]
    }
    with safe_open(parts[0][0], "pt") as first:
        save_file(mean, out, metadata=first.metadata())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="+", metavar="FILE=SHARE")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    parts = [part.rpartition("=") for part in options.parts]
    average([(Path(path), float(share)) for path, _, share in parts], options.out)


if __name__ == "__main__":
    main()
