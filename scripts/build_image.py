"""Build the image, start it, see that it is healthy; print its size and its cold start.

``make image`` calls this. It takes the first of docker, podman and buildah that works here.
Docker and podman pull the base that the Dockerfile names, or ``--base``. ``--base debootstrap``
makes one from Debian's packages, for machines that reach no registry of images (as root).
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = "deployment/api/Dockerfile"
BUILDAH = ["buildah", "--storage-driver", "vfs"]
_BASE = "localhost/chw-base:bookworm"
_PATIENCE_SECONDS = 90


def main() -> int:
    """Build, start, check, print; 0 where all went well."""
    options = _options()
    engine = options.engine or find_engine()
    if engine is None:
        print("None of docker (with its engine), podman and buildah works on this machine.")
        return 1
    base = debootstrap_base(engine) if options.base == "debootstrap" else options.base
    build(engine, tag=options.tag, base=base)
    print(f"image {options.tag}, built by {engine}")
    return check_buildah(options.tag) if engine == "buildah" else check_engine(engine, options.tag)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tag", default="chw-tools:local")
    parser.add_argument("--base", help="base image, or debootstrap")
    parser.add_argument("--engine", choices=("docker", "podman", "buildah"))
    return parser.parse_args()


def find_engine() -> str | None:
    """The first program that can build images here."""
    for engine, probe in (
        ("docker", ["docker", "info"]),
        ("podman", ["podman", "info"]),
        ("buildah", [*BUILDAH, "images"]),
    ):
        if shutil.which(engine) and _works(probe):
            return engine
    return None


def _works(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def debootstrap_base(engine: str) -> str:
    """A base of Debian 12 with Python 3.11, made from Debian's packages."""
    with tempfile.TemporaryDirectory(prefix="chw-base-") as made:
        root = Path(made) / "root"
        include = "--include=python3,python3-venv,ca-certificates"
        _run(["debootstrap", "--variant=minbase", include, "bookworm", str(root)], quiet=True)
        for needless in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale"):
            shutil.rmtree(root / needless, ignore_errors=True)
        return import_base(engine, root)


def import_base(engine: str, root: Path) -> str:
    """Make an image of a folder that holds a root file system."""
    if engine == "buildah":
        container = _said([*BUILDAH, "from", "scratch"])
        _run([*BUILDAH, "add", "--quiet", container, str(root), "/"], quiet=True)
        _run([*BUILDAH, "commit", "--quiet", "--rm", container, _BASE], quiet=True)
        return _BASE
    with tempfile.NamedTemporaryFile(suffix=".tar") as tar:
        _run(["tar", "-C", str(root), "-cf", tar.name, "."])
        _run([engine, "import", tar.name, _BASE], quiet=True)
    return _BASE


def build(engine: str, *, tag: str, base: str | None) -> None:
    """Build the Dockerfile; an index or a certificate of this machine is seen by pip only."""
    words = ["--file", DOCKERFILE, "--tag", tag]
    if base:
        words += ["--build-arg", f"BASE_IMAGE={base}"]
    if index := os.environ.get("PIP_INDEX_URL"):
        words += ["--build-arg", f"PIP_INDEX_URL={index}"]
    if engine == "docker":
        _run(["docker", "build", *words, "."])
        return
    if certificate := os.environ.get("PIP_CERT"):
        words += [
            "--volume",
            f"{certificate}:/run/pip.crt:ro",
            "--build-arg",
            "PIP_CERT=/run/pip.crt",
        ]
    # Only this format keeps a health check.
    words += ["--format", "docker"]
    if engine == "podman":
        _run(["podman", "build", *words, "."])
    else:
        _run([*BUILDAH, "bud", "--isolation", "chroot", "--quiet", *words, "."])


def check_engine(engine: str, tag: str) -> int:
    """Start the image with docker or podman, read-only and without rights."""
    size = int(_said([engine, "image", "inspect", "--format", "{{.Size}}", tag]))
    port = free_port()
    began = time.perf_counter()
    # The server answers the loopback address only, so it shares this machine's.
    hard = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "host"]  # noqa: S108 (the container's own)
    container = _said([engine, "run", "--detach", *hard, "--env", f"CHW_PORT={port}",
                       "--volume", "/var/lib/chw", tag])  # fmt: skip
    try:
        healthy = wait_healthy(port)
        seconds = time.perf_counter() - began
        user = _said([engine, "exec", container, "id", "-u"])
    finally:
        _run([engine, "rm", "--force", "--volumes", container], quiet=True)
    return tell(size=size, healthy=healthy, seconds=seconds, user=user)


def check_buildah(tag: str) -> int:
    """Start the image in buildah's chroot, as its own user."""
    container = _said([*BUILDAH, "from", "--pull-never", tag])
    try:
        mounted = Path(_said([*BUILDAH, "mount", container]))
        size = sum(p.lstat().st_size for p in mounted.rglob("*") if not p.is_symlink())
        run = [*BUILDAH, "run", "--isolation", "chroot"]
        user = _said([*run, container, "--", "id", "-u"])
        port = free_port()
        serve = [*run, "--env", f"CHW_PORT={port}", container, "--", "chw", "serve"]
        began = time.perf_counter()
        with (
            tempfile.TemporaryFile("w+") as log,
            subprocess.Popen(serve, stdout=log, stderr=log) as server,
        ):
            healthy = wait_healthy(port)
            seconds = time.perf_counter() - began
            _end(server)
            if not healthy:
                log.seek(0)
                print(log.read())
    finally:
        _run([*BUILDAH, "rm", container], quiet=True)
    return tell(size=size, healthy=healthy, seconds=seconds, user=user)


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(timeout=30)
    except subprocess.TimeoutExpired:
        server.kill()


def wait_healthy(port: int) -> bool:
    """Whether ``/healthz`` answers before patience ends."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            time.sleep(0.05)
    return False


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tell(*, size: int, healthy: bool, seconds: float, user: str) -> int:
    """Print what was found; 0 where it is healthy and not root."""
    print(f"size {size / 1e6:,.0f} MB unpacked")
    print(f"user {user}")
    print(f"healthy {'yes' if healthy else 'NO'}; cold start {seconds:.1f} s")
    return 0 if healthy and user != "0" else 1


def _run(command: list[str], *, quiet: bool = False) -> None:
    where = subprocess.DEVNULL if quiet else None
    subprocess.run(command, cwd=ROOT, check=True, stdout=where)


def _said(command: list[str]) -> str:
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
