"""What a DICOM file says about its subject that a reader of a prediction should know.

Nothing that identifies a patient is kept: an age becomes "outside 1 to 5 years", no more.
"""

from __future__ import annotations

import re
from datetime import date

from pydicom import Dataset

from neumo.cautions import ADULT, AGE, BODY_PART, LATERAL, MODALITY, Caution

KEYWORDS = (
    "Modality",
    "BodyPartExamined",
    "ViewPosition",
    "PatientAge",
    "PatientBirthDate",
    "StudyDate",
)

_POPULATION_YEARS = (1, 6)
"""From the first birthday to the day before the sixth."""
_ADULT_YEARS = 18
_UNITS_PER_YEAR = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}

_RADIOGRAPHY = {"CR", "DX", "DR", "RG", "RF", "XA"}
_UNTOLD = {"", "OT", "SC"}
"""Modalities that leave open what the picture is: none, other, secondary capture."""
_CHEST = ("CHEST", "THORA", "LUNG", "RIB", "HEART")
_LATERAL = {"LL", "RL", "LAT", "LATERAL"}


def cautions(dataset: Dataset) -> tuple[Caution, ...]:
    """What to know about the subject of ``dataset``, a pydicom dataset not yet converted."""
    texts = {keyword: _text(dataset, keyword) for keyword in KEYWORDS}
    body_part = texts["BodyPartExamined"]
    found = {
        MODALITY: texts["Modality"] not in _RADIOGRAPHY | _UNTOLD,
        BODY_PART: bool(body_part) and not any(word in body_part for word in _CHEST),
        LATERAL: texts["ViewPosition"] in _LATERAL,
    }
    told = tuple(caution for caution, applies in found.items() if applies)
    return (*told, *_age_caution(_age_years(texts)))


def _text(dataset: Dataset, keyword: str) -> str:
    """The first value in capitals, "" where absent.

    From the raw bytes, because pydicom quotes a malformed value in a warning and in its log.
    """
    element = dataset.get_item(keyword)
    value = getattr(element, "value", None) or b""
    raw = value if isinstance(value, bytes) else str(value).encode("ascii", "ignore")
    return raw.decode("ascii", "ignore").split("\\")[0].strip(" \0").upper()


def _age_caution(years: float | None) -> tuple[Caution, ...]:
    first, end = _POPULATION_YEARS
    if years is None or first <= years < end:
        return ()
    return (ADULT if years >= _ADULT_YEARS else AGE,)


def _age_years(texts: dict[str, str]) -> float | None:
    """By the age given, else by the dates of birth and study; None where neither can be read."""
    age = re.fullmatch(r"(\d{1,4})([DWMY])", texts["PatientAge"])
    if age:
        return int(age[1]) / _UNITS_PER_YEAR[age[2]]
    born, studied = _date(texts["PatientBirthDate"]), _date(texts["StudyDate"])
    if born is None or studied is None or studied < born:
        return None
    return studied.year - born.year - ((studied.month, studied.day) < (born.month, born.day))


def _date(text: str) -> date | None:
    """A date as DICOM writes it, YYYYMMDD, or with the dots of its oldest version."""
    try:
        return date.fromisoformat(text.replace(".", ""))
    except ValueError:
        return None
