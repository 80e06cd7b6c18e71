"""Cautions: what a reader of a prediction should know, each with a stable code.

===========================  ==================================================================
``not_a_chest_radiograph``   ``lungs`` finds no frontal chest; only with ``screen=False``
``not_screened``             no ``lungs`` answered: whether this is a chest is not known
``members_disagree``         the members fall on two sides of the threshold
``adult``, ``age``           the DICOM header's age is outside 1 to 5 years
``body_part``                the DICOM header names another part of the body
``modality``                 the DICOM header says that it is no radiograph
``lateral``                  the header names a lateral view
``bits``                     the header's bits or sign contradict the pixels, which were believed
``size``                     the header's rows, columns or frames contradict the data
``photometric``              the header contradicts itself, or the pixels, about white or colours
``lookup_table``             a lookup table contradicts its own header, or shows nothing
``window``                   the window is none, or does not fit these pixels
``rescale``                  the rescale or modality table would leave no picture
``padding``                  one value far from all others sets no contrast, undeclared
``compression``              the pixels are compressed in another way than the header says
``transparency``             the file says that much of it is transparent, and no air
``depth``                    the decoder hands on 8 bits a channel of more
``first_frame``              the file holds several frames
``rescaled``                 the file does not say its white level
``small``                    too few pixels, or enlarged from too few
``flat``                     almost no contrast, or half of the scale is not used
``saturated``                much of the film is pure white or pure black
``framed``                   the film lies in a frame, as on a screenshot
``negative``                 lungs are white: black and white seem to be exchanged
``turned``                   the film seems to stand on its head or lie on its side
``cut``                      a side of the chest seems to be missing
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

BITS = Caution(
    "bits", "the file's header contradicts its pixels about bits or sign: the pixels were believed"
)
SIZE = Caution(
    "size", "the file's rows, columns or frames do not fit its pixels: check the picture"
)
PHOTOMETRIC = Caution(
    "photometric", "the file contradicts itself about colours, or what is white: check the picture"
)
LOOKUP_TABLE = Caution(
    "lookup_table", "the file's lookup table contradicts itself or its pixels: check the contrast"
)
WINDOW = Caution(
    "window", "the file's window is none, or does not fit its pixels: check the contrast"
)
RESCALE = Caution("rescale", "the file's rescaling would leave no picture: it was not used")
PADDING = Caution(
    "padding", "one value far from all others sets no contrast: it was taken for padding"
)
COMPRESSION = Caution(
    "compression", "the pixels are not compressed as the file says: they were read as what they are"
)
TRANSPARENCY = Caution(
    "transparency", "the file's transparency would hide or darken the film: it was not used"
)
DEPTH = Caution(
    "depth", "of this file only 8 bits a channel could be read: check that the film is not too dark"
)

SMALL = Caution("small", "too few pixels to judge: give the film at its original size")
FLAT = Caution("flat", "too little contrast, too dark or too bright: check the film, its window")
SATURATED = Caution("saturated", "much of the film is pure white or black: detail is lost")
FRAMED = Caution("framed", "the film lies in a frame, as on a screenshot: give the film alone")
NEGATIVE = Caution("negative", "black and white seem to be exchanged: check the film")
TURNED = Caution("turned", "the film seems not to be upright: turn it")
CUT = Caution("cut", "a side of the chest seems to be missing: give the whole film")

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
    BITS,
    SIZE,
    PHOTOMETRIC,
    LOOKUP_TABLE,
    WINDOW,
    RESCALE,
    PADDING,
    COMPRESSION,
    TRANSPARENCY,
    DEPTH,
    SMALL,
    FLAT,
    SATURATED,
    FRAMED,
    NEGATIVE,
    TURNED,
    CUT,
)
"""Every caution that the SDK gives."""
