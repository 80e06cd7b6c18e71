"""A drawn data set in Kaggle's layout, and configurations small enough for tests."""

from pathlib import Path

from PIL import Image, ImageDraw

from neumo.release import phantom

SIDE_PX = 224
PATIENTS = 24
MEMBER = """
model = "{model}"
architecture = "{architecture}"
widths = [4, 8]
blocks = [1, 1]
dropout = 0.1
seed = 3
curation = "{curation}"
epochs = {epochs}
steps_per_epoch = 4
patience_epochs = 5
batch_size = 8
learning_rate = 1e-3
weight_decay = 0.01
label_smoothing = 0.05
crop_area_min = 0.4
crop_aspect = 0.45
rotation_degrees = 15.0
gamma = 0.4
noise = 0.05
cutouts = 2
mixup = 0.2
error_weight = {error_weight}
"""
LUNGS = """
model = "{model}"
widths = [4, 8]
mask_size_px = {mask_size_px}
seed = 5
epochs = {epochs}
steps_per_epoch = 12
patience_epochs = 5
films_per_batch = 6
spoilt_per_batch = 1
drawn_per_batch = 2
phantoms_per_batch = 1
drawn = 20
learning_rate = 1e-2
weight_decay = 0.01
rotation_degrees = 10.0
zoom = 0.2
shift = 0.05
gamma = 0.3
noise = 0.05
"""


def write_films(folder: Path, patients: int = PATIENTS) -> Path:
    """Draw two classes of phantoms with Kermany's names: pneumonia's are brighter."""
    for label, offset in (("NORMAL", 0), ("PNEUMONIA", 60)):
        (folder / label).mkdir(parents=True)
        for n, pixels in enumerate(phantom.draw(seed=offset, count=patients)):
            kind = "virus" if n % 2 else "bacteria"
            name = f"IM-{n:04d}-0001" if label == "NORMAL" else f"person{n}_{kind}_{n}"
            film = Image.fromarray(pixels[:, :, 0]).resize((SIDE_PX, SIDE_PX))
            film.point(lambda v, o=offset: v + o).save(folder / label / f"{name}.jpeg")
    return folder


def write_masks(folder: Path, films: Path) -> Path:
    """Two ellipses, where a phantom has its lungs, for every film of ``films``."""
    for film in films.rglob("*.jpeg"):
        mask = Image.new("1", (256, 256))
        pen = ImageDraw.Draw(mask)
        for left in (40, 137):
            pen.ellipse([left, 38, left + 79, 207], fill=1)
        (folder / film.parent.name).mkdir(parents=True, exist_ok=True)
        mask.save(folder / film.parent.name / f"{film.stem}.png")
    return folder


def write_configs(folder: Path, epochs: int = 2) -> Path:
    """One small configuration for each model."""
    folder.mkdir()
    for model, side_px in (("localiser", 128), ("lungs", 256)):
        text = LUNGS.format(model=model, mask_size_px=side_px, epochs=epochs)
        (folder / f"{model}.toml").write_text(text)
    for model, architecture, curation, error_weight in (
        ("pneumonia_tuned", "plain", "all-weighted", 4.0),
        ("pneumonia_residual", "residual", "one-per-patient", 1.0),
    ):
        text = MEMBER.format(
            model=model,
            architecture=architecture,
            curation=curation,
            error_weight=error_weight,
            epochs=epochs,
        )
        (folder / f"{model}.toml").write_text(text)
    return folder
