"""How the house stands, in figures: ``python tests/house.py [--list]``.

Read from the code's own imports, as text; nothing is run but one ``Client.predict`` against a
server in memory, whose calls are followed.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = {
    "neumo": ROOT / "client" / "neumo",
    "neumo_serving": ROOT / "serving" / "neumo_serving",
    "neumo_training": ROOT / "training" / "neumo_training",
    "neumo_k8s": ROOT / "k8s" / "neumo_k8s",
}
GENERATED = "_pb2"


def modules() -> dict[str, Path]:
    """Every module of the four packages by its dotted name, without what protoc generates."""
    found = {}
    for room, folder in ROOMS.items():
        for path in sorted(folder.rglob("*.py")):
            parts = [room, *path.relative_to(folder).with_suffix("").parts]
            if not path.stem.endswith(GENERATED):
                found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imports(path: Path, known: Iterable[str]) -> set[str]:
    """The modules of ``known`` that the file at ``path`` imports, at its top or later."""
    names = set(known)
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in names else node.module)
    return found & names


def graph() -> dict[str, set[str]]:
    """What each module imports of the four packages."""
    known = modules()
    return {name: imports(path, known) - {name} for name, path in known.items()}


def two_meanings(allowed: Iterable[str]) -> dict[str, list[str]]:
    """The modules' names that stand in two packages, but for ``allowed``, which mean the same."""
    homes = defaultdict(list)
    for name in modules():
        stem = name.rpartition(".")[2]
        if not stem.startswith("__") and "." in name:
            homes[stem].append(name)
    return {
        stem: names
        for stem, names in sorted(homes.items())
        if len(names) > 1 and stem not in set(allowed)
    }


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The groups of modules that import each other, directly or not (Tarjan's components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(edges[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = []
            while True:
                group.append(stack.pop())
                if group[-1] == node:
                    break
            if len(group) > 1:
                found.append(sorted(group))

    for node in edges:
        if node not in index:
            visit(node)
    return found


def folder_circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The groups of folders that import each other; a folder and what lies in it are no pair."""
    packages = {name for name, path in modules().items() if path.name == "__init__.py"}

    def home(name: str) -> str:
        return name if name in packages else name.rpartition(".")[0]

    between: dict[str, set[str]] = {package: set() for package in packages}
    for name, others in edges.items():
        for other in others:
            one, two = home(name), home(other)
            if not (one == two or one.startswith(f"{two}.") or two.startswith(f"{one}.")):
                between[one].add(two)
    return circles(between)


def floors(edges: dict[str, set[str]], root: str) -> dict[str, int]:
    """How many rooms lie below each room of the package ``root``, one upon the other, and itself."""

    def room(name: str) -> str:
        parts = name.split(".")
        return parts[1] if len(parts) > 1 else "__init__"

    below: dict[str, set[str]] = defaultdict(set)
    for name, others in edges.items():
        if name.partition(".")[0] == root:
            inside = {room(other) for other in others if other.partition(".")[0] == root}
            below[room(name)] |= inside - {room(name)}

    def height(one: str, above: tuple[str, ...] = ()) -> int:
        return 1 + max((height(b, (*above, one)) for b in below[one] if b not in above), default=0)

    return {one: height(one) for one in list(below)}


def across_rooms(edges: dict[str, set[str]], public: Iterable[str]) -> set[tuple[str, str]]:
    """Imports of the SDK's modules by the other rooms that are not of its ``public`` ones."""
    allowed = set(public)
    return {
        (name, other)
        for name, others in edges.items()
        for other in others
        if name.partition(".")[0] != "neumo"
        and other.partition(".")[0] == "neumo"
        and other not in allowed
    }


def passed_by_predict() -> list[str]:
    """The SDK's files in which ``Client.predict`` of a PNG over gRPC runs a line, once warm."""

    sys.path.insert(0, str(ROOT / "tests"))
    return _traced()


if __name__ == "__main__":
    edges = graph()
    dup = two_meanings(())
    print(len(dup))
    [print(" ", k, v) for k, v in dup.items()]
    print("circles", circles(edges))
    print("folder", folder_circles(edges))
    f = floors(edges, "neumo")
    print(max(f.values()), sorted(f.items(), key=lambda x: -x[1]))
    x = across_rooms(edges, [])
    from collections import Counter

    print(len(x))
    [print("  ", k, v) for k, v in Counter(o for _, o in x).most_common()]
