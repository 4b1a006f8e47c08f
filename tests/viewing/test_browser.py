"""The page in a real browser: it shows what NumPy computes, controls do what they say, the network is left alone."""

import csv
import io
import json
import shutil

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from myovivo.identification.units import Units
from myovivo.sequences.labels import MotorUnits
from myovivo.sequences.sequence import Sequence
from myovivo.simulation.spike_trains.reading import read_spike_trains
from myovivo.viewing.coding import steps_for
from myovivo.viewing.colours import coloured

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (the dev extra)")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

SHAPE, FRAME_RATE, SPACING = (150, 24, 20), 200.0, (0.001, 0.0015)
EVIL = "</script><script>document.title='owned'</script><b>x"
FIRST, SECOND = np.array([-0.03, 0.1, 0.25, 0.4, 0.55]), np.array([0.05, 0.253, 0.5, 0.7])


def moving(seed):
    noise = gaussian_filter(np.random.default_rng(seed).standard_normal(SHAPE), (2, 3, 3))
    return (1e-3 * noise / noise.std()).astype(np.float32)


def labels():
    mask = np.zeros((2, *SHAPE[1:]), bool)
    mask[0, 4:10, 4:10] = mask[1, 12:18, 8:14] = True
    none = np.array([], int)
    return MotorUnits(
        spike_times=(FIRST, SECOND),
        sync_partner=(none, none),
        centre=np.array([[0.007, 0.0105], [0.015, 0.0165]]),
        diameter=np.full(2, 0.006),
        mask=mask,
        weight=mask.astype(np.float32),
        source=np.zeros((2, SHAPE[0]), np.float32),
    )


SILICO = Sequence(moving(0), FRAME_RATE, SPACING, labels(), "silico", EVIL)
TRANSLATED = SILICO.replace(velocity=0.6 * np.roll(SILICO.velocity, 3, 0) + 0.3 * moving(1), origin="translated")
VIVO = Sequence(moving(2)[:100], FRAME_RATE, SPACING, None, "vivo", "p1")


def held(sequence):
    """What a page holds of a sequence, mm/s."""
    steps = steps_for(sequence.velocity)
    return 1e3 * steps.velocity(steps.numbers(sequence.velocity))


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    import myovivo as mv

    page = mv.view(SILICO, TRANSLATED, VIVO, names=[EVIL, "translated", "recorded"], quiet=True)
    return page.save(tmp_path_factory.mktemp("pages") / "view.html")


class Opened:
    """A page that is open, and what it complained of or asked for."""

    def __init__(self, browser, address, **options):
        self.context = browser.new_context(viewport={"width": 1280, "height": 800}, **options)
        self.page = self.context.new_page()
        self.complaints, self.requests = [], []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("dialog", lambda dialog: dialog.accept())  # unsaved edits are left
        self.again(address)

    def again(self, address):
        """Open it anew."""
        self.complaints.clear()
        self.requests.clear()
        self.page.goto(address)
        self.page.wait_for_selector("html[data-ready]")
        self.settle()
        return self

    def settle(self):
        """Until what is to be drawn has been drawn."""
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def value(self, expression):
        return self.page.evaluate(f"(() => {{ const v = window.viewer; return {expression}; }})()")

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
        self.settle()

    def click(self, selector, **options):
        self.page.click(selector, **options)
        self.settle()

    def pixels(self, pane):
        """What a pane's canvas shows, (Z, X, 3)."""
        read = f"""[...document.querySelectorAll('.pane .image')[{pane}].getContext('2d')
            .getImageData(0, 0, {SHAPE[2]}, {SHAPE[1]}).data]"""
        return np.array(self.page.evaluate(read), np.uint8).reshape(*SHAPE[1:], 4)[..., :3]

    def saved(self, selector):
        """The file that a button saves: its name and its bytes."""
        with self.page.expect_download() as download:
            self.page.click(selector)
        return download.value.suggested_filename, open(download.value.path(), "rb").read()


@pytest.fixture(scope="module")
def tab(browser, file):
    page = Opened(browser, file.as_uri(), color_scheme="light")
    yield page
    page.context.close()


@pytest.fixture
def opened(tab, file):
    """The page as it is when it is opened, in a tab that all share, which is quicker than one for each."""
    page = tab.again(file.as_uri())
    yield page
    assert not page.complaints
    assert not [url for url in page.requests if not url.startswith((file.as_uri(), "data:", "blob:"))]


# ---------------------------------------------------------------------------- what it shows is right


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_canvas_has_the_colours_that_numpy_computes(browser, file, theme):
    page = Opened(browser, file.as_uri(), color_scheme=theme)
    a, b, c = held(SILICO), held(TRANSLATED), held(VIVO)
    limit = page.value("v.limit")
    for frame in (0, 64, 149):
        page.page.evaluate(f"viewer.clock.seek({frame})")
        for pane, velocity in enumerate([a, b, c, b - a]):
            if frame < len(velocity):
                expected = coloured(velocity[frame], limit, theme)
                assert np.abs(page.pixels(pane).astype(int) - expected).max() <= 1, (frame, pane)
            else:
                assert not page.pixels(pane).any()
    page.page.fill("#limit", "0.7")
    page.press("Tab")
    expected = coloured(a[149], 0.7, theme)
    differ = np.abs(page.pixels(0).astype(int) - expected).max(-1) > 1
    assert differ.mean() < 0.01  # a value between two colours may fall either way
    page.context.close()


def test_the_signals_of_a_pixel_are_those_of_numpy(opened):
    opened.page.evaluate("viewer.pick({row: 11, column: 7})")
    opened.settle()
    courses = [held(one)[:, 11, 7] for one in (SILICO, TRANSLATED, VIVO)]
    courses.append(courses[1] - courses[0])
    for k, course in enumerate(courses):
        np.testing.assert_allclose(opened.value(f"[...v.curves.courses[{k}]]"), course, atol=1e-5)
    # the spectrum, by its definition
    window = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(150) + 0.5) / 150)
    transform = np.fft.rfft((courses[0] - courses[0].mean()) * window, 256)
    density = np.abs(transform) ** 2 / (FRAME_RATE * np.sum(window**2))
    density[1:-1] *= 2
    curve = "v.curves.spectrum.plot.curves[0]"
    np.testing.assert_allclose(opened.value(f"[...{curve}.values]"), 10 * np.log10(density), atol=1e-3)
    assert opened.value(f"{curve}.dx") == FRAME_RATE / 256
    # the cross-correlation: B is A, later by three frames
    a, b = (course - course.mean() for course in courses[:2])
    expected = [
        (a[max(0, -lag) : 150 - max(0, lag)] @ b[max(0, lag) : 150 - max(0, -lag)]) / np.sqrt(a @ a * (b @ b))
        for lag in range(-20, 21)
    ]
    np.testing.assert_allclose(opened.value("[...v.curves.correlation.plot.curves[0].values]"), expected, atol=1e-5)
    assert np.argmax(expected) == 23


def test_a_click_and_a_drag_select_pixels_and_a_line_has_its_m_mode(opened):
    box = opened.page.locator(".pane .over").nth(1).bounding_box()
    inner = opened.value("v.panes[1].box")

    def place(row, column):
        return (
            box["x"] + inner["x"] + (column + 0.5) / SHAPE[2] * inner["width"],
            box["y"] + inner["y"] + (row + 0.5) / SHAPE[1] * inner["height"],
        )

    mouse = opened.page.mouse
    mouse.click(*place(5, 6))
    assert opened.value("v.pixel") == {"row": 5, "column": 6}
    mouse.down()
    mouse.move(*place(20, 3), steps=4)
    mouse.up()
    assert opened.value("v.pixel") == {"row": 20, "column": 3}
    assert opened.value("v.ends") == [0, 3, 23, 3]
    opened.page.check("[name=tool][value=line]")
    mouse.move(*place(2, 2))
    mouse.down()
    mouse.move(*place(12, 17), steps=4)
    mouse.up()
    opened.settle()
    assert opened.value("v.line") == [2, 2, 12, 17]
    assert "18.0 mm" not in opened.page.text_content("#mmode-note")
    length = np.hypot(10 * 1.0, 15 * 1.5)
    assert f"{length:.1f} mm" in opened.page.text_content("#mmode-note")
    opened.press("p")
    assert opened.value("v.line") is None


def test_the_layers_and_the_depth_profile_are_the_maps(opened):
    titles = opened.page.eval_on_selector_all("#layer option", "all => all.map((one) => one.textContent)")
    assert titles[:2] == ["none", "variance, as SD"]
    assert len(titles) == 5
    opened.page.select_option("#layer", "sd")
    opened.settle()
    spread = 1e3 * SILICO.velocity.std(0)
    np.testing.assert_allclose(opened.value("[...v.layerData('sd').maps[0].values]"), spread.ravel(), rtol=1e-4)
    profile = opened.value("[...v.curves.profile.plot.paths[0].xs]")
    np.testing.assert_allclose(profile, spread.mean(1), rtol=1e-4)
    opened.page.fill("#opacity", "0.35")
    layers = "[...document.querySelectorAll('.pane .layer')].map((one) => [one.hidden, one.style.opacity])"
    opened.settle()
    assert opened.value(layers) == [[False, "0.35"]] * 3 + [[True, ""]]
    opened.press("m")
    assert opened.value("v.layer") == "difference"
    assert opened.value(layers)[0][0] is True  # A does not differ from itself


# ---------------------------------------------------------------------------- every control, by hand and by key


def test_the_clock_runs_draws_every_frame_it_counts_and_says_both_rates(opened):
    rates = opened.page.text_content("#rates")
    assert rates == "recorded 200 frames/s · played 12.5 frames/s (1/16)"
    opened.page.select_option("#speed", "0.25")
    assert "played 50 frames/s (1/4)" in opened.page.text_content("#rates")
    opened.page.evaluate("""() => {
        const paint = viewer.panes[0].showFrame.bind(viewer.panes[0]);
        viewer.painted = 0;
        viewer.panes[0].showFrame = (...all) => { viewer.painted += 1; paint(...all); };
    }""")
    opened.press("Space")
    opened.page.evaluate("""() => new Promise((done) => {
        const look = () => (viewer.clock.drawn >= 8 ? done() : requestAnimationFrame(look));
        look();
    })""")
    assert opened.page.get_attribute("#play", "aria-label") == "Pause"
    opened.press(" ")
    frame, drawn, painted = opened.value("[v.clock.frame, v.clock.drawn, v.painted]")
    assert not opened.value("v.clock.playing")
    assert painted >= drawn >= 8
    assert frame >= 8
    assert opened.page.input_value("#scrub") == str(frame)
    opened.page.wait_for_timeout(60)
    assert opened.value("v.clock.frame") == frame


def test_time_goes_no_faster_when_play_is_pressed_again(opened):
    passed = """() => new Promise((done) => {
        const { clock } = viewer, start = performance.now();
        for (let k = 0; k < 5; k++) { clock.play(); clock.pause(); }
        clock.play();
        let frames = 0;
        const look = () => {
            if (++frames < 12) return requestAnimationFrame(look);
            clock.pause();
            done([clock.exact, ((performance.now() - start) / 1000) * clock.frameRate * clock.speed]);
        };
        look();
    })"""
    exact, expected = opened.page.evaluate(passed)
    assert 0 < exact <= expected + 1


def test_stepping_scrubbing_and_jumping(opened):
    opened.click("#forth")
    opened.click("#forth")
    opened.click("#back")
    assert opened.value("v.clock.frame") == 1
    opened.page.fill("#scrub", "40")
    assert opened.value("v.clock.frame") == 40
    assert "0.200 s · frame 41 of 150" in opened.page.text_content("#time")
    for key, frame in (("ArrowRight", 41), ("Shift+ArrowLeft", 31), (".", 32), (",", 31), ("End", 149), ("Home", 0)):
        opened.page.locator("body").evaluate("() => document.activeElement.blur()")
        opened.press(key)
        assert opened.value("v.clock.frame") == frame, key
    box = opened.page.locator("#course .plot").bounding_box()
    x = opened.value("v.curves.course.toX(0.5)")
    opened.page.mouse.click(box["x"] + x, box["y"] + 30)
    assert opened.value("v.clock.frame") == 100


def test_keys_reach_everything_else(opened):
    for key, read, after in (
        ("]", "v.clock.speed", 1 / 8),
        ("[", "v.clock.speed", 1 / 16),
        ("o", "v.outlines", False),
        ("o", "v.outlines", True),
        ("d", "v.panes.length", 3),
        ("d", "v.panes.length", 4),
        ("l", "document.querySelector('[name=tool]:checked').value", "line"),
        ("n", "[...v.selected]", [0]),
        ("b", "[...v.selected]", [1]),
        ("x", "v.edits.units.map((unit) => unit.kept)", [True, False]),
        ("k", "v.edits.units.map((unit) => unit.kept)", [True, True]),
        ("+", "v.window[1] - v.window[0]", 0.375),
        ("-", "v.window[1] - v.window[0]", 0.75),
        ("t", "document.documentElement.dataset.theme", "dark"),
        ("t", "document.documentElement.dataset.theme", "light"),
        ("?", "document.querySelector('#help').open", True),
        ("Escape", "document.querySelector('#help').open", False),
    ):
        opened.press(key)
        assert opened.value(read) == after, key
    opened.page.locator(".pane .over").first.focus()
    before = opened.value("v.pixel")
    opened.press("ArrowUp", "ArrowLeft")
    assert opened.value("v.pixel") == {"row": before["row"] - 1, "column": before["column"] - 1}


def test_boxes_do_the_same_as_keys_and_the_wheel_zooms_into_time(opened):
    opened.page.uncheck("#outlines")
    assert opened.value("v.shapes(0)") == []
    opened.page.uncheck("#difference")
    assert opened.page.locator(".pane").count() == 3
    opened.page.check("#difference")
    assert opened.page.locator(".pane").count() == 4
    box = opened.page.locator("#course .plot").bounding_box()
    x = box["x"] + opened.value("v.curves.course.toX(0.3)")
    opened.page.mouse.move(x, box["y"] + 40)
    opened.page.mouse.wheel(0, -100)
    opened.settle()
    low, high = opened.value("v.window")
    assert high - low == pytest.approx(0.6)
    assert (0.3 - low) / (high - low) == pytest.approx(0.3 / 0.75, abs=0.01)
    opened.page.mouse.dblclick(x, box["y"] + 40)
    opened.settle()
    assert opened.value("v.window") == [0, 0.75]


def test_the_help_names_every_key(opened):
    opened.click("#help-open")
    rows = opened.page.eval_on_selector_all("#keys tr", "all => all.map((one) => one.textContent)")
    assert len(rows) > 25
    assert "Spaceplay or pause" in rows
    opened.click("#help-close")
    assert not opened.value("document.querySelector('#help').open")


# ---------------------------------------------------------------------------------------- units


def test_a_unit_is_selected_in_list_and_raster_and_outlined_where_it_moves(opened):
    opened.click("#units li:nth-child(2) .unit")
    assert opened.value("[...v.selected]") == [1]
    shapes = "[0, 1, 2, 3].map((pane) => v.shapes(pane).map((one) => one.state.split(' ')[0]))"
    assert opened.value(shapes) == [["plain", "picked"]] * 2 + [[]] + [["plain", "picked"]]
    outline = opened.value("[...v.shapes(0)[1].mask]")
    np.testing.assert_array_equal(np.reshape(outline, SHAPE[1:]), SILICO.labels.mask[1])
    opened.page.evaluate("viewer.clock.seekTime(0.7)")
    assert "picked firing" in opened.value("v.shapes(0).map((one) => one.state)")
    # a double click into a territory selects it
    screen, inner = opened.page.locator(".pane .over").nth(1).bounding_box(), opened.value("v.panes[1].box")
    for row, column, selected in ((7, 7, [0]), (14, 10, [1]), (22, 18, [])):
        x = screen["x"] + inner["x"] + (column + 0.5) / SHAPE[2] * inner["width"]
        y = screen["y"] + inner["y"] + (row + 0.5) / SHAPE[1] * inner["height"]
        opened.page.mouse.dblclick(x, y)
        assert opened.value("[...v.selected]") == selected
    # a click on a firing selects it, its unit, and goes there
    box = opened.page.locator("#raster .plot").bounding_box()
    x, y = opened.value("[v.raster.chart.toX(0.4), v.raster.chart.toY(0.5)]")
    opened.page.mouse.click(box["x"] + x + 1, box["y"] + y)
    assert opened.value("[[...v.selected], v.spike, v.clock.frame]") == [[0], {"unit": 0, "spike": 3}, 80]


def test_firings_are_added_and_deleted_units_merged_and_all_is_taken_back(opened):
    times = "v.edits.units.map((unit) => unit.times)"
    original = [FIRST.tolist(), SECOND.tolist()]
    opened.press("n")
    opened.page.evaluate("viewer.clock.seek(60)")
    opened.press("a")
    assert opened.value(times)[0] == sorted([*original[0], 0.3])
    opened.page.evaluate("viewer.clock.seek(20)")
    opened.page.evaluate("viewer.select([0])")
    opened.press("Delete")
    assert opened.value(times)[0] == [-0.03, 0.25, 0.3, 0.4, 0.55]
    opened.page.keyboard.down("Control")
    opened.page.click("#units li:nth-child(2) .unit")
    opened.page.keyboard.up("Control")
    opened.click("#merge")
    # 0.25 and 0.253 s are one firing, at the earlier time
    assert opened.value(times) == [[-0.03, 0.05, 0.25, 0.3, 0.4, 0.5, 0.55, 0.7]]
    union = SILICO.labels.mask.any(0)
    np.testing.assert_array_equal(np.reshape(opened.value("[...v.edits.units[0].mask]"), SHAPE[1:]), union)
    assert opened.value("v.edits.units[0].name") == "1+2"
    for _ in range(3):
        opened.click("#undo")
    assert opened.value(times) == original
    assert opened.page.is_disabled("#undo")
    opened.press("Control+y")
    assert 0.3 in opened.value(times)[0]
    box = opened.page.locator("#raster .plot").bounding_box()
    x, y = opened.value("[v.raster.chart.toX(0.62), v.raster.chart.toY(1.5)]")
    opened.page.mouse.dblclick(box["x"] + x, box["y"] + y)
    assert min(abs(time - 0.62) for time in opened.value(times)[1]) < 0.003


def test_edited_units_are_saved_as_files_that_the_package_reads(opened, tmp_path):
    asks = "!window.dispatchEvent(new Event('beforeunload', { cancelable: true }))"  # whether to leave unsaved edits
    assert not opened.value(asks)
    opened.press("n")
    opened.page.evaluate("viewer.clock.seek(60)")
    opened.press("a")
    assert opened.value(asks)
    expected = np.sort([*FIRST[FIRST >= 0], 0.3])
    for button, ending, within in (("#save-bids", "_events.tsv", 1e-6), ("#save-openhdemg", ".json", 0.5 / FRAME_RATE)):
        name, content = opened.saved(button)
        assert name.endswith(ending)
        (tmp_path / name).write_bytes(content)
        trains = read_spike_trains(tmp_path / name)
        assert len(trains) == 2
        for train, times in zip(sorted(trains, key=lambda one: one[0]), (SECOND, expected), strict=True):
            np.testing.assert_allclose(train, times, atol=within + 1e-9)
    assert not opened.value(asks)
    content = json.loads(content)
    truth = SILICO.labels
    units = Units((FIRST, SECOND), truth.weight, truth.source, truth.mask, {}, FRAME_RATE, SPACING)
    ours = json.loads(units.save(tmp_path / "ours.json").read_text())
    assert list(content) == list(ours)
    for key in content.keys() - {"SOURCE", "FILENAME", "ACCURACY", "IPTS", "MUPULSES", "BINARY_MUS_FIRING"}:
        assert json.loads(content[key]) == json.loads(ours[key]), key
    assert np.shape(json.loads(content["IPTS"])["data"]) == np.shape(json.loads(ours["IPTS"])["data"])
    opened.page.uncheck("#units li:nth-child(1) input")
    name, content = opened.saved("#save-bids")
    assert content.decode().splitlines()[1:] == [f"{time:.6f}\t0\t0" for time in SECOND]


# ----------------------------------------------------------------------------------- what is saved


def test_the_view_is_saved_as_a_picture_and_its_signals_as_a_table(opened):
    name, content = opened.saved("#save-png")
    assert name.endswith(".png")
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
    assert width > 1500
    assert height > 1000
    opened.page.evaluate("viewer.pick({row: 3, column: 4})")
    opened.settle()
    name, content = opened.saved("#save-csv")
    head, *rows = csv.reader(io.StringIO(content.decode()))
    assert head == ["time s", "A mm/s", "B mm/s", "C mm/s", "D mm/s"]
    np.testing.assert_allclose([float(row[1]) for row in rows], held(SILICO)[:, 3, 4], atol=1e-5)
    np.testing.assert_allclose([float(row[0]) for row in rows], np.arange(150) / FRAME_RATE, atol=1e-6)
    assert [row[3] != "" for row in rows] == [True] * 100 + [False] * 50


def test_a_clip_is_saved(opened):
    opened.page.evaluate("viewer.clock.speed = 1")
    name, content = opened.saved("#save-clip")
    assert name.endswith(".webm")
    assert content[:4] == b"\x1a\x45\xdf\xa3"
    assert len(content) > 2000


# ------------------------------------------------------------------------ for everybody, everywhere


def test_names_are_text_and_run_nothing(opened):
    assert opened.page.title().startswith("</script>")
    assert opened.page.text_content(".pane .name") == EVIL
    assert opened.page.evaluate("document.scripts.length") < 4
    assert not opened.page.query_selector("b:text('x')")


def test_every_control_has_a_name_and_its_place_in_the_tab_order(opened):
    nameless = """[...document.querySelectorAll('button, input, select, canvas[role], [tabindex="0"]')]
        .filter((one) => !one.hidden)
        .filter((one) => !(one.getAttribute('aria-label') || one.textContent.trim() || one.labels?.length))
        .map((one) => one.outerHTML)"""
    assert opened.page.evaluate(nameless) == []
    reached = set()
    for _ in range(45):
        opened.page.keyboard.press("Tab")
        reached.add(opened.page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert {"theme", "help-open", "over", "play", "scrub", "speed", "limit", "layer", "unit", "save-png"} <= reached


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_texts_stand_out_from_what_is_behind_them(browser, file, theme):
    page = Opened(browser, file.as_uri(), color_scheme=theme)
    read = "name => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim()"

    def luminance(name):
        code = page.page.evaluate(read, name)
        srgb = np.array([int(code[at : at + 2], 16) for at in (1, 3, 5)]) / 255
        return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]

    pairs = [(text, back) for text in ("ink", "soft") for back in ("paper", "card", "control")]
    for text, back in [*pairs, ("on-accent", "accent"), *((name, "card") for name in ("a", "b", "c", "d", "pick"))]:
        high, low = sorted([luminance(text), luminance(back)], reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, (text, back)
    page.context.close()


def test_the_page_fits_a_desktop_without_scrolling_and_a_phone_in_width(browser, file):
    page = Opened(browser, file.as_uri())
    root = "document.documentElement"
    assert page.value(f"{root}.scrollHeight") <= 800
    assert page.value(f"{root}.scrollWidth") <= 1280
    page.page.set_viewport_size({"width": 390, "height": 844})
    page.settle()
    assert page.value(f"{root}.scrollWidth") <= 390
    boxes = [one.bounding_box() for one in page.page.locator(".pane .image").all()]
    assert min(box["width"] for box in boxes) > 80
    page.context.close()


def test_a_notebook_shows_it_in_a_frame_that_cannot_reach_out(browser, tmp_path):
    (tmp_path / "notebook.html").write_text(f"<body>{SILICO.view()._repr_html_()}</body>", encoding="utf-8")
    context = browser.new_context()
    page = context.new_page()
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((tmp_path / "notebook.html").as_uri())
    frame = page.frame_locator("iframe")
    frame.locator("html[data-ready]").wait_for(state="attached")
    frame.locator("#forth").click()
    assert "frame 2 of 150" in frame.locator("#time").text_content()
    assert not complaints
    context.close()


def test_of_a_unit_known_by_its_firings_the_place_is_found(browser, tmp_path):
    # a disc that twitches at each firing, among noise
    mask = labels().mask[1]
    after = np.zeros(SHAPE[0])
    for time in SECOND:
        after[round(time * FRAME_RATE) :][:8] += 1
    velocity = 0.2 * moving(5) + 2e-3 * after[:, None, None] * mask
    one = Sequence(velocity.astype(np.float32), FRAME_RATE, SPACING)
    page = Opened(browser, one.view([SECOND]).save(tmp_path / "view.html").as_uri())
    page.press("n")
    (shape,) = page.value("v.shapes(0).map((one) => [[...one.mask], one.state])")
    np.testing.assert_array_equal(np.reshape(shape[0], SHAPE[1:]), mask)
    assert shape[1].startswith("picked guessed")
    assert not page.complaints
    page.context.close()


def test_either_list_of_units_can_be_edited(browser, tmp_path):
    page = Opened(browser, SILICO.view([[0.2], []]).save(tmp_path / "view.html").as_uri())
    options = page.page.eval_on_selector_all("#list option", "all => all.map((one) => one.textContent)")
    assert options == ["found units of A", "true units of A"]
    assert page.page.locator("#units li").count() == 2
    page.press("n", "n")  # a unit without a firing
    assert page.page.is_disabled("#delete-spike")
    page.page.select_option("#list", "1")
    page.settle()
    assert page.value("v.edits.units.map((unit) => unit.times)") == [FIRST.tolist(), SECOND.tolist()]
    assert page.value("v.beside.map((unit) => unit.times)") == [[0.2], []]
    page.press("n", "Delete")
    assert len(page.value("v.lists[1].edits.units[0].times")) == 4
    assert not page.complaints
    page.context.close()


@pytest.mark.parametrize("shape", [(1, 8, 9), (30, 1, 1)])
def test_the_least_there_can_be_is_shown(browser, tmp_path, shape):
    one = Sequence(np.zeros(shape, np.float32), FRAME_RATE, SPACING)
    page = Opened(browser, one.view().save(tmp_path / "view.html").as_uri())
    page.press("Space", "End", "m", "l", "+", "n", "a", "Delete", "Control+z")
    assert page.value("v.clock.frame") == shape[0] - 1
    assert page.page.locator("#units-section").is_hidden()
    assert not page.complaints
    page.context.close()
