"""Drawn films as files of every format, made in memory."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from neumo.release import phantom

SIZE_PX = (640, 480)
NAME, NUMBER = "SECRETNAME^PATIENT", "SECRETNUMBER17"
DX_STORAGE = "1.2.840.10008.5.1.4.1.1.1.1"


def drawn(seed: int = 4) -> Image.Image:
    """A greyscale film."""
    return Image.fromarray(phantom.draw(seed, 1)[0, :, :, 0]).resize(SIZE_PX)


def file(kind: str, seed: int = 4) -> bytes:
    """A film in Pillow's format ``kind``, or as DICOM."""
    if kind == "DICOM":
        return dicom(np.asarray(drawn(seed)))
    content = io.BytesIO()
    drawn(seed).save(content, kind)
    return content.getvalue()


def enlarged(times: int) -> bytes:
    """A large DICOM film: a drawn one, ``times`` as wide and as high as 640 x 480 pixels."""
    return dicom(np.asarray(drawn()).repeat(times, axis=0).repeat(times, axis=1))


def dicom(pixels: np.ndarray, age: str = "034Y", syntax: str = ExplicitVRLittleEndian) -> bytes:
    """A DICOM file of uint8 ``pixels`` [h, w] with a patient's name and number in it."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DX_STORAGE
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = syntax
    dataset = FileDataset(None, Dataset(), file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = DX_STORAGE, meta.MediaStorageSOPInstanceUID
    dataset.PatientName, dataset.PatientID, dataset.PatientAge = NAME, NUMBER, age
    dataset.Modality, dataset.BodyPartExamined = "DX", "CHEST"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelRepresentation = 0
    dataset.PixelData = pixels.tobytes()
    content = io.BytesIO()
    dataset.save_as(content, enforce_file_format=True)
    return content.getvalue()
