"""Train on a simulated programme and hold the model to its gates, so that none is spoilt unseen.

``make model-gate`` calls this. It is the whole way of a programme: simulate, ingest, train, gates.
Simulated people prove plumbing: what is gated here is the code, not a model for anybody's care.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

CHW = [sys.executable, "-c", "from chw_tools.cli.main import run; run()"]
OUTCOME = "hospital_admission_180d"
#: So many that more than a hundred events judge, without which calibration cannot be told.
PEOPLE = 12_000
#: Must pass beside the firm ones. The others speak of how many people there are, not of the code.
REQUIRED = ("calibration", "net_benefit", "report")


def main() -> int:
    """Run the whole way; 0 where each gate that is required passed."""
    with tempfile.TemporaryDirectory(prefix="chw-gate-") as made:
        home = Path(made)
        environ = os.environ | {
            "CHW_HOME": str(home / "home"),
            "CHW_MODELS": str(home / "models"),
            "CHW_TRACKING_URI": "off",
        }
        district = str(home / "district")
        for words in (
            ("simulate", district, "--people", str(PEOPLE)),
            ("ingest", district),
            ("train", "--outcome", OUTCOME, "--recipe", "additive"),
        ):
            subprocess.run([*CHW, *words], env=environ, check=True, stdout=subprocess.DEVNULL)
        asked = [*CHW, "models", "gates", OUTCOME, "v1", "--json"]
        said = subprocess.run(asked, env=environ, check=True, capture_output=True, text=True)
    return judge(json.loads(said.stdout))


def judge(gates: list[dict[str, object]]) -> int:
    """Print each gate; how many of those that are required did not pass."""
    failed = 0
    for gate in gates:
        required = gate["is_firm"] or gate["name"] in REQUIRED
        failed += bool(required and gate["state"] != "pass")
        kind = "required" if required else "told only"
        print(f"{gate['name']:<14} {gate['state']!s:<8} {kind:<10} {gate['figure']}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
