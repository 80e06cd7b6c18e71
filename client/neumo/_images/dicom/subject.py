"""What a DICOM file says about its subject that a reader of a prediction should know.

Nothing that identifies a patient is kept: an age becomes "outside 1 to 5 years", no more.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from pydicom import Dataset

from neumo._images.dicom import element_numbers
from neumo.cautions import ADULT, AGE, BODY_PART, LATERAL, MODALITY, Caution

KEYWORDS = (
    "Modality",
    "BodyPartExamined",
    "AnatomicRegionSequence",
    "ViewPosition",
    "ViewCodeSequence",
    "SeriesDescription",
    "ProtocolName",
    "PatientAge",
    "PatientBirthDate",
    "StudyDate",
)
_TEXTS = tuple(keyword for keyword in KEYWORDS if not keyword.endswith("Sequence"))

_POPULATION_YEARS = (1, 6)
"""From the first birthday to the day before the sixth."""
_ADULT_YEARS = 18
_UNITS_PER_YEAR = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}

_RADIOGRAPHY = {"CR", "DX", "DR", "RG", "RF", "XA"}
_UNTOLD = {"", "OT", "SC"}
"""Modalities that leave open what the picture is: none, other, secondary capture."""

# English, Spanish, Portuguese, Italian, French, German; without accents.
_CHEST = re.compile(
    r"CHEST|THORA|TORA[XC]|TORAC|LUNG|\bRIBS?\b|\bHEART\b|PULM|POUMON|POLMON|PECHO|PEITO|PETTO|"
    r"POITRINE|BRUST|COSTAL|COSTILL|COSTELA|COTES\b|RIPPEN|CARDIA|CORAZON|CORACAO|MEDIASTIN|"
    r"BABYGRAM|\bCXR\b|\bTX\b|\bRX ?T\b|\bTRX\b"
)
_UNTOLD_PART = re.compile(
    r"|UNKNOWN|UNSPECIFIED|OTHER|OTROS?|OTRAS?|OUTROS?|ALTRO|AUTRES?|ANDERE|SONSTIGES?|NONE|"
    r"N ?/? ?A|UNDEFINED|NULL|GENERAL|DEFAULT|WHOLE ?BODY|BODY|TRUNK|TRONCO|TRONC|RUMPF|STAMM|"
    r"CUERPO|CORPO|CORPS|KORPER|-+|\?+|X+"
)
"""What leaves the part of the body open, or is larger than a chest: no reason to doubt it."""
# Not the abdomen with a chest in its name, nor vertebrae: those are other films.
_OTHER_PART = re.compile(r"SPINE|COLUMNA|COLUNA|COLONNA|RACHIS|\bWS\b|\bBWS\b|WIRBEL|VERTEB")
_BREAST = re.compile(r"MAMM|\bBREAST\b|\bSENO\b|\bSEIN\b|BRUSTDRUSE")
_LATERAL = re.compile(
    r"\b(LL|RL|LAT|LATERALE?S?|LATERALIS|LATERO ?LATERALE?|PERFIL|PROFIL|PROFILO|PROF|SEITLICH|"
    r"SEITE|SEITENBILD|LLL|RLL|LLO|LLD|SIDE|(LEFT|RIGHT|L|R|LT|RT) ?LAT(ERAL)?|"
    r"(IZQ|DER|IZQUIERD[AO]|DERECH[AO]) ?LAT(ERAL)?|PROFILE|FIANCO|STRANSLATERAL)\b"
)
_DECUBITUS = re.compile(r"DECUB|\b(LLD|RLD)\b")
"""Lying on a side and seen from the front: no lateral view. C.8.11.5.1.1 has LLD and RLD."""
_FRONTAL = re.compile(
    r"\b(AP|PA|A ?/ ?P|P ?/ ?A|FRONTAL|FRONTALE|FRONT|FRENTE|FACE|ANTERO ?POSTERIOR|"
    r"POSTERO ?ANTERIOR)\b"
)
_LATERAL_CODES = {"399067008", "399198007", "399173006", "R-10236", "R-10232", "R-10228"}
"""SNOMED CT and SRT, CID 4010: lateral, right lateral, left lateral projection."""


def cautions(dataset: Dataset) -> tuple[Caution, ...]:
    """What to know about the subject of ``dataset``, a pydicom dataset not yet converted."""
    texts = {keyword: element_numbers.text(dataset, keyword) for keyword in _TEXTS}
    found = {
        MODALITY: texts["Modality"] not in _RADIOGRAPHY | _UNTOLD,
        BODY_PART: _is_another_part(dataset, texts),
        LATERAL: _is_lateral(dataset, texts),
    }
    told = tuple(caution for caution, applies in found.items() if applies)
    return (*told, *_age_caution(_age_years(texts)))


def _is_another_part(dataset: Dataset, texts: dict[str, str]) -> bool:
    """Whether the file names a part of the body that is no chest; free texts count for it only."""
    part = _plain(texts["BodyPartExamined"])
    if not part:
        part = _plain(_code(dataset, "AnatomicRegionSequence")[1])
    if _UNTOLD_PART.fullmatch(part):
        return False
    is_other = bool(_OTHER_PART.search(part)) or bool(_BREAST.search(part))
    return is_other or not _CHEST.search(part)


def _is_lateral(dataset: Dataset, texts: dict[str, str]) -> bool:
    """Whether the view is named as lateral: in its element, its code, or else in free text."""
    view = _plain(texts["ViewPosition"])
    code, meaning = _code(dataset, "ViewCodeSequence")
    if _FRONTAL.search(view) or _DECUBITUS.search(view):
        return False
    if _LATERAL.search(view) or code in _LATERAL_CODES:
        return True
    if _FRONTAL.search(_plain(meaning)):
        return False
    free = " ".join(_plain(texts[word]) for word in ("SeriesDescription", "ProtocolName"))
    said = f"{_plain(meaning)} {free}"
    # "PA + LAT" names a study of two films, of which this may be either.
    names_front = _FRONTAL.search(said) or _DECUBITUS.search(said)
    return bool(_LATERAL.search(said)) and not names_front


def _code(dataset: Dataset, keyword: str) -> tuple[str, str]:
    """The value and the meaning of the first code of a sequence; "" where there is none."""
    items = dataset.get(keyword)
    if not items:
        return "", ""
    return (
        element_numbers.text(items[0], "CodeValue"),
        element_numbers.text(items[0], "CodeMeaning"),
    )


def _plain(text: str) -> str:
    """Capitals without accents, words parted by single blanks."""
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join(re.sub(r"[_.,;:()^+-]+", " ", letters).split())


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
