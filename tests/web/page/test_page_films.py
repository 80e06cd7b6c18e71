"""Films come in, and their answers are shown."""

import base64

import numpy as np
import pytest

import neumo
from support.patience import patience


@pytest.fixture
def expected(neumo_server):
    """What the SDK answers about a film."""

    def ask(film):
        with neumo.Client(neumo_server.grpc_url, timeout=patience(60)) as client:
            return client.predict(film)

    return ask


def spanish(fraction):
    """A fraction as the page writes it in Spanish."""
    return f"{100 * fraction:.1f}\N{NO-BREAK SPACE}%".replace(".", ",")


def test_pneumonia_film(open_page, pneumonia_film, expected):
    """The verdict is in words; the probability, the threshold and both members are the SDK's."""
    page = open_page()
    page.give(pneumonia_film)
    answer = expected(pneumonia_film)
    assert page.heading.inner_text() == "Indicios de neumonía"
    text = page.result.inner_text()
    assert f"La probabilidad de neumonía, {spanish(answer.probability)}, supera el umbral" in text
    assert f"Umbral {spanish(answer.threshold)}" in text
    for member in answer.members:
        assert spanish(member.probability) in text
    assert "Los dos modelos coinciden." in text
    assert "certeza" not in text.lower()
    page.shot("pneumonia")


def test_normal_film(open_page, normal_film, expected):
    """A normal film's number is still the probability of pneumonia, below its threshold."""
    page = open_page()
    page.give(normal_film)
    assert page.heading.inner_text() == "Sin indicios de neumonía"
    probability = spanish(expected(normal_film).probability)
    assert f"La probabilidad de neumonía, {probability}, no supera" in page.result.inner_text()
    page.shot("normal")


def test_members_disagree(open_page, divided_gateway, drawn_film):
    """Where the members disagree the page says so, and what each says alone."""
    page = open_page(divided_gateway)
    page.give(drawn_film)
    assert page.heading.inner_text() == "Dudoso: más bien con indicios de neumonía"
    assert "Los modelos no coinciden: es un caso límite." in page.result.inner_text()
    alone = page.page.locator(".members td:last-child").all_inner_texts()
    assert sorted(alone) == ["Neumonía", "Normal"]
    page.shot("disagreement")


@pytest.mark.parametrize(
    ("locale", "warning"),
    [("es-MX", "El paciente es adulto"), ("en-GB", "The patient is an adult")],
)
def test_dicom_film(open_page, adult_film, locale, warning):
    """A DICOM film, which no browser can show, is shown; its warning is in the page's language."""
    page = open_page(locale=locale)
    page.give(adult_film)
    assert warning in page.page.locator(".warnings").inner_text()
    assert page.pixels().std() > 20
    page.shot(f"dicom_{locale}")


def test_several_at_once(open_page, adult_film, drawn_film, text_file):
    """Each film has its place in the order given; one that is none leaves the others be."""
    page = open_page()
    page.give(drawn_film, text_file, adult_film)
    names = page.page.locator("#films .name").all_inner_texts()
    assert names == [drawn_film.name, text_file.name, adult_film.name]
    lines = page.page.locator("#films .line").all_inner_texts()
    assert lines[0].startswith("Normal ·")
    assert lines[1] == "No se puede leer como radiografía"
    assert lines[2].startswith("Dudoso (Neumonía) ·")
    page.page.locator("#films .film").nth(2).click()
    assert adult_film.name in page.result.inner_text()
    page.shot("several")


def test_text_file(open_page, text_file):
    """A file that is no film is refused in words, without an answer and without a retry."""
    page = open_page()
    page.give(text_file)
    assert page.heading.inner_text() == "No se puede leer como radiografía"
    assert "El archivo está dañado" in page.result.inner_text()
    assert page.result.get_by_role("button").count() == 0
    assert page.page.locator(".scale").count() == 0
    page.shot("text_file")


def test_slider_moves_between_film_and_heat(open_page, drawn_film):
    """Without the heat map the canvas is the grey film; with it, the same film in colour."""
    page = open_page()
    page.give(drawn_film)
    page.page.get_by_label("Contorno de los pulmones").uncheck()
    page.page.fill("#opacity", "0")
    plain = page.pixels()
    assert np.ptp(plain, axis=2).max() == 0
    page.page.fill("#opacity", "100")
    heated = page.pixels()
    assert np.ptp(heated, axis=2).max() > 100
    assert page.page.locator(".slider output").inner_text() == "100\N{NO-BREAK SPACE}%"


def test_film_keeps_its_proportions(open_page, tmp_path):
    """The film is shown as wide and high as it was, though the models see a square."""
    from support.films import drawn

    wide = tmp_path / "wide.png"
    drawn().resize((800, 400)).save(wide)
    page = open_page()
    page.give(wide)
    box = page.page.locator(".screen > canvas").bounding_box()
    assert box["width"] / box["height"] == pytest.approx(2, rel=0.02)


def test_lungs(open_page, lungs_gateway, drawn_film):
    """Where the lungs are served their contour lies on the film, and can be taken away."""
    page = open_page(lungs_gateway)
    page.give(drawn_film)
    assert page.heading.inner_text() == "Sin indicios de neumonía"
    assert "del calor está dentro de los pulmones" in page.result.inner_text()
    outlined = page.pixels()
    page.shot("lungs")
    page.page.get_by_label("Contorno de los pulmones").uncheck()
    assert (page.pixels() != outlined).any()


def test_the_contour_lies_where_the_lungs_do(open_page, lungs_gateway, drawn_film):
    """Though its stairs are smoothed, a box of lungs keeps its corners to two pixels of 256."""
    page = open_page(lungs_gateway)
    page.give(drawn_film)
    page.page.fill("#opacity", "0")
    outlined = page.pixels()
    page.page.get_by_label("Contorno de los pulmones").uncheck()
    rows, columns = np.nonzero((page.pixels() != outlined).any(axis=2))
    height, width = outlined.shape[:2]
    # The fake's lungs are the box from (32, 64) to (224, 192); each line has its own thickness.
    found = [columns.min() / width, columns.max() / width, rows.min() / height, rows.max() / height]
    assert np.array(found) * 256 == pytest.approx([32, 224, 64, 192], abs=2.5)
    corner = np.hypot(columns / width * 256 - 32, rows / height * 256 - 64).min()
    assert corner <= 2


def test_no_lungs_no_contour(open_page, divided_gateway, drawn_film):
    """Where the lungs are not served nothing on the page speaks of them."""
    page = open_page(divided_gateway)
    page.give(drawn_film)
    assert page.page.get_by_label("Contorno de los pulmones").count() == 0


TRANSFER = """([verb, content]) => {
  const bytes = Uint8Array.from(atob(content), c => c.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], verb === "paste" ? "image.png" : "suelta.png"));
  const options = { bubbles: true, cancelable: true };
  document.dispatchEvent(verb === "paste"
    ? new ClipboardEvent(verb, { ...options, clipboardData: transfer })
    : new DragEvent(verb, { ...options, dataTransfer: transfer }));
}"""


@pytest.mark.parametrize(("verb", "name"), [("drop", "suelta.png"), ("paste", "Imagen pegada 1")])
def test_dropped_or_pasted(open_page, drawn_film, verb, name):
    """A film that is dropped anywhere or pasted is taken as a chosen one."""
    page = open_page()
    content = base64.b64encode(drawn_film.read_bytes()).decode()
    page.page.evaluate(TRANSFER, [verb, content])
    page.wait_for(1)
    assert page.page.locator("#films .name").inner_text() == name
    assert page.heading.inner_text() == "Sin indicios de neumonía"


def test_name_stays_in_the_browser(open_page, drawn_film):
    """The film is sent without its name, which the page shows."""
    page = open_page()
    page.give(drawn_film)
    assert drawn_film.name in page.result.inner_text()
    for request in page.requests:
        sent = str(request.all_headers()) + request.url
        assert "Garcia" not in sent
        assert b"Garcia" not in (request.post_data_buffer or b"")


def test_nothing_is_stored(open_page, drawn_film):
    """The browser keeps nothing: a reload has an empty list."""
    page = open_page()
    page.give(drawn_film)
    kept = page.page.evaluate(
        """async () => [localStorage.length, sessionStorage.length, document.cookie,
        (await indexedDB.databases()).length, (await caches.keys()).length]"""
    )
    assert kept == [0, 0, "", 0, 0]
    page.page.reload()
    page.page.locator("#service.ready").wait_for()
    assert page.page.locator("#films li").count() == 0
    assert page.page.locator("#history").is_hidden()


def test_films_are_removed(open_page, drawn_film, adult_film):
    """One film is removed and its neighbour is shown; then all, and the page is as at first."""
    page = open_page()
    page.give(drawn_film, adult_film)
    page.page.get_by_role("button", name=f"Quitar {drawn_film.name} de la lista").click()
    assert page.page.locator("#films .name").all_inner_texts() == [adult_film.name]
    assert adult_film.name in page.result.inner_text()
    page.page.get_by_role("button", name="Borrar todo").click()
    assert page.result.is_hidden()
    assert page.page.evaluate("document.activeElement.id") == "chooser"


CAUTION_RGB = {"light": "rgb(109, 74, 0)", "dark": "rgb(236, 199, 102)"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_doubt_is_told_wherever_the_verdict_is(open_page, divided_gateway, drawn_film, scheme):
    """Neither green nor red: amber, in the result, on the list, on paper and to a screen reader."""
    page = open_page(divided_gateway, color_scheme=scheme)
    page.give(drawn_film)
    colour = "e => getComputedStyle(e).color"
    assert page.page.eval_on_selector("#result-title", colour) == CAUTION_RGB[scheme]
    assert page.page.eval_on_selector("#films .line", colour) == CAUTION_RGB[scheme]
    assert page.page.locator("#films .line").inner_text().startswith("Dudoso (Neumonía) ·")
    said = page.page.locator("#announcer").text_content()
    assert "Dudoso: más bien con indicios de neumonía" in said
    assert "Los modelos no coinciden" in said
    page.shot(f"doubtful_{scheme}")
    page.page.emulate_media(media="print")
    assert page.page.eval_on_selector("#result-title", colour) == CAUTION_RGB["light"]


@pytest.mark.parametrize(
    ("probability", "heading"),
    [
        (0.46, "Dudoso: más bien sin indicios de neumonía"),
        (0.54, "Dudoso: más bien con indicios de neumonía"),
        (0.44, "Sin indicios de neumonía"),
        (0.56, "Indicios de neumonía"),
    ],
)
def test_an_answer_near_the_threshold_is_doubtful(
    open_page, sure_gateway, drawn_film, probability, heading
):
    """Within five hundredths of it, though both members agree."""
    page = open_page(sure_gateway(probability))
    page.give(drawn_film)
    assert page.heading.inner_text() == heading


def test_warnings_stand_on_the_list_and_are_read_aloud(open_page, adult_film):
    """An adult's film is told to be one without being opened."""
    page = open_page()
    page.give(adult_film)
    assert "El paciente es adulto" in page.page.locator("#films .cautions").inner_text()
    said = page.page.locator("#announcer").text_content()
    assert "El paciente es adulto: los modelos se entrenaron" in said


@pytest.mark.parametrize("probability", [0.0, 0.992, 1.0])
def test_the_main_number_lies_whole_within_its_scale(
    open_page, sure_gateway, drawn_film, probability
):
    """At either end of it, on the screen and on paper, however wide."""
    page = open_page(sure_gateway(probability))
    page.give(drawn_film)
    for media in ("screen", "print"):
        page.page.emulate_media(media=media)
        for width in (320, 794, 1024, 1440, 1920):
            page.page.set_viewport_size({"width": width, "height": 900})
            value, scale = (
                page.page.locator(one).bounding_box() for one in (".scale .value", ".scale")
            )
            assert value["height"] < 40
            assert value["x"] >= scale["x"]
            assert value["x"] + value["width"] <= scale["x"] + scale["width"]


def test_a_bigger_screen_shows_a_bigger_film(open_page, lungs_gateway, drawn_film):
    """From a tablet to a wall."""
    page = open_page(lungs_gateway, viewport={"width": 1024, "height": 1400})
    page.give(drawn_film)
    widths = []
    for width in (1024, 1200, 1366, 1440, 1920, 2560):
        page.page.set_viewport_size({"width": width, "height": 1400})
        widths.append(page.page.locator(".screen > canvas").bounding_box()["width"])
    assert widths[0] >= 570
    assert min(widths) == widths[0]
    assert widths[-1] > 1.5 * widths[0]
    page.shot("wide")


def test_clearing_all_can_be_undone(open_page, drawn_film, adult_film):
    """For a moment: the answers are there again."""
    page = open_page()
    page.give(drawn_film, adult_film)
    page.page.get_by_role("button", name="Borrar todo").click()
    assert page.page.locator("#films li").count() == 0
    page.page.get_by_role("button", name="Deshacer").click()
    assert page.page.locator("#films .name").all_inner_texts() == [drawn_film.name, adult_film.name]
    assert page.finished.count() == 2
    assert page.page.locator("#undo").is_hidden()


def test_a_refused_film_is_shown_and_its_report_has_the_notice(open_page, tmp_path):
    """As the browser shows it: whoever was refused sees which film it was."""
    page = open_page()
    page.page.route(
        "**/v1/explanations",
        lambda route: route.fulfill(
            status=422,
            content_type="application/problem+json",
            body='{"type": "urn:neumo:problem:not-a-chest", "detail": ""}',
        ),
    )
    from support.films import drawn

    film = tmp_path / "film.png"
    drawn().resize((640, 480)).save(film)
    page.give(film)
    box = page.page.locator(".bare").bounding_box()
    assert box["width"] > 100
    page.page.emulate_media(media="print")
    assert "no es un diagnóstico" in page.page.locator(".letterhead").inner_text()


def test_the_theme_that_was_chosen_survives_a_reload(open_page):
    """In the address: nothing is stored."""
    page = open_page(color_scheme="light")
    ground = "e => getComputedStyle(e).backgroundColor"
    light = page.page.eval_on_selector("body", ground)
    page.page.get_by_role("button", name="Oscuro").click()
    dark = page.page.eval_on_selector("body", ground)
    page.page.reload()
    page.page.locator("#service.ready").wait_for()
    assert page.page.eval_on_selector("body", ground) == dark != light


def test_forced_colours_keep_the_scale(open_page, lungs_gateway, drawn_film):
    """Its two sides and its marks are still told apart."""
    page = open_page(lungs_gateway, forced_colors="active")
    page.give(drawn_film)
    track = page.page.eval_on_selector(".track", "e => getComputedStyle(e).backgroundImage")
    assert "gradient" in track
    page.shot("forced_colours")
