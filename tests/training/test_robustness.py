"""Films changed on purpose: corruptions, parts taken away, small copies; and trivial baselines."""

from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from neumo import image
from neumo.release import phantom
from neumo_training import evaluation
from neumo_training.datasets import film_table, lung_masks
from neumo_training.evaluation import baselines, lungs_figures, performance, robustness, shortcuts
from neumo_training.evaluation.cohort import Cohort
from neumo_training.evaluation.corruptions import CORRUPTIONS, corrupted
from neumo_training.evaluation.in_process_models import Answers

FILMS = phantom.draw(7, 3)


def moved(name, severity):
    """How far the corruption moves a pixel of ``FILMS``, root of the mean square."""
    change = corrupted(name, severity, FILMS, 1).astype(float) - FILMS
    return float(np.sqrt((change**2).mean()))


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_grows_with_its_severity(name):
    """Films keep their shape and type, and are further from the clean ones at each step."""
    assert corrupted(name, 5, FILMS, 1).shape == FILMS.shape
    assert corrupted(name, 5, FILMS, 1).dtype == np.uint8
    steps = [moved(name, severity) for severity in (1, 3, 5)]
    assert 0.0 < steps[0] < steps[1] < steps[2]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_seed_corrupts_the_same(name):
    """A report can be made again to the last digit."""
    first, second = (corrupted(name, 3, FILMS, 5) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_blurring_keeps_a_flat_film_flat():
    """The kernel sums to one, at the edges too."""
    flat = np.full((1, 256, 256, 1), 90, np.uint8)
    np.testing.assert_array_equal(corrupted("gaussian_blur", 5, flat, 0), flat)


def lungs():
    """One film's mask: a block from row 80 to 179, column 50 to 149."""
    found = np.zeros((1, 256, 256), np.uint8)
    found[0, 80:180, 50:150] = 1
    return found


def test_what_is_taken_away_is_the_films_mean():
    """Inside the lungs the film is as it was, outside it is flat, and the reverse."""
    film, inside = FILMS[:1], lungs() > 0
    mean = round(float(film.mean()))
    made = shortcuts.inputs(film, lungs())
    np.testing.assert_array_equal(made["lungs_only"][inside], film[inside])
    assert set(made["lungs_only"][~inside].ravel()) == {mean}
    np.testing.assert_array_equal(made["lungs_removed"][~inside], film[~inside])
    assert set(made["lungs_removed"][inside].ravel()) == {mean}


def test_the_box_has_a_margin_on_every_side():
    """6 % of 100 rows and columns is 6."""
    (box,) = shortcuts.boxes(lungs())
    rows, columns = np.flatnonzero(box.any(axis=1)), np.flatnonzero(box.any(axis=0))
    assert (rows[0], rows[-1], columns[0], columns[-1]) == (74, 185, 44, 155)


def test_a_film_without_lungs_is_its_own_box():
    """Where no lungs are found, the members are shown the whole film."""
    assert shortcuts.boxes(np.zeros((1, 256, 256), np.uint8)).all()


def test_a_stray_pixel_does_not_widen_the_box():
    """The box is the one that frames what members see."""
    stray = lungs()
    stray[0, 10, 10] = 1
    np.testing.assert_array_equal(shortcuts.boxes(stray), shortcuts.boxes(lungs()))


def test_the_border_of_the_shortcuts_is_the_baselines():
    """What is bright only inside of the one is dark to the other."""
    inside = ~shortcuts.borders(1)
    film = np.where(inside, 255, 0).astype(np.uint8)[..., None]
    assert not baselines.border_brightness(film).any()
    wider = np.zeros_like(film)
    wider[:, 16:-16, 16:-16] = 255
    np.testing.assert_array_equal(film, wider)


def test_without_masks_only_the_borders_are_tested():
    """The other tests need to know where the lungs are."""
    assert shortcuts.inputs(FILMS, None).keys() == {"borders_only"}


def test_dice_is_one_for_the_same_and_for_two_empty_masks():
    """Half of one mask in the other gives two thirds."""
    half = lungs()
    half[0, 130:] = 0
    empty = np.zeros_like(half)
    assert lung_masks.dice(lungs(), lungs()) == pytest.approx([1.0])
    assert lung_masks.dice(half, lungs()) == pytest.approx([2 / 3])
    assert lung_masks.dice(empty, empty) == pytest.approx([1.0])


def test_the_share_of_heat_is_unknown_where_there_is_none():
    """A quarter of even heat lies in a quarter of the film."""
    quarter = np.zeros((2, 256, 256), np.uint8)
    quarter[:, :128, :128] = 1
    heat = np.stack([np.ones((256, 256), np.float32), np.zeros((256, 256), np.float32)])
    share = lungs_figures.share_inside(heat, quarter)
    assert share[0] == pytest.approx(0.25)
    assert np.isnan(share[1])


def copied(folder, draw):
    """What ``as_small_copies`` finds about four films that ``draw`` makes."""
    for label in ("NORMAL", "PNEUMONIA"):
        (folder / label).mkdir()
        for number in range(2):
            draw(number).save(folder / label / f"{number}.png")
    table = film_table.scan(folder)
    pixels = np.stack([image.read(path).pixels for path in table["path"]])

    def grain(films):
        return Answers({"fine": films.std(axis=(1, 2, 3)) / 128.0}, 0.5)

    cohort = Cohort(table, pixels, np.full((4, 2), (700, 900)))
    return robustness.as_small_copies(grain, cohort, grain(pixels))


def test_a_large_film_is_compared_with_its_small_copy(tmp_path):
    """A model that reads fine detail moves; the share of larger films is told."""
    random = np.random.RandomState(0)

    def noise(_):
        return Image.fromarray(random.randint(0, 256, (900, 700)).astype(np.uint8))

    found = copied(tmp_path, noise)
    assert (found["films"], found["larger_than_the_copy"]) == (4, 4)
    assert found["moved_most"] >= found["moved_mean"] > 0.01


def test_a_copy_is_read_as_the_sdk_reads_the_film(tmp_path):
    """A film of 16 bits becomes the same greys in its copy: a model of contrast hardly moves."""

    def deep(number):
        film = phantom.draw(number, 1)[0, :, :, 0].astype(np.uint16) * 200
        return Image.fromarray(film).resize((600, 500))

    assert copied(tmp_path, deep)["moved_most"] < 0.02


def test_predictive_values_follow_bayes():
    """At sensitivity 2/3, specificity 2/3 and prevalence 20 %, one call in three is right."""

    @dataclass(frozen=True)
    class Six:
        labels = np.array([0, 0, 0, 1, 1, 1], np.float32)
        patients = np.array(list("abcdef"))

    answers = Answers({"m": np.array([0.1, 0.2, 0.6, 0.4, 0.7, 0.9])}, 0.5)
    row = performance.predictive_values(answers, Six())[-1]
    assert row["prevalence"] == 0.2
    assert row["ppv"]["value"] == pytest.approx(1 / 3)
    assert row["npv"]["value"] == pytest.approx((2 / 3 * 0.8) / (2 / 3 * 0.8 + 1 / 3 * 0.2))


@dataclass(frozen=True)
class Pictures:
    """Films and their labels."""

    pixels: np.ndarray
    labels: np.ndarray


def pictures(count, seed):
    """Grey films of one shade each, the sick a little brighter."""
    random = np.random.RandomState(seed)
    labels = (np.arange(count) % 2).astype(np.float32)
    shades = random.normal(100 + 20 * labels, 10)[:, None, None, None]
    return Pictures(np.broadcast_to(shades, (count, 256, 256, 1)).astype(np.uint8), labels)


def test_a_baseline_finds_what_brightness_tells():
    """Fitted on some films it ranks others; the constant ranks nothing."""
    train, test = pictures(40, 0), pictures(40, 1)
    found = baselines.scores(train, test)
    assert area(found["brightness"], test) > 0.8
    assert set(found["constant"]) == {0.0}
    assert "size" not in found


def test_a_baseline_of_the_files_shape_needs_sizes_that_differ():
    """Squashed copies of one size say nothing about shape."""
    films = pictures(40, 0)
    wide = np.stack([1000 + 100 * films.labels, np.full(40, 900)], axis=1).astype(int)
    assert area(baselines.scores(films, films, wide, wide)["aspect ratio"], films) == 1.0
    assert "aspect ratio" not in baselines.scores(films, films, wide, np.full((40, 2), 224))


def test_a_film_of_unknown_size_has_no_score_by_size():
    """It is neither fitted on nor judged; where most are unknown there is no such baseline."""
    films = pictures(40, 0)
    sizes = np.stack([1000 + 100 * films.labels, np.full(40, 900)], axis=1).astype(int)
    sizes[:4] = 0
    for found in (
        baselines.scores(films, films, sizes, sizes),
        baselines.cross_validated(films, np.arange(40).astype(str), sizes),
    ):
        np.testing.assert_array_equal(np.flatnonzero(np.isnan(found["size"])), range(4))
        assert not np.isnan(found["brightness"]).any()
    sizes[:25] = 0
    assert "size" not in baselines.scores(films, films, sizes, sizes)


def test_cross_validation_scores_no_patient_by_a_fit_on_themselves():
    """What only a patient's other films tell is learned by a fit on them, and not in folds."""
    random = np.random.RandomState(0)
    grain = random.randint(0, 256, (20, 32, 32)).repeat(8, axis=1).repeat(8, axis=2)
    patients = np.repeat(np.arange(20), 4)
    films = Pictures(grain[patients][..., None].astype(np.uint8), (patients % 2).astype(np.float32))
    known = baselines.scores(films, films)["ridge on 32 x 32"]
    unseen = baselines.cross_validated(films, patients.astype(str))["ridge on 32 x 32"]
    assert area(known, films) == 1.0
    assert area(unseen, films) < 0.8


def area(scores, films):
    """The AUC of ``scores`` on ``films``."""
    return evaluation.area(np.asarray(scores, float), films.labels)
