"""Write the secrets that compose.yaml and the instructions name, where they are missing.

``make secrets`` calls this. Nothing that exists is changed. The folder can be entered by its
owner alone; accounts of people are added by hand, see deployment/deployment_instructions.md.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "deployment" / "secrets"
_DRAWN = ("proxy_secret", "metrics_secret", "database_password", "grafana_password")


def write_secrets(folder: Path) -> list[str]:
    """Draw what is missing; gives the names of what was written."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    written = [name for name in _DRAWN if _write(folder / name, secrets.token_hex(32))]
    password = (folder / "database_password").read_text(encoding="ascii")
    if _write(folder / "database_url", f"postgresql+psycopg://chw:{password}@db/chw"):
        written.append("database_url")
    if _write(folder / "accounts", ""):
        written.append("accounts")
    return written


def _write(path: Path, content: str) -> bool:
    if path.exists():
        return False
    path.write_text(content, encoding="ascii")
    # Readable: in a container each program is another user. The folder is closed.
    path.chmod(0o644)
    return True


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    written = write_secrets(folder)
    print(f"{folder}: {', '.join(written) or 'nothing was missing'}")
    if not (folder / "accounts").stat().st_size:
        print("Nobody can sign in yet: add lines `name hash` to accounts (caddy hash-password).")
