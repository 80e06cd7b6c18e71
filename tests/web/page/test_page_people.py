"""The page is for everybody: languages, keyboard, screen reader, phone, dark rooms, paper."""

import io
import re

import pytest
from axe_playwright_python.sync_playwright import Axe

PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
DARK = {"color_scheme": "dark"}
WIDE = {"viewport": {"width": 1366, "height": 860}}


@pytest.mark.parametrize(
    ("locale", "language", "words"),
    [
        ("es-AR", "es", "Para investigación: no es un diagnóstico."),
        ("en-GB", "en", "Research use: not a diagnosis."),
        ("de-DE", "en", "Research use: not a diagnosis."),
    ],
)
def test_language_of_the_browser(open_page, locale, language, words):
    """The page speaks the browser's language, English where it is neither of the two."""
    page = open_page(locale=locale)
    assert page.page.evaluate("document.documentElement.lang") == language
    assert words in page.page.locator(".notice").inner_text()
    page.shot(f"empty_{locale}")


def test_language_is_switched(open_page, text_file, adult_film):
    """The switch changes everything shown, results and problems too, and survives a reload."""
    page = open_page()
    page.give(adult_film, text_file)
    page.page.get_by_role("button", name="English").click()
    # Its members disagree.
    assert page.heading.inner_text() == "Doubtful: rather signs of pneumonia"
    assert "The probability of pneumonia, 56.4%, is above the threshold" in page.result.inner_text()
    assert page.page.locator("#films .line").all_inner_texts() == [
        "Doubtful (Pneumonia) · 56.4%",
        "Cannot be read as a radiograph",
    ]
    assert "Service ready" in page.page.locator("#service").inner_text()
    page.page.reload()
    page.page.locator("#service.ready").wait_for()
    assert page.page.evaluate("document.documentElement.lang") == "en"


def test_keyboard_alone(open_page, adult_film, text_file):
    """Films are chosen, read, compared and removed without a mouse."""
    page = open_page()
    keys = page.page.keyboard
    # Playwright catches choosers from its first listener on: at the key press is too late.
    page.page.on("filechooser", lambda chooser: None)
    keys.press("Tab")
    assert page.page.evaluate("document.activeElement.className") == "skip"
    tab_to(page, "chooser")
    with page.page.expect_file_chooser() as chooser:
        keys.press("Enter")
    chooser.value.set_files([adult_film, text_file])
    page.wait_for(2)
    tab_to_button(page, text_file.name)
    keys.press("Enter")
    assert page.page.evaluate("document.activeElement.id") == "result-title"
    assert page.heading.inner_text() == "No se puede leer como radiografía"
    page.page.locator("#films .film").first.focus()
    keys.press("Space")
    tab_to(page, "opacity")
    before = page.pixels()
    keys.press("Home")
    assert (page.pixels() != before).any()
    page.shot("keyboard")
    page.page.locator("#films .remove").last.focus()
    keys.press("Enter")
    assert page.page.locator("#films li").count() == 1
    assert page.page.evaluate("document.activeElement.className") == "film"


def tab_to(page, identifier):
    """Press Tab until the element ``identifier`` has the focus."""
    for _ in range(30):
        page.page.keyboard.press("Tab")
        if page.page.evaluate("document.activeElement.id") == identifier:
            return
    raise AssertionError(f"Tab never comes to {identifier}")


def tab_to_button(page, name):
    """Press Tab until a button whose text holds ``name`` has the focus."""
    for _ in range(30):
        page.page.keyboard.press("Tab")
        if name in page.page.evaluate("document.activeElement.textContent"):
            return
    raise AssertionError(f"Tab never comes to {name}")


def test_screen_reader_is_told(open_page, adult_film, text_file):
    """What happens is said in a live region; the film, the scale and the slider have words."""
    page = open_page()
    page.give(adult_film, text_file)
    said = page.page.locator("#announcer[aria-live=polite]").text_content()
    assert "2 radiografías añadidas." in said
    verdict = f"{adult_film.name}: Dudoso: más bien con indicios de neumonía."
    assert f"{verdict} Probabilidad de neumonía 56,4" in said
    assert f"{text_file.name}: No se puede leer como radiografía" in said
    film = page.page.locator(".screen > canvas").get_attribute("aria-label")
    assert re.match(
        "Radiografía con el mapa de calor. Zona .* más calor: (arriba|abajo|a|en)", film
    )
    scale = page.page.locator(".scale").get_attribute("aria-label")
    assert scale.startswith("Probabilidad de neumonía 56,4")
    assert "el umbral está en 42,5" in scale
    assert page.page.locator("#opacity").get_attribute("aria-valuetext").endswith("de opacidad")


@pytest.mark.parametrize("context", [WIDE, {**WIDE, **DARK}, PHONE], ids=["light", "dark", "phone"])
def test_accessibility_audit(open_page, adult_film, text_file, context):
    """axe-core finds nothing serious: on the empty page, beside an answer, beside a problem."""
    page = open_page(**context)
    assert serious(page) == []
    page.give(adult_film, text_file)
    assert serious(page) == []
    page.page.locator("#films .film").last.click()
    assert serious(page) == []


def serious(page):
    """The audit's findings of serious or critical impact, each with where it is."""
    found = Axe().run(page.page).response["violations"]
    return [
        f"{v['id']}: {[node['target'] for node in v['nodes']]}"
        for v in found
        if v["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize("width_px", [320, 390])
def test_phone(open_page, adult_film, text_file, width_px):
    """On a phone nothing is wider than the screen, and what is touched is large enough."""
    page = open_page(**{**PHONE, "viewport": {"width": width_px, "height": 700}})
    page.shot(f"phone_{width_px}_empty")
    page.give(adult_film, text_file)
    assert page.page.evaluate("document.documentElement.scrollWidth") <= width_px
    for box in (one.bounding_box() for one in page.page.locator("button:visible").all()):
        assert min(box["width"], box["height"]) >= 44
    page.shot(f"phone_{width_px}")


def brightness(page, selector="body"):
    """The mean of red, green and blue of an element's ground."""
    colour = page.page.eval_on_selector(selector, "e => getComputedStyle(e).backgroundColor")
    return sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3


def test_dark(open_page, adult_film):
    """The system's dark theme is taken; the switch overrides it, either way."""
    page = open_page(**DARK, **WIDE)
    page.give(adult_film)
    assert brightness(page) < 40
    page.shot("dark")
    switch = page.page.get_by_role("button", name="Oscuro")
    assert switch.get_attribute("aria-pressed") == "true"
    switch.click()
    assert brightness(page) > 220
    switch.click()
    assert brightness(page) < 40


def test_paper(open_page, adult_film):
    """The report is one page, light also from a dark screen, with the notice and both pictures."""
    page = open_page(**DARK)
    page.give(adult_film)
    page.page.emulate_media(media="print")
    assert brightness(page, ".warnings") > 220
    assert "no es un diagnóstico" in page.page.locator(".letterhead").inner_text()
    assert page.page.locator(".figure canvas:visible").count() == 2
    assert page.page.locator("button:visible, input:visible").count() == 0
    pdf = page.page.pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", io.BytesIO(pdf).getvalue())) == 1
    page.shot("paper")


def test_print_button(open_page, adult_film):
    """The button opens the browser's own dialog, which prints and saves as PDF."""
    page = open_page()
    page.give(adult_film)
    page.page.evaluate("window.print = () => { document.title = 'printed'; }")
    page.page.get_by_role("button", name="Imprimir o guardar PDF").click()
    assert page.page.title() == "printed"
