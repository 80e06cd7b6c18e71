"""The lungs' network: its data, what it learns, what it refuses."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from neumo.errors import ConfigError
from neumo_training.datasets import drawn_nonchest, film_table, lung_masks, splits
from neumo_training.fitting import lungs_training, pipeline
from neumo_training.networks import lungs_network, network_config
from support.drawn_dataset import write_films, write_masks


def test_masks_are_found_by_the_films_name(tmp_path):
    """Each film gets the mask of its name; one without a mask is not known."""
    table = film_table.scan(write_films(tmp_path / "films", patients=4))
    folder = write_masks(tmp_path / "masks", tmp_path / "films")
    (folder / "NORMAL" / "IM-0002-0001.png").unlink()
    found = lung_masks.load(table, folder, print)
    assert found.known.sum() == 7
    assert not found.known[list(table["name"]).index("IM-0002-0001.jpeg")]
    assert set(np.unique(found.pixels)) == {0, 1}


def test_a_damaged_mask_is_left_out_and_said(tmp_path):
    """An unreadable mask is counted, not silently skipped."""
    table = film_table.scan(write_films(tmp_path / "films", patients=4))
    folder = write_masks(tmp_path / "masks", tmp_path / "films")
    (folder / "NORMAL" / "IM-0002-0001.png").write_bytes(b"no image")
    said: list[str] = []
    assert lung_masks.load(table, folder, said.append).known.sum() == 7
    assert said == ["left out: 1 lung masks that cannot be read"]


@pytest.mark.parametrize("options", [{"size": (512, 512)}, {"quality": 75}], ids=str)
def test_grey_edges_of_a_mask_are_no_lung(tmp_path, options):
    """Enlarged smoothly, or once a JPEG, it is the mask that was drawn."""
    table = film_table.scan(write_films(tmp_path / "films", patients=4))
    folder = write_masks(tmp_path / "masks", tmp_path / "films")
    before = lung_masks.load(table, folder, print).pixels
    for path in folder.rglob("*.png"):
        mask = Image.open(path).convert("L").resize((256, 256), Image.Resampling.NEAREST)
        if "size" in options:
            mask = mask.resize(options["size"], Image.Resampling.BICUBIC)
        if "quality" in options:
            file = io.BytesIO()
            mask.save(file, "JPEG", quality=options["quality"])
            mask = Image.open(file)
        mask.save(path)
    after = lung_masks.load(table, folder, print).pixels
    np.testing.assert_array_less(0.999, lung_masks.dice(after, before))


def test_a_mask_without_white_is_left_out_and_said(tmp_path):
    """A mask of 0 and 1 is not taken for a film without lungs; a black one is one."""
    table = film_table.scan(write_films(tmp_path / "films", patients=4))
    folder = write_masks(tmp_path / "masks", tmp_path / "films")
    Image.new("L", (256, 256), 1).save(folder / "NORMAL" / "IM-0002-0001.png")
    Image.new("L", (256, 256), 0).save(folder / "NORMAL" / "IM-0001-0001.png")
    said: list[str] = []
    assert lung_masks.load(table, folder, said.append).known.sum() == 7
    assert said == ["left out: 1 lung masks without white (255), which is lung"]


def test_masks_are_looked_for_in_the_part_of_the_films(tmp_path):
    """Films of train get train's masks, though test comes before it elsewhere."""
    table = film_table.scan(write_films(tmp_path / "films" / "train", patients=4))
    write_masks(tmp_path / "masks" / "train", tmp_path / "films" / "train")
    (tmp_path / "masks" / "test" / "NORMAL").mkdir(parents=True)
    assert lung_masks.load(table, tmp_path / "masks", print).known.all()


def test_two_empty_masks_agree():
    """Nothing found where nothing was drawn is right, in training as in evaluation."""
    nothing = np.zeros((1, 256, 256, 1), np.uint8)
    assert lung_masks.dice(nothing, nothing) == pytest.approx([1.0])
    assert lungs_training.dice_at_half(nothing.astype(np.float32), nothing) == pytest.approx([1.0])


def test_a_folder_without_masks_is_one_clear_line(tmp_path):
    """The line says what was expected where."""
    table = film_table.scan(write_films(tmp_path / "films", patients=4))
    with pytest.raises(ConfigError, match="no lung mask of any of these films; expected NORMAL/"):
        lung_masks.load(table, tmp_path, print)


def test_a_folder_of_other_masks_is_refused(run):
    """The same films with one mask drawn anew are another run."""
    settings = network_config.read_all(run.workdir.parent / "configs").localiser
    table = film_table.scan(run.data)
    films = pipeline.development_films(table, splits.splits_for(table), print)
    seen = lungs_training.see(films)
    groups = sorted(set(seen.table["group"]))
    held = seen.table["group"].isin(groups[::12]).to_numpy()
    drawn = lung_masks.load(films.table, run.workdir.parent / "masks", print)
    folder = run.workdir / settings.model
    lungs_training.fit(settings, seen, drawn, held, folder, pytest.fail)
    drawn.pixels[np.flatnonzero(~held)[0]] = 0
    with pytest.raises(ConfigError, match="a run of other films"):
        lungs_training.fit(settings, seen, drawn, held, folder, pytest.fail)


def test_too_few_masks_to_learn_from_and_to_test_on_is_one_clear_line(run, tmp_path):
    """A single mask is either learned from or tested on; nothing is trained before that is said."""
    settings = network_config.read_all(run.workdir.parent / "configs").localiser
    table = film_table.scan(run.data)
    seen = lungs_training.Seen(table, np.zeros((len(table), 128, 128, 1), np.float16))
    for row in (0, 1):
        one = lung_masks.Masks(np.ones((len(table), 256, 256, 1), np.uint8), table.index == row)
        with pytest.raises(ConfigError, match="--masks: too few, 1 of these films"):
            pipeline.lungs_network(seen, one, settings, tmp_path, print)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", drawn_nonchest.KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_is_drawn_from_its_seed(kind):
    """The same seed draws the same picture, another seed another one."""
    first, again, other = (kind(np.random.RandomState(seed)) for seed in (3, 3, 4))
    assert first.size == (256, 256)
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_drawings_are_the_contracts_images():
    """uint8 [n, 256, 256, 1], every kind in turn."""
    drawn = drawn_nonchest.draw(1, len(drawn_nonchest.KINDS) + 1)
    assert drawn.shape == (len(drawn_nonchest.KINDS) + 1, 256, 256, 1)
    assert drawn.dtype == np.uint8


def test_a_spoilt_film_keeps_its_pixels_and_loses_its_order():
    """Turned or cut into pieces: the same pixels elsewhere."""
    film = np.arange(128 * 128, dtype=np.float32).reshape(128, 128, 1)
    for seed in range(8):
        spoilt = lungs_training._spoilt(film, np.random.RandomState(seed))
        assert spoilt.shape == film.shape
        assert not np.array_equal(spoilt, film)
        np.testing.assert_array_equal(np.sort(spoilt, axis=None), np.sort(film, axis=None))


def test_masks_have_the_size_of_the_network_or_of_the_film(run, tmp_path):
    """Another size is one clear line, before anything is trained."""
    settings = replace(network_config.read_all().lungs, mask_size_px=200)
    table = film_table.scan(run.data)
    seen = lungs_training.Seen(table, np.zeros((len(table), 128, 128, 1), np.float16))
    drawn = lung_masks.Masks(
        np.ones((len(table), 256, 256, 1), np.uint8), np.ones(len(table), bool)
    )
    with pytest.raises(ConfigError, match="mask_size_px 200: choose 128 or 256"):
        pipeline.lungs_network(seen, drawn, settings, tmp_path, print)


def test_cells_and_pixels_are_the_same():
    """Gathering pixels into cells and spreading them again changes nothing."""
    film = np.random.RandomState(0).rand(2, 8, 8, 1).astype(np.float32)
    np.testing.assert_array_equal(lungs_network.FromCells()(lungs_network.ToCells()(film)), film)


def test_dice_is_one_for_the_same_and_none_for_the_opposite():
    """Two halves: 1 with itself, 0 with the other, 2/3 with everything."""
    half = np.zeros((1, 128, 128, 1), np.uint8)
    half[:, :64] = 1
    guesses = (half.astype(np.float32), 1.0 - half, np.ones_like(half, np.float32))
    found = [lungs_training.dice_at_half(np.float32(guess), half)[0] for guess in guesses]
    assert found == pytest.approx([1.0, 0.0, 2 / 3])
