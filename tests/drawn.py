"""A drawn data set in Kaggle's layout, and configurations small enough for tests."""

from pathlib import Path

from PIL import Image

from neumo import phantom

SIDE_PX = 224
PATIENTS = 24
CONFIG = """
model = "{model}"
architecture = "{architecture}"
widths = [4, 8]
blocks = [1, 1]
dropout = 0.1
seed = 3
epochs = {epochs}
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


def write_configs(folder: Path, epochs: int = 2) -> Path:
    """One small configuration for each member."""
    folder.mkdir()
    for model, architecture in (("pneumonia_tuned", "plain"), ("pneumonia_residual", "residual")):
        text = CONFIG.format(model=model, architecture=architecture, epochs=epochs)
        (folder / f"{model}.toml").write_text(text)
    return folder
