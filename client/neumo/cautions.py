"""Cautions: what a reader of a prediction should know, each with a stable code.

===========================  ==================================================================
``not_a_chest_radiograph``   ``lungs`` finds no frontal chest; only with ``screen=False``
``not_screened``             no ``lungs`` answered: whether this is a chest is not known
``members_disagree``         the members fall on two sides of the threshold
``adult``, ``age``           the DICOM header's age is outside 1 to 5 years
``body_part``                the DICOM header names another part of the body
``modality``                 the DICOM header says that it is no radiograph
``lateral``                  the DICOM header names a lateral view
``first_frame``              the file holds several frames
``rescaled``                 the file does not say its white level
===========================  ==================================================================
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caution:
    """Something a reader of the prediction should know: a stable code and a sentence."""

    code: str
    text: str

    def __str__(self) -> str:
        return self.text


NO_CHEST = Caution("not_a_chest_radiograph", "no frontal chest radiograph is found in this film")
NOT_SCREENED = Caution(
    "not_screened", "not screened: the model that tells chest radiographs apart did not answer"
)
MEMBERS_DISAGREE = Caution("members_disagree", "the models disagree: the answer is a close call")

FIRST_FRAME = Caution("first_frame", "the file holds several frames: only the first was read")
RESCALED = Caution(
    "rescaled", "the file does not say its white level: its own darkest and brightest were taken"
)

_TRAINED = "the models were trained on children of 1 to 5 years"
ADULT = Caution("adult", f"the patient is an adult: {_TRAINED}")
AGE = Caution("age", f"the patient is not 1 to 5 years old: {_TRAINED}")
BODY_PART = Caution("body_part", "the file does not say chest as the body part: check the film")
MODALITY = Caution("modality", "not a radiograph, says the file: the answer means nothing")
LATERAL = Caution("lateral", "a lateral view: the models were trained on frontal films")

ALL = (
    NO_CHEST,
    NOT_SCREENED,
    MEMBERS_DISAGREE,
    FIRST_FRAME,
    RESCALED,
    ADULT,
    AGE,
    BODY_PART,
    MODALITY,
    LATERAL,
)
"""Every caution that the SDK gives."""
