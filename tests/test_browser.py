"""Every bundled problem's page in real browsers: at a desk and on a phone, light and dark, on screen and on paper."""

import gc
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

import derive
import render
from derive.problem import bundled

CHROMIUM = next(
    (found for each in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(each))), None
)
FIREFOX = next((found for each in ("firefox-esr", "firefox") if (found := shutil.which(each))), None)
PROBLEMS = bundled()
VIEWS = [(width, scheme) for width in (1280, 360) for scheme in ("light", "dark")]

# What is wider than the page, and what is cut off without a bar to scroll it by.
MEASURE = """() => {
  const root = document.documentElement, page = root.clientWidth;
  const outside = [...document.querySelectorAll("body *")].filter(each => {
    const box = each.getBoundingClientRect();
    const hidden = each.closest(".unseen, .skip, summary") || box.width === 0;
    return !hidden && !each.closest(".line, .table, .drawing-frame") && box.right > page + 1;
  });
  const scrolling = [...document.querySelectorAll(".line")].filter(each => each.scrollWidth > each.clientWidth + 1);
  return {
    page, width: root.scrollWidth,
    outside: outside.map(each => each.outerHTML.slice(0, 90)),
    breakable: scrolling.filter(each => !each.querySelector("mtable, mo:not([stretchy]) ~ mfrac, mfrac ~ mfrac"))
                        .map(each => each.parentElement.id),
    unreachable: scrolling.filter(each => each.tabIndex < 0).map(each => each.parentElement.id),
  };
}"""
STYLE = """() => ({
  fonts: [...document.fonts].map(each => each.status),
  scheme: getComputedStyle(document.querySelector(".chainrule")).colorScheme,
  ink: getComputedStyle(document.querySelector(".chainrule")).color,
  asked: performance.getEntriesByType("resource").map(each => each.name).filter(each => !each.startsWith("data:")),
})"""
INK = {"light": "rgb(28, 27, 25)", "dark": "rgb(230, 227, 220)"}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    for name in PROBLEMS:
        render.worked_example(derive.differentiate(derive.load(name))).write(folder / f"{name}.html")
    return {name: folder / f"{name}.html" for name in PROBLEMS}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    driver = pytest.importorskip("marionette_driver.marionette", reason="marionette-driver is not installed")
    if FIREFOX is None:
        pytest.skip("firefox is not installed")
    with quiet():
        log = tmp_path_factory.mktemp("firefox") / "browser.log"
        browser = driver.Marionette(bin=FIREFOX, headless=True, gecko_log=str(log))
        browser.start_session()
    # A window of Firefox is never narrower than its buttons, unless it is told otherwise.
    with browser.using_context("chrome"):
        browser.execute_script("document.documentElement.style.minWidth = 0")
    yield browser
    with quiet():
        browser.quit(in_app=True)
        browser.cleanup()
        browser.__dict__["instance"] = None


@contextmanager
def quiet() -> Iterator[None]:
    """The driver leaves open the sockets by which it waits for its browser."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_a_page_in_chromium(chromium: Any, pages: dict[str, Path], name: str, width: int, scheme: str):
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url))
    page.goto(pages[name].as_uri())
    page.evaluate("document.fonts.ready")
    found = page.evaluate(MEASURE)
    style = page.evaluate(STYLE)
    context.close()
    assert [each for each in said if not each.startswith("data:")] == [pages[name].as_uri()]
    assert found["width"] == found["page"]
    assert found["outside"] == found["breakable"] == found["unreachable"] == []
    assert set(style["fonts"]) == {"loaded"}
    assert style["ink"] == INK[scheme]


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_a_page_in_firefox(firefox: Any, pages: dict[str, Path], name: str, width: int, scheme: str):
    firefox.set_pref("layout.css.prefers-color-scheme.content-override", ("dark", "light").index(scheme))
    firefox.set_window_rect(width=width, height=900)
    firefox.navigate(pages[name].as_uri())
    found = firefox.execute_script(f"return ({MEASURE})()")
    style = firefox.execute_script(f"return ({STYLE})()")
    assert firefox.execute_script("return innerWidth") == width
    assert found["width"] == found["page"]
    assert found["outside"] == found["unreachable"] == []
    assert style["ink"] == INK[scheme]
    assert style["asked"] == []


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [*((name, 1280, "light") for name in PROBLEMS), *(("mazur", *view) for view in VIEWS if view != (1280, "light"))],
)
def test_axe_finds_nothing_serious(chromium: Any, pages: dict[str, Path], name: str, width: int, scheme: str):
    pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
    axe = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(pages[name].as_uri())
    page.evaluate(axe)
    found = page.evaluate("async () => (await axe.run()).violations")
    context.close()
    # axe sees no words in MathML, so a heading that is a formula counts as empty.
    told = [(each["id"], each["impact"], node["html"][:200]) for each in found for node in each["nodes"]]
    assert [each for each in told if each[0] != "empty-table-header" or "<math>" not in each[2]] == []


def test_nothing_needs_a_script(chromium: Any, pages: dict[str, Path]):
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["mazur"].as_uri())
    equation = page.locator(".equation").first
    equation.hover()
    assert not equation.locator("code").is_visible()
    equation.locator("summary").click()
    assert equation.locator("code").is_visible()
    assert equation.locator("code").inner_text().startswith(r"\mathit{net}_{h1} = w_{1} i_{1}")
    context.close()


def test_one_click_selects_the_latex_of_an_equation(chromium: Any, pages: dict[str, Path]):
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto(pages["mazur"].as_uri())
    page.locator(".equation summary").first.click()
    page.locator(".equation code").first.click()
    assert page.evaluate("getSelection().toString()").startswith(r"\mathit{net}_{h1} =")
    page.close()


def test_notes_stand_in_the_margin_fold_on_a_phone_and_are_open_on_paper(chromium: Any, pages: dict[str, Path]):
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto(pages["mazur"].as_uri())
    note, answer = page.locator("aside.note").first, page.locator("aside.note .answer").first
    text = page.locator("main").bounding_box()
    assert answer.is_visible()
    assert note.bounding_box()["x"] > text["x"] + text["width"]
    page.set_viewport_size({"width": 360, "height": 900})
    assert not answer.is_visible()
    note.locator("summary").first.click()
    assert answer.is_visible()
    note.locator("summary").first.click()
    page.emulate_media(media="print")
    assert answer.is_visible()
    assert not page.locator(".tex").first.is_visible()
    page.close()


NOTES = """() => [...document.querySelectorAll("aside.note")].map(note => {
  const box = note.getBoundingClientRect(), block = note.previousElementSibling.getBoundingClientRect();
  return {top: box.top, bottom: box.bottom, from: block.top, to: block.bottom};
})"""


@pytest.mark.parametrize("width", [1100, 1280])
@pytest.mark.parametrize("name", PROBLEMS)
def test_a_note_is_level_with_its_block_or_follows_the_note_before(
    chromium: Any, pages: dict[str, Path], name: str, width: int
):
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.goto(pages[name].as_uri())
    before = float("-inf")
    for note in page.evaluate(NOTES):
        assert note["top"] > before + 10
        assert note["from"] - 100 < note["top"] < max(note["to"], before + 140)
        before = note["bottom"]
    page.close()


SCROLLING = """selector => [...document.querySelectorAll(selector)]
  .filter(each => each.scrollWidth > each.clientWidth + 1)
  .map(each => ({
    broad: !!each.querySelector("svg.broad"), hint: getComputedStyle(each, "::after").content,
    reachable: each.tabIndex >= 0 && !!each.getAttribute("aria-label"), formulas: !!each.querySelector("td math"),
    times: each.scrollWidth / each.clientWidth,
  }))"""
PLAIN = tuple(name for name in PROBLEMS if derive.load(name).dense and name != "adam")


@pytest.mark.parametrize("name", PROBLEMS)
def test_tables_and_figures_fit_a_phone_or_say_that_they_scroll(chromium: Any, pages: dict[str, Path], name: str):
    page = chromium.new_page(viewport={"width": 360, "height": 900})
    page.goto(pages[name].as_uri())
    tables = page.evaluate(SCROLLING, ".table")
    assert name not in PLAIN or tables == []
    assert all(each["reachable"] and each["formulas"] and each["times"] < 1.6 for each in tables), tables
    assert all(each["broad"] and "⟶" in each["hint"] for each in page.evaluate(SCROLLING, ".drawing-frame"))
    page.close()


def test_the_latex_of_an_equation_is_offered_at_its_number_always_on_touch(chromium: Any, pages: dict[str, Path]):
    for touch in (False, True):
        context = chromium.new_context(viewport={"width": 360, "height": 900}, has_touch=touch, is_mobile=touch)
        page = context.new_page()
        page.goto(pages["mazur"].as_uri())
        offer = page.locator(".equation summary").first
        seen = "element => getComputedStyle(element).opacity"
        assert offer.evaluate(seen) == ("1" if touch else "0")
        page.keyboard.press("Tab")
        offer.focus()
        assert offer.evaluate(seen) == "1"
        context.close()


def test_equations_and_sections_have_anchors_to_click(chromium: Any, pages: dict[str, Path]):
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto(pages["mazur"].as_uri())
    for link in (page.locator(".equation a.number").nth(5), page.locator("h2 a.anchor").nth(2)):
        target = link.get_attribute("href")
        link.click()
        assert page.evaluate("location.hash") == target
        assert page.locator(target).count() == 1
    page.close()
