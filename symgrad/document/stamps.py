"""What has been built and has not changed since: a digest for each document, over its text, what was made of it, and symgrad itself.

The stamps are kept in the user's cache folder; without them, or after any doubt, a document is built again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

TOOLS = ("numpy", "sympy", "latexify-py", "pypandoc_binary", "ziamath", "fonttools", "matplotlib")
MOST = 10_000  # documents that are remembered
_OWN_CELL = re.compile(r"^\s{0,3}(?:<!--|%+)\s*symgrad:.*\.py:", re.MULTILINE)
_PICTURE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)")


def _folder() -> Path:
    """The cache folder of this user."""
    if os.name == "nt" and "LOCALAPPDATA" in os.environ:
        return Path(os.environ["LOCALAPPDATA"]) / "symgrad"
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "symgrad"


class Stamps:
    """The digests of documents as they were last built."""

    def __init__(self) -> None:
        self.path = _folder() / "built.json"
        self.changed = False
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            self.known: dict[str, str] = found if isinstance(found, dict) else {}
        except (OSError, ValueError, RuntimeError):
            self.known = {}

    @cached_property
    def tools(self) -> bytes:
        """A digest of symgrad's own files and of the versions of what it works with."""
        digest = hashlib.sha256(sys.version.encode())
        package = Path(__file__).parent.parent
        for file in sorted(p for p in package.rglob("*") if p.is_file() and p.suffix != ".pyc"):
            digest.update(str(file.relative_to(package)).encode() + b"\0" + file.read_bytes())
        for tool in TOOLS:
            try:
                digest.update(f"{tool} {version(tool)}".encode())
            except PackageNotFoundError:
                digest.update(tool.encode())
        return digest.digest()

    def digest(self, path: Path, outputs: Sequence[Path], context: str) -> str:
        """The stamp of a document as it stands on the disk; empty if it cannot be told whether it is up to date."""
        try:
            text = path.read_bytes()
            made = [p.read_bytes() for p in outputs]
        except OSError:
            return ""
        written = text.decode("utf-8", errors="replace")
        if _OWN_CELL.search(written):  # its cell stands in a file of the user's, which may import others
            return ""
        pictures = [p.read_bytes() for name in _PICTURE.findall(written) if (p := path.parent / name).is_file()]
        digest = hashlib.sha256(self.tools + context.encode())
        for part in (text, *made, *pictures):
            digest.update(hashlib.sha256(part).digest())
        return digest.hexdigest()

    def _key(self, path: Path, outputs: Sequence[Path]) -> str:
        return " ".join([str(path.resolve()), *(p.suffix for p in outputs)])

    def fresh(self, path: Path, outputs: Sequence[Path], context: str) -> bool:
        """Whether nothing has changed since the document was last built."""
        known = self.known.get(self._key(path, outputs))
        return known is not None and known == self.digest(path, outputs, context)

    def made(self, path: Path, outputs: Sequence[Path], context: str) -> None:
        """The document has just been built."""
        if digest := self.digest(path, outputs, context):
            self.known[self._key(path, outputs)] = digest
            self.changed = True

    def save(self) -> None:
        """Write them down; a cache that cannot be written is none."""
        if not self.changed:
            return
        kept = dict(list(self.known.items())[-MOST:])
        new = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            new.write_text(json.dumps(kept), encoding="utf-8")
            os.replace(new, self.path)
        except OSError:
            return
