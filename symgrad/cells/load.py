"""A cell by its name on the command line: one of the library, or ``file.py:function``."""

from __future__ import annotations

import importlib.util
import sys
from difflib import get_close_matches
from pathlib import Path

from symgrad.errors import SymgradError
from symgrad.face.cell import Cell, cell


def load(name: str) -> Cell:
    """The cell called `name`; a plain function in a file becomes a cell."""
    if ":" in name:
        path, _, function = name.rpartition(":")
        return _from_file(Path(path), function)
    from symgrad.cells import LIBRARY

    if name not in LIBRARY:
        if name.endswith(".py"):
            raise SymgradError(f"which function of {name}? write {name}:FUNCTION")
        near = get_close_matches(name, LIBRARY, 3)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise SymgradError(f"no cell {name!r}; {hint}`symgrad cells` lists the library, and a cell of your own is file.py:function")
    return LIBRARY[name]


def _from_file(path: Path, function: str) -> Cell:
    if not path.is_file():
        raise SymgradError(f"{path}: no such file")
    spec = importlib.util.spec_from_file_location(f"symgrad_user_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise SymgradError(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except SymgradError:
        raise
    except SyntaxError as e:
        raise SymgradError(f"{path}:{e.lineno}: {e.msg}") from None
    except (Exception, SystemExit) as e:
        raise SymgradError(f"{path}: importing it failed with {type(e).__name__}: {e}") from None
    finally:
        sys.path.remove(str(path.parent))
    found = getattr(module, function, None)
    if not callable(found):
        cells = [k for k, v in vars(module).items() if isinstance(v, Cell)]
        near = get_close_matches(function, cells, 3) or cells[:10]
        hint = f"; its cells are {', '.join(near)}" if near else "; decorate a function with @symgrad.cell"
        raise SymgradError(f"{path} has no function {function!r}{hint}{', …' if len(near) < len(cells) else ''}")
    try:
        return found if isinstance(found, Cell) else cell(found)
    except AttributeError:
        raise SymgradError(f"{path}: {function} is a {type(found).__name__}; a cell is a function of arrays") from None
