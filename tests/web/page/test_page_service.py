"""What the page does when the gateway does not answer as usual."""

import json

import pytest

from support.gateway_process import gateway
from support.serving_process import free_port

EXPLANATIONS = "**/v1/explanations"


@pytest.fixture
def token_gateway(neumo_server):
    """The address of a gateway that wants a bearer token."""
    with gateway(
        neumo_server.grpc_url, environ={"NEUMO_WEB_TOKEN": "clave-secreta-larga"}
    ) as running:
        yield running.url


@pytest.fixture
def orphan_gateway():
    """The address of a gateway whose model server is away."""
    with gateway(f"grpc://127.0.0.1:{free_port()}", "--deadline=3") as running:
        yield running.url


def problem(kind, status, **headers):
    """A problem as the gateway answers it, for Playwright to give in its place."""
    document = {"type": f"urn:neumo:problem:{kind}", "title": "", "status": status, "detail": ""}
    return {
        "status": status,
        "content_type": "application/problem+json",
        "headers": headers,
        "body": json.dumps(document),
    }


def test_access_key(open_page, token_gateway, drawn_film):
    """Where the gateway wants a token the page asks for it, and then asks about the film again."""
    page = open_page(token_gateway)
    field = page.page.get_by_role("textbox", name="Clave de acceso")
    field.wait_for()
    assert page.page.locator("#service").inner_text() == "El servicio pide una clave de acceso"
    page.give(drawn_film)
    assert page.heading.inner_text() == "Hace falta una clave de acceso"
    page.shot("access_key")
    field.fill("clave-secreta-larga")
    page.page.keyboard.press("Enter")
    page.page.locator("#films li.NORMAL").wait_for()
    assert page.page.locator("#token-form").is_hidden()
    assert "Servicio listo" in page.page.locator("#service").inner_text()


def test_no_models(open_page, orphan_gateway, drawn_film):
    """Where the model server is away the page says so, and offers to try again."""
    page = open_page(orphan_gateway)
    assert page.page.locator("#service").inner_text() == "El servicio no está listo"
    page.give(drawn_film)
    assert page.heading.inner_text() == "El servicio no está disponible"
    assert page.result.get_by_role("button", name="Reintentar").is_visible()
    page.shot("no_models")


def test_busy_gateway_is_asked_again(open_page, drawn_film):
    """A film that a busy gateway refused is asked about again after the delay it names."""
    page = open_page()
    refusals = iter([problem("busy", 429, **{"Retry-After": "0"})] * 2)

    def refuse(route):
        answer = next(refusals, None)
        if answer is None:
            route.continue_()
        else:
            route.fulfill(**answer)

    page.page.route(EXPLANATIONS, refuse)
    page.give(drawn_film)
    assert page.heading.inner_text() == "Sin indicios de neumonía"
    assert next(refusals, None) is None


def test_broken_network(open_page, drawn_film):
    """Without a network the film keeps its place; "try again" answers it once there is one."""
    page = open_page()
    page.page.route(EXPLANATIONS, lambda route: route.abort())
    page.give(drawn_film)
    assert page.heading.inner_text() == "No hay conexión con el servidor"
    page.page.unroute(EXPLANATIONS)
    page.result.get_by_role("button", name="Reintentar").click()
    page.page.locator("#films li.NORMAL").wait_for()
    assert page.heading.inner_text() == "Sin indicios de neumonía"


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        (problem("not-a-chest", 422), "No parece una radiografía frontal de tórax"),
        (problem("deadline", 504), "El análisis tardó demasiado"),
        (problem("of-tomorrow", 500), "El servidor falló"),
        ({"status": 502, "body": "<html>proxy</html>"}, "El servicio no está disponible"),
        ({"status": 200, "body": "{}"}, "El servidor falló"),
    ],
    ids=["not-a-chest", "deadline", "unknown", "proxy", "empty"],
)
def test_each_problem_has_words(open_page, drawn_film, answer, title):
    """A problem is told by its type, in words; an answer of something else, by its status."""
    page = open_page()
    page.page.route(EXPLANATIONS, lambda route: route.fulfill(**answer))
    page.give(drawn_film)
    assert page.heading.inner_text() == title


def test_too_large_is_not_sent(open_page, drawn_film):
    """A file above the gateway's limit is refused before it is sent."""
    with_limit = {"ready": True, "release": 1, "models": [], "limits": {"max_film_bytes": 100}}
    page = open_page()
    page.page.route("**/v1/status", lambda route: route.fulfill(json=with_limit))
    page.page.reload()
    page.page.locator("#service.ready").wait_for()
    page.give(drawn_film)
    assert page.heading.inner_text() == "El archivo es demasiado grande"
    assert page.page.locator("#announcer").text_content().count("demasiado grande") == 1
    assert not [r for r in page.requests if "explanations" in r.url]


def test_empty_file(open_page, tmp_path):
    """An empty file is refused before it is sent."""
    empty = tmp_path / "vacio.dcm"
    empty.touch()
    page = open_page()
    page.give(empty)
    assert page.heading.inner_text() == "El archivo está vacío"


def test_removed_while_it_is_asked_about(open_page, drawn_film):
    """A film that is removed before its answer is forgotten, and the next one is answered."""
    page = open_page()
    page.page.route(EXPLANATIONS, lambda route: None, times=1)
    page.page.set_input_files("#chooser", [drawn_film])
    page.page.locator("#films li.asking").wait_for()
    page.page.locator("#films .remove").click()
    page.give(drawn_film)
    assert page.page.locator("#films li").count() == 1
    assert page.heading.inner_text() == "Sin indicios de neumonía"


@pytest.mark.parametrize(
    ("answer", "title", "line"),
    [
        (problem("sign-in", 401), "No ha iniciado sesión", "No ha iniciado sesión"),
        (
            {"status": 200, "content_type": "text/html", "body": "<html>login</html>"},
            "La sesión ha caducado",
            "No ha iniciado sesión",
        ),
        (
            {"status": 302, "headers": {"Location": "https://login.invalid/"}},
            "La sesión ha caducado",
            "No ha iniciado sesión",
        ),
        (
            {"status": 401, "content_type": "text/html", "body": "<html>login</html>"},
            "La sesión ha caducado",
            "No ha iniciado sesión",
        ),
        (
            {"status": 403, "content_type": "text/html", "body": "<html>no</html>"},
            "No tiene permiso para usar el servicio",
            "No tiene permiso para usar el servicio",
        ),
    ],
    ids=["sign-in", "page", "redirect", "401", "403"],
)
def test_behind_single_sign_on_each_refusal_says_what_it_is(
    open_page, drawn_film, answer, title, line
):
    """No key is asked for that cannot exist, the network is not blamed, and the film is kept."""
    page = open_page()
    page.page.route("**/v1/*", lambda route: route.fulfill(**answer))
    page.give(drawn_film)
    assert page.heading.inner_text() == title
    page.page.locator("#service", has_text=line).wait_for()
    assert page.page.locator("#token-form").is_hidden()
    page.page.unroute("**/v1/*")
    page.result.get_by_role("button", name="Reintentar").click()
    page.page.locator("#films li.NORMAL").wait_for()


def test_a_wrong_key_says_so(open_page, token_gateway):
    """And can be typed again."""
    page = open_page(token_gateway)
    field = page.page.get_by_role("textbox", name="Clave de acceso")
    field.fill("clave-que-no-es")
    page.page.keyboard.press("Enter")
    page.page.locator("#service", has_text="La clave de acceso no es correcta").wait_for()
    field.fill("clave-secreta-larga")
    page.page.keyboard.press("Enter")
    page.page.locator("#service.ready").wait_for()


def test_one_language_that_does_not_load_leaves_the_other(open_page):
    """The page is never empty."""
    page = open_page()
    page.page.route("**/page/es.json", lambda route: route.abort())
    page.page.reload()
    page.page.locator("#service.ready").wait_for()
    assert page.page.locator("h1").inner_text() == "Pneumonia in children's chest radiographs"


def test_films_that_failed_are_asked_about_again_by_one_button(open_page, drawn_film, adult_film):
    """Not by one each."""
    page = open_page()
    page.page.route(EXPLANATIONS, lambda route: route.fulfill(**problem("unavailable", 503)))
    page.give(drawn_film, adult_film)
    page.page.unroute(EXPLANATIONS)
    page.page.get_by_role("button", name="Reintentar todas").click()
    page.page.locator("#films li:is(.NORMAL, .PNEUMONIA)").nth(1).wait_for()
    assert page.page.locator("#again-all").is_hidden()
