"""The page as a reader sees it, in a real browser: headless Chromium, no network."""

import os
import shutil

import pytest
from helpers import capture, eventually

playwright = pytest.importorskip("playwright.sync_api", reason="the extra [more-tests] is not installed")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

TRAINING = r"""
import sys
scale = float(sys.argv[2])
print("\x1b[31mstarting\x1b[0m </script><img src=x onerror=alert(1)>")
for step in range(1, 41):
    print(f"step {step} loss {scale * 2 / step:.4f} tokens {step * 100}" if step != 7 else "step 7 loss nan tokens 700")
    if step % 10 == 0:
        print(f"epoch {step // 10}/4 - train acc {step / 50:.2f} val loss {scale / step + 0.5:.4f}")
open("scores.csv", "w").write("name,score\nb,10\n<i>a</i>,9.5\nc,\n")
open("drawn.svg", "w").write('<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><script>alert(1)</script></svg>')
print("done with it")
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A folder with one.html, of one run, and four.html, of four."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "train.py").write_text(TRAINING)
    for lr in (0.1, 0.2, 0.4, 0.8):
        capture(
            "--to",
            "jsonl",
            "--project",
            "p",
            "--name",
            f"lr-{lr}",
            *("--table", "scores.csv", "--image", "drawn.svg"),
            "--",
            "python3",
            "train.py",
            "--lr",
            lr,
            cwd=folder,
        )
    for output, chosen in (
        ("one.html", ["last"]),
        ("four.html", ["--project", "p"]),
        ("public.html", ["--redact"]),
    ):
        done = capture("page", *[word for word in chosen if word != "last"], "-o", output, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, pages):
    """Opens a page; fails if it asks for anything, or if a script of it has an error."""
    trouble, contexts = [], []

    def open_page(name, size=(1400, 900), **settings):
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **settings)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("console", lambda message: trouble.append(message.text))
        page.on("dialog", lambda dialog: (trouble.append("dialog"), dialog.dismiss()))
        page.on(
            "request",
            lambda request: None if request.url.startswith("file:") else trouble.append(request.url),
        )
        page.goto(f"file://{pages / name.partition('#')[0]}#{name.partition('#')[2]}")
        page.wait_for_selector("html[data-ready=yes]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert trouble == []


def chart(page, title):
    return page.locator(".cell", has=page.locator(".title", has_text=title)).first


def test_a_run_opens_on_its_charts_train_beside_validation(opened):
    page = opened("one.html")
    names = chart(page, "loss").locator(".legend li").all_inner_texts()
    assert [name.strip() for name in names] == ["loss", "val loss"]
    assert "40 values" not in chart(page, "loss").locator("figure").get_attribute("aria-label")  # one is nan
    assert "39 values" in chart(page, "loss").locator("figure").get_attribute("aria-label")


def test_tables_are_sorted_by_a_click_and_pictures_are_shown(opened):
    page = opened("one.html")
    page.click("#tab-files")
    image = page.locator(".files figure img")  # the page's own policy forbids what wait_for_function does
    eventually(lambda: image.evaluate("image => image.naturalWidth") == 20)
    names = page.locator(".files .tall tbody td:first-child")
    assert names.all_inner_texts() == ["b", "<i>a</i>", "c"]
    head = page.locator(".files .tall th", has_text="score")
    head.locator("button").click()
    assert (names.all_inner_texts(), head.get_attribute("aria-sort")) == (["<i>a</i>", "b", "c"], "ascending")
    head.locator("button").click()
    assert (names.all_inner_texts(), head.get_attribute("aria-sort")) == (
        ["b", "<i>a</i>", "c"],
        "descending",
    )
    assert "drawn" in page.locator(".files .wide", has_text="All that was kept").inner_text()


def test_a_point_leads_to_its_line(opened):
    page = opened("one.html")
    plot = chart(page, "loss").locator(".u-over")
    box = plot.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
    page.wait_for_selector("#side .on")
    assert "40" in page.locator("#side .on").inner_text()
    assert page.url.rpartition("#")[2].startswith("L")


def test_a_line_leads_to_its_points(opened):
    page = opened("one.html")
    before = chart(page, "loss").locator("canvas").screenshot()
    page.locator("#side .has", has_text="step 12 loss").click()
    assert "loss = " in page.locator("#side .on").get_attribute("title")
    assert "#L" in page.url
    assert chart(page, "loss").locator("canvas").screenshot() != before  # the point is marked


def test_the_address_leads_to_a_line(opened):
    page = opened("one.html#L12")
    page.wait_for_selector("#side .on")
    assert page.locator("#side .on i").inner_text() == "12"


def test_the_keyboard_reads_a_chart(opened):
    page = opened("one.html")
    figure = chart(page, "loss").locator("figure")
    figure.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert figure.locator(".place").inner_text() == "step 3"
    page.keyboard.press("Enter")
    page.wait_for_selector("#side .on")
    assert "step 3 " in page.locator("#side .on").inner_text()


def test_charts_are_drawn_over_the_axis_that_is_chosen(opened):
    page = opened("one.html")
    page.get_by_label("x axis").select_option("tokens")
    assert "over tokens" in chart(page, "loss").locator("figure").get_attribute("aria-label")
    page.get_by_label("x axis").select_option("epoch")
    assert "over epoch" in chart(page, "acc").locator("figure").get_attribute("aria-label")


def test_the_console_is_searched(opened):
    page = opened("one.html")
    page.get_by_label("Search the console").fill("DONE with")
    page.wait_for_selector("#side mark")
    assert page.locator("#side mark").inner_text() == "done with"
    assert "1 of 1" in page.locator("#side .bar").inner_text()


def test_what_a_program_prints_is_text_in_its_colours_and_nothing_else(opened):
    page = opened("one.html")
    line = page.locator("#side .lines > div").first
    assert "</script><img src=x onerror=alert(1)>" in line.inner_text()
    assert page.locator("#side .c1").inner_text() == "starting"
    assert page.locator("img").count() == 0


def test_several_runs_are_compared_by_what_differs(opened):
    page = opened("four.html")
    heads = page.locator("thead th").all_inner_texts()
    assert heads[:5] == ["run", "state", "took (s)", "lr", "min val loss"]
    page.get_by_role("button", name="min val loss").click()
    assert page.locator("tbody th").first.inner_text().strip() == "lr-0.1"
    page.get_by_role("button", name="min val loss").click()
    assert page.locator("tbody th").first.inner_text().strip() == "lr-0.8"


def test_a_run_is_switched_off_in_every_chart(opened):
    page = opened("four.html")
    page.get_by_role("tab", name="Charts").click()
    chart(page, "acc").locator(".legend li").nth(3).wait_for()
    before = chart(page, "acc").locator(".legend li").count()
    page.get_by_role("checkbox", name="lr-0.8").uncheck()
    chart(page, "acc").locator(".legend li").nth(2).wait_for()  # charts are drawn when they come into view
    assert (before, chart(page, "acc").locator(".legend li").count()) == (4, 3)


def test_a_range_on_an_axis_selects_runs(opened):
    page = opened("four.html")
    page.get_by_role("tab", name="Compare").click()
    axis = page.locator("svg .hit").first.bounding_box()
    page.mouse.move(axis["x"] + 14, axis["y"] + 1)
    page.mouse.down()
    page.mouse.move(axis["x"] + 14, axis["y"] + axis["height"] * 0.3, steps=4)
    page.mouse.up()
    assert page.locator("svg .run.off").count() == 3
    assert "lr-0.8" in page.locator(".compare output").inner_text()
    assert "1.00" in page.locator(".compare table").inner_text()


def test_dark_and_light_are_the_readers_choice(opened):
    page = opened("one.html", color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    system = page.evaluate(ground)
    button = page.get_by_role("button", name="light or dark")
    button.click()
    assert page.evaluate(ground) == system  # dark is what the system is
    button.click()
    assert page.evaluate(ground) != system


def test_a_telephone_shows_charts_and_the_console_in_turn(opened):
    page = opened("one.html", size=(390, 800))
    assert page.locator("#side").is_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    figure = chart(page, "loss").locator("figure")
    figure.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector("#main .on")
    assert "step 1 " in page.locator("#main .on").inner_text()


def test_what_is_published_has_no_console(opened):
    page = opened("public.html")
    assert page.get_by_role("tab", name="Console").count() == 0
    assert "train.py" not in page.content()
