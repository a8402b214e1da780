"""Lines of generated code, and the buffers that their values live in.

A value is referred to in a line by a mark; when all lines are there, each value gets a buffer from its first line to its last, so that few
buffers serve many values.  A line that works entry by entry may write where one of its operands lived.  Values to which the same is done lie
in one buffer, a stack, so that it is done to all of them at once.
"""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass, field

MARK = re.compile("\x00(\\d+):(\\w+)\x00")
SAFE = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


@dataclass(eq=False)
class Value:
    """An array of the generated code: its size texts, whether it has the batch axis, and the buffer or the name that holds it.

    A *stack* is `count` such arrays, one after the other along the first axis; each of them has the stack as its `root`, and a `place` in it.
    """

    number: int
    dims: tuple[str, ...]
    batched: bool
    name: str | None = None  # fixed names: arguments, outputs, views
    flat: str | None = None  # a matrix argument as two axes, where the batch axis would make it three
    root: Value | None = None  # whose buffer a view looks into
    place: int = 0
    count: int = 1

    def __str__(self) -> str:
        return self.view("base")

    def view(self, kind: str) -> str:
        """The text of the array (`base`), or of a prepared view of it: `column`, `flat` (two axes), `diagonal`."""
        if self.name is None:
            return f"\x00{self.number}:{kind}\x00"
        return self.name

    @property
    def home(self) -> Value:
        """What has the buffer that this array lies in."""
        return self if self.root is None else self.root.home


@dataclass
class Line:
    """A statement; `pointwise` if it may write where it reads."""

    text: str
    pointwise: bool = True


@dataclass
class Names:
    """Identifiers for generated code: the user's where they are plain ASCII identifiers and free, else made up."""

    taken: set[str] = field(default_factory=set)

    def take(self, wanted: str) -> str:
        """`wanted`, or a generated identifier in its place."""
        plain = wanted.replace("'", "_prime")
        if not SAFE.match(plain) or keyword.iskeyword(plain) or plain in self.taken:
            stem = plain if SAFE.match(plain) and not keyword.iskeyword(plain) else "a"
            k = 0
            while f"{stem}_{k}" in self.taken:
                k += 1
            plain = f"{stem}_{k}"
        self.taken.add(plain)
        return plain


@dataclass
class Lines:
    """The body of a generated function under construction."""

    names: Names
    body: list[Line] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)

    def value(
        self, dims: tuple[str, ...], batched: bool, name: str | None = None, flat: str | None = None, root: Value | None = None, place: int = 0, count: int = 1
    ) -> Value:
        """A new value; without a name it gets a buffer."""
        made = Value(len(self.values), dims, batched, name, flat, root, place, count)
        self.values.append(made)
        return made

    def stack(self, values: list[Value]) -> Value:
        """Arrays of the same sizes as one; one that would get a buffer of its own gets its place here, and nothing is copied."""
        whole = self.value(values[0].dims, values[0].batched, count=len(values))
        for k, v in enumerate(values):
            if v.name is None and v.root is None:
                v.root, v.place = whole, k
            else:
                self.add(f"copyto({self.part(whole, k)}, {v})")
        return whole

    def part(self, whole: Value, place: int) -> Value:
        """One array of a stack."""
        return whole if whole.count == 1 else self.value(whole.dims, whole.batched, root=whole, place=place)

    def add(self, text: str, pointwise: bool = True) -> None:
        """One more statement."""
        self.body.append(Line(text, pointwise))

    def allocated(self, batch: str | None) -> tuple[list[str], list[str]]:
        """The statements that make the buffers, and the body with the buffers' names in it."""
        first: dict[int, int] = {}
        last: dict[int, int] = {}
        aliases = {v.name: v.home.number for v in self.values if v.root is not None and v.name is not None}
        for k, line in enumerate(self.body):
            touched = {self.values[int(m[1])].home.number for m in MARK.finditer(line.text)}
            touched |= {aliases[word] for word in re.findall(r"\w+", line.text) if word in aliases}
            for v in touched:
                first.setdefault(v, k)
                last[v] = k
        free: dict[object, list[str]] = {}
        slots: dict[int, str] = {}
        shapes: dict[str, Value] = {}
        views: dict[tuple[str, str], str] = {}
        body: list[str] = []
        for k, line in enumerate(self.body):
            born = [v for v, at in first.items() if at == k]
            dying = [v for v, at in last.items() if at == k and v in slots]
            if line.pointwise:
                self._release(dying, slots, free)
            for v in born:
                value = self.values[v]
                pool = free.setdefault((value.dims, value.batched, value.count), [])
                if pool:
                    slots[v] = pool.pop()
                else:
                    slots[v] = self.names.take(f"{'_tM'[min(len(value.dims), 2)]}{len(shapes)}")
                    shapes[slots[v]] = value
            if not line.pointwise:
                self._release(dying, slots, free)
            self._release([v for v in born if last[v] == k], slots, free)
            body.append(MARK.sub(lambda m: self._view(m, slots, views), line.text))
        return self._made(shapes, views, batch), body

    def _release(self, dying: list[int], slots: dict[int, str], free: dict[object, list[str]]) -> None:
        for v in dying:
            value = self.values[v]
            free.setdefault((value.dims, value.batched, value.count), []).append(slots[v])

    def _view(self, mark: re.Match[str], slots: dict[int, str], views: dict[tuple[str, str], str]) -> str:
        value, kind = self.values[int(mark[1])], mark[2]
        slot = slots[value.home.number]
        if value.root is not None:
            kind = f"part{value.place}" + f"_{kind}" * (kind != "base")
        if kind == "base":
            return slot
        if (slot, kind) not in views:
            views[slot, kind] = self.names.take(f"{slot}_{kind}")
        return views[slot, kind]

    def _made(self, shapes: dict[str, Value], views: dict[tuple[str, str], str], batch: str | None) -> list[str]:
        made = []
        for slot, value in shapes.items():
            axes = (*value.dims, *(() if batch is None else (batch if value.batched else "1",)))
            if value.count > 1:
                axes = (f"{value.count} * {axes[0]}", *axes[1:])
            made.append(f'{slot} = new("{slot}", ({", ".join(axes)}{"," * (len(axes) == 1)}))')
        for (slot, kind), name in views.items():
            made.append(f"{name} = {view_text(slot, kind, shapes[slot].dims, batch is not None)}")
        return made


def view_text(name: str, kind: str, dims: tuple[str, ...], batch: bool) -> str:
    """The expression of a view, of a part of a stack perhaps; its dims are those of the array without the batch axis."""
    if kind.startswith("part"):
        place, _, kind = kind.removeprefix("part").partition("_")
        name = f"{name}[{place} * {dims[0]}:{int(place) + 1} * {dims[0]}]"
    if not kind:
        return name
    if kind == "column":
        return f"{name}[:, None]"
    if kind == "flat":
        return f"{name}.reshape({dims[0]}, -1)"
    rows, columns = dims
    return f"{name}.reshape({rows} * {columns}, -1)[:: {columns} + 1]" if batch else f"{name}.reshape(-1)[:: {columns} + 1]"
