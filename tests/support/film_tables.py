"""Tables of films that no folder holds, for tests of curation and splits."""

import pandas as pd


def table(rows: list[tuple[str, str, str, int, str, str]]) -> pd.DataFrame:
    """A table of films from (label, type, series, number, group, sha256)."""
    columns = ["label", "type", "series", "number", "group", "sha256"]
    made = pd.DataFrame(rows, columns=columns)
    made["patient"] = made["series"] + "-" + made["number"].astype(str)
    made["name"] = [f"{i:03d}.jpeg" for i in range(len(made))]
    made["also_in"] = ""
    return made


def normals_and_persons(count: int) -> pd.DataFrame:
    """``count`` patients of each class."""
    return table(
        [
            *[("NORMAL", "normal", "IM", n, f"normal-{n}", f"n{n}") for n in range(count)],
            *[("PNEUMONIA", "virus", "person", n, f"person-{n}", f"p{n}") for n in range(count)],
        ]
    )
