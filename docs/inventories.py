"""Write the small inventories by which the site links to others' pages: no network is asked.

``python docs/inventories.py`` writes ``docs/inventories/*.inv`` anew, the same bytes each time. A
name that a docstring uses and that is not here makes the build fail: add it.
"""

from __future__ import annotations

import zlib
from pathlib import Path

FOLDER = Path(__file__).parent / "inventories"

# project: (version, {name: (role, page)}); "$" in a page stands for the name.
INVENTORIES: dict[str, tuple[str, dict[str, tuple[str, str]]]] = {
    "python": (
        "3",
        {
            "BaseException": ("py:exception", "library/exceptions.html#$"),
            "Exception": ("py:exception", "library/exceptions.html#$"),
            "KeyError": ("py:exception", "library/exceptions.html#$"),
            "ValueError": ("py:exception", "library/exceptions.html#$"),
            "bool": ("py:class", "library/functions.html#$"),
            "bytearray": ("py:class", "library/stdtypes.html#$"),
            "bytes": ("py:class", "library/stdtypes.html#$"),
            "collections.abc.AsyncIterable": ("py:class", "library/collections.abc.html#$"),
            "collections.abc.AsyncIterator": ("py:class", "library/collections.abc.html#$"),
            "collections.abc.Collection": ("py:class", "library/collections.abc.html#$"),
            "collections.abc.Callable": ("py:class", "library/collections.abc.html#$"),
            "collections.abc.Iterable": ("py:class", "library/collections.abc.html#$"),
            "collections.abc.Iterator": ("py:class", "library/collections.abc.html#$"),
            "collections.abc.Mapping": ("py:class", "library/collections.abc.html#$"),
            "collections.abc.Sequence": ("py:class", "library/collections.abc.html#$"),
            "concurrent.futures.Future": ("py:class", "library/concurrent.futures.html#$"),
            "dict": ("py:class", "library/stdtypes.html#$"),
            "enum.StrEnum": ("py:class", "library/enum.html#$"),
            "float": ("py:class", "library/functions.html#$"),
            "int": ("py:class", "library/functions.html#$"),
            "list": ("py:class", "library/stdtypes.html#$"),
            "memoryview": ("py:class", "library/stdtypes.html#$"),
            "None": ("py:data", "library/constants.html#$"),
            "object": ("py:class", "library/functions.html#$"),
            "os.PathLike": ("py:class", "library/os.html#$"),
            "pathlib.Path": ("py:class", "library/pathlib.html#$"),
            "str": ("py:class", "library/stdtypes.html#$"),
            "subprocess.Popen": ("py:class", "library/subprocess.html#$"),
            "tuple": ("py:class", "library/stdtypes.html#$"),
            "types.TracebackType": ("py:class", "library/types.html#$"),
            "typing.Any": ("py:data", "library/typing.html#$"),
            "typing.BinaryIO": ("py:class", "library/typing.html#$"),
        },
    ),
    "numpy": (
        "2",
        {
            "numpy.dtype": ("py:class", "reference/generated/numpy.dtype.html#$"),
            "numpy.float32": ("py:class", "reference/arrays.scalars.html#$"),
            "numpy.generic": ("py:class", "reference/arrays.scalars.html#$"),
            "numpy.ndarray": ("py:class", "reference/generated/numpy.ndarray.html#$"),
            "numpy.typing.NDArray": ("py:class", "reference/typing.html#$"),
            "numpy.uint8": ("py:class", "reference/arrays.scalars.html#$"),
        },
    ),
    "pillow": ("stable", {"PIL.Image.Image": ("py:class", "reference/Image.html#$")}),
    "requests": ("2", {"requests.post": ("py:function", "api.html#$")}),
}


def inventory(project: str) -> bytes:
    """The inventory of ``project`` in Sphinx' format, version 2."""
    version, names = INVENTORIES[project]
    head = (
        "# Sphinx inventory version 2\n"
        f"# Project: {project}\n"
        f"# Version: {version}\n"
        "# The remainder of this file is compressed using zlib.\n"
    )
    lines = [f"{name} {role} 1 {page} -\n" for name, (role, page) in sorted(names.items())]
    return head.encode() + zlib.compress("".join(lines).encode(), 9)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in INVENTORIES:
        (FOLDER / f"{each}.inv").write_bytes(inventory(each))
