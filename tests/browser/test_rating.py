"""Rating in a browser: by keyboard, through a killed server, by two people, in two tabs, on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from browsing import LIGHT, ON_PHONE
from rating_example import SECONDS, project_in
from rating_pages import READY, Server, assert_usable, come_in, free_port, listening, window
from tocco.rubrics import DIMENSIONS


@pytest.fixture(scope="module")
def server(browser: Browser, drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests, each of which has raters of its own."""
    library = tmp_path_factory.mktemp("library")
    project_in(library, drawn)
    made = Server(library, free_port())
    made.start()
    yield made
    made.kill()


@pytest.fixture(autouse=True)
def _closed(browser: Browser) -> Iterator[None]:
    yield
    for context in browser.contexts:
        context.close()


def test_a_take_is_rated_by_keyboard_alone(browser: Browser, server: Server) -> None:
    anna = come_in(window(browser), server, "anna")
    anna.press(".", ".")
    assert anna.page.locator(".speed").inner_text() == "1.5×"
    anna.hear(0.9 * SECONDS)
    anna.page.wait_for_function("() => document.querySelector('.heard-words.enough')")
    for digit in "1234567890":
        anna.press(digit, "ArrowRight")
    anna.press("Shift+ArrowRight", "ArrowLeft", "u")
    anna.saved()
    assert anna.value("expressiveness") == "55"
    stands = server.values("anna")[0]
    assert stands == {**dict.fromkeys(DIMENSIONS, 51.0), "expressiveness": 55.0}
    assert anna.page.locator(".counts").inner_text().startswith("1 of 3 rated")

    anna.press("3", "ArrowLeft", "z")
    anna.wait_for_value("dynamics_control", "51")
    anna.press("c")
    anna.page.keyboard.type("2 u z, held too long")
    anna.press("Escape", "Enter")
    anna.wait_for_position(1)
    anna.saved()
    assert set(server.values("anna")) == {0}
    with server.project.open_store() as store:
        assert list(store.comments("anna").values()) == ["2 u z, held too long"]
        (last,) = [one for one in store.ratings("anna") if one.dimension == "expressiveness"]
    assert last.uncertain

    anna.press("2", "y")
    anna.saved()
    assert anna.value("rhythmic_precision") == "?"
    assert server.values("anna")[1] == {"rhythmic_precision": None}
    anna.press("p")
    anna.wait_for_position(0)
    assert anna.value("expressiveness") == "55"
    anna.press("n")
    anna.wait_for_position(1)
    assert (anna.console, anna.outside) == ([], [])


def test_keys_live_on_wherever_the_focus_is(browser: Browser, server: Server) -> None:
    clara = come_in(window(browser), server, "clara")
    page = clara.page
    page.get_by_role("button", name="Faster").click()
    clara.hear(0.3)
    assert page.locator(".speed").inner_text() == "1.25×"
    page.get_by_label("Tone quality", exact=True).click(position={"x": 200, "y": 8})
    clara.saved()
    clicked = int(clara.value("tone_quality"))
    clara.press("ArrowLeft", "Shift+ArrowLeft")
    clara.saved()
    assert clara.value("tone_quality") == str(clicked - 6)
    clara.hear(0.6)
    page.get_by_label("Phrasing: uncertain").click()
    clara.hear(0.9)
    clara.press("7", "ArrowRight")
    page.get_by_role("button", name="Loop from here").focus()
    clara.press("ArrowRight")
    clara.saved()
    assert server.values("clara")[0] == {"tone_quality": float(clicked - 6), "phrasing": 52.0}
    clara.press("?")
    assert page.get_by_role("dialog").is_visible()
    clara.press("1", "ArrowRight", "?")
    assert not page.get_by_role("dialog").is_visible()
    assert "note_accuracy" not in server.values("clara")[0]


def test_nothing_is_lost_when_the_server_is_killed(browser: Browser, server: Server) -> None:
    dora = come_in(window(browser), server, "dora")
    dora.press("Enter")
    dora.wait_for_position(1)
    dora.press("1", "ArrowRight")
    dora.saved()
    dora.hear(1.0)
    second = dora.second()
    server.kill()
    dora.press("2", "Shift+ArrowRight", "3", "ArrowLeft")
    dora.page.wait_for_selector('.saving[data-state="trouble"]')
    assert "2 answers not yet saved: the server does not answer" in dora.page.locator(".saving").inner_text()
    assert server.values("dora")[1] == {"note_accuracy": 51.0}

    page = dora.page.context.new_page()  # the first window is closed while nothing is saved
    dora.page.close()
    server.start()
    again = listening(page)
    again.open(f"{server.address}/rate")
    again.saved()
    assert server.values("dora")[1] == {
        "note_accuracy": 51.0,
        "rhythmic_precision": 55.0,
        "dynamics_control": 49.0,
    }
    assert again.position() == 1
    assert again.second() == pytest.approx(second, abs=0.1)
    assert again.value("rhythmic_precision") == "55"


def test_two_raters_do_not_see_each_other(browser: Browser, server: Server) -> None:
    emil, fritz = (come_in(window(browser), server, one) for one in ("emil", "fritz"))
    emil.press("9", "Shift+ArrowRight")
    emil.saved()
    fritz.page.reload()
    fritz.page.wait_for_selector(READY)
    assert fritz.value("overall_quality") == "–"
    fritz.press("9", "Shift+ArrowLeft")
    fritz.saved()
    emil.page.reload()
    emil.page.wait_for_selector(READY)
    assert emil.value("overall_quality") == "55"
    assert server.values("emil")[0] == {"overall_quality": 55.0}
    assert server.values("fritz")[0] == {"overall_quality": 45.0}


def test_in_two_tabs_the_newest_counts_and_a_refusal_says_why(browser: Browser, server: Server) -> None:
    one = come_in(window(browser), server, "greta")
    other = listening(one.page.context.new_page())
    other.open(f"{server.address}/rate")
    one.press("7", "ArrowRight")
    one.saved()
    other.press("7", "Shift+ArrowLeft")
    other.saved()
    assert server.values("greta")[0] == {"phrasing": 45.0}
    one.press("z")
    one.wait_for_value("phrasing", "51")
    other.press("z")
    other.wait_for_value("phrasing", "–")
    one.press("z")
    problem = one.page.locator(".problem")
    problem.wait_for()
    assert problem.inner_text() == (
        "Refused, and not saved: the undo. rating nothing is left to undo here: go on."
    )
    one.wait_for_value("phrasing", "–")
    assert server.values("greta") == {}


def test_the_better_one_of_two_is_chosen(browser: Browser, server: Server) -> None:
    hans = come_in(window(browser), server, "hans")
    hans.open(f"{server.address}/rate/pairs", ".choice")
    hans.page.wait_for_selector('#rating[data-number="0"]')
    hans.press("1")
    hans.page.wait_for_selector('.hearing.playing[aria-label="Take A"]')
    hans.press("2")
    hans.page.wait_for_selector('.hearing.playing[aria-label="Take B"]')
    assert hans.page.locator(".hearing.playing").count() == 1
    hans.press("Space", "b")
    hans.page.wait_for_selector('[data-outcome="b"][aria-pressed="true"]')
    hans.saved()
    hans.press("Enter")
    hans.page.wait_for_selector('#rating[data-number="1"]')
    hans.press("t")
    hans.saved()
    with server.project.open_store() as store:
        assert [one.outcome for one in store.votes("hans")] == ["b", "tie"]
    hans.press("z")
    hans.page.wait_for_selector('[data-outcome="tie"][aria-pressed="false"]')
    assert (hans.console, hans.outside) == ([], [])


def test_everyone_can_use_it_on_a_desk_in_the_dark_and_on_a_phone(browser: Browser, server: Server) -> None:
    ida = come_in(window(browser), server, "ida")
    ida.press("2", "ArrowRight", "u", "5", "y")
    ida.saved()
    assert_usable(ida)


@pytest.mark.parametrize(
    "path",
    [
        "/raters",
        *(
            pytest.param(path, marks=pytest.mark.slow)
            for path in ("/rate/guide", "/raters/audit", "/raters/quality", "/join/none", "/rate/pairs")
        ),
    ],
)
def test_the_other_pages_can_be_used_too(browser: Browser, server: Server, path: str) -> None:
    made = come_in(window(browser), server, "jane")
    made.open(server.address + path, "h1")
    assert_usable(made, (LIGHT, ON_PHONE))


def test_a_phone_rates_by_finger(browser: Browser, server: Server) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True)
    karl = come_in(listening(context.new_page()), server, "karl")
    slider = karl.page.get_by_label("Musicality", exact=True)
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    karl.page.touchscreen.tap(box["x"] + 0.75 * box["width"], box["y"] + box["height"] / 2)
    karl.saved()
    assert server.values("karl")[0]["musicality"] == pytest.approx(76.0, abs=3.0)


def test_the_score_follows_the_sound(browser: Browser, server: Server) -> None:
    lena = come_in(window(browser), server, "lena")
    lena.page.wait_for_selector(".systems svg.engraved [data-n]", state="attached")
    lena.press("Space")
    lena.page.wait_for_selector(".systems [data-n].now", state="attached")
    lena.page.wait_for_function("() => Number(document.querySelector('.seek').value) > 1")
    lena.press("Space", "a")
    start = lena.second()
    lena.press("l")
    lena.press("b", "Space")
    lena.page.wait_for_function(
        "(sec) => Number(document.querySelector('.seek').value) < sec + 0.4", arg=start
    )
    lena.press("Space", "x")
    assert lena.page.locator(".region").is_hidden()


def test_the_same_page_runs_in_a_notebook(
    browser: Browser, server: Server, drawn: Path, tmp_path: Path
) -> None:
    from tocco.apps.notebook.bundle import style
    from tocco.apps.notebook.rating_widget import RatingWidget

    widget = RatingWidget(project_in(tmp_path, drawn), "anna")
    made = window(browser)

    def kernel(message: dict) -> list:
        reply, buffers = widget.answer(message)
        return [reply, [list(one) for one in buffers]]

    made.page.expose_function("kernel", kernel)
    document = f"<!doctype html><html lang='en'><style>{style()}</style><div id='cell'></div>"
    made.page.route("**/notebook", lambda route: route.fulfill(body=document, content_type="text/html"))
    made.page.goto(f"{server.address}/notebook")
    made.page.evaluate(
        """async (script) => {
          const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
          const { render } = await import(address);
          const heard = [];
          const model = {
            get: () => "items",
            on: (kind, act) => heard.push(act),
            send: async (message) => {
              const [reply, buffers] = await kernel(message);
              for (const act of heard) act(reply, buffers.map((one) => new Uint8Array(one)));
            },
          };
          await render({ model, el: document.getElementById("cell") });
        }""",
        widget._esm,
    )
    made.page.wait_for_selector(READY)
    made.page.locator(".dimension .name").first.click()
    made.press("2", "ArrowRight", "u")
    made.saved()
    made.hear(1.0)
    half = "() => /Heard [5-9]/.test(document.querySelector('.heard-words').textContent)"
    made.page.wait_for_function(half)
    answers = widget.answer({"id": "1", "ask": "item", "args": [0]})[0]["answer"]["answers"]
    assert answers["ratings"] == {"rhythmic_precision": {"value": 51.0, "uncertain": True}}
    assert answers["position_sec"] >= 0.5 * SECONDS
    assert made.console == []
    widget.close()


@pytest.mark.slow
def test_a_whole_project_is_rated_by_keyboard_while_the_server_is_killed_again_and_again(
    browser: Browser, drawn: Path, tmp_path: Path
) -> None:
    project_in(tmp_path, drawn, n_calibration=1, calibration_gap_hours=0.0)
    server = Server(tmp_path, free_port())
    server.start()
    mona = come_in(window(browser), server, "mona")
    given: dict[int, dict[str, float | None]] = {}
    for position in range(4):
        mona.wait_for_position(position)
        for k, name in enumerate(DIMENSIONS):
            if k == 3 * position % len(DIMENSIONS):
                server.kill()
            mona.press(str((k + 1) % 10), *["ArrowRight"] * (position + 1))
            given.setdefault(position, {})[name] = 51.0 + position
        if server.process is not None and server.process.poll() is not None:
            mona.page.wait_for_selector('.saving[data-state="trouble"]')
            server.start()
        mona.saved()
        mona.hear(0.9 * SECONDS)
        mona.page.wait_for_function("() => document.querySelector('.heard-words.enough')")
        if position == 0:
            mona.page.get_by_role("heading", name="How your ratings compare").wait_for()
            assert mona.page.locator(".feedback tr", has_text="Phrasing").inner_text().split() == [
                *("Phrasing", "51", "60", "known", "-9"),
            ]
        mona.page.wait_for_function(
            "(n) => document.querySelector('.counts').textContent.startsWith(`${n} of 4`)", arg=position + 1
        )
        mona.press("Enter")
    mona.page.wait_for_function("() => /Everything is rated/.test(document.body.textContent)")
    assert server.values("mona") == given
    with server.project.open_store() as store:
        events = store.events("mona")
    assert len({one.event_id for one in events}) == len(events) == 4 * len(DIMENSIONS)
    server.kill()
