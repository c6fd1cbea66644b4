"""Build the packages of a release with their digests, once version, changelog and lock agree.

``make release`` calls this; it publishes nothing.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def faults() -> list[str]:
    """What keeps this from being a release."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = project["version"]
    package = (ROOT / "src/chw_tools/__init__.py").read_text(encoding="utf-8")
    said = []
    if f'__version__ = "{version}"' not in package:
        said.append(f"src/chw_tools/__init__.py does not say {version}")
    for name in ("requirements.lock", "api/requirements.txt"):
        if not (ROOT / name).is_file():
            said.append(f"{name} is missing")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    tag = subprocess.run(
        ["git", "describe", "--exact-match", "--tags"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    if tag:
        if tag != f"v{version}":
            said.append(f"the tag is {tag}, pyproject.toml says {version}")
        if not re.search(rf"^## \[{re.escape(version)}\]", changelog, re.M):
            said.append(f"CHANGELOG.md has no heading for {version}")
    return said


def main() -> int:
    """Build into dist/; 0 where all is well."""
    found = faults()
    for fault in found:
        print(fault)
    if found:
        return 1
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "hatchling", "build"], cwd=ROOT, check=True)
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}"
        for path in sorted(dist.iterdir())
    ]
    (dist / "SHA256SUMS").write_text("\n".join(lines) + "\n", encoding="ascii")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
