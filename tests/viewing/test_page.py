"""The page as a file: whole, safe, in parts that fit together; what cannot be shown is refused in one line."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from domains import sequence

from myovivo.errors import InputError, WrongTypeError
from myovivo.viewing.bundle import FOLDER, bundled_script, security_policy
from myovivo.viewing.page import LARGEST, view_page
from myovivo.viewing.panes import pane_of, require_alike, span_of, trains_of, true_trains

SCRIPTS = sorted((FOLDER / "scripts").glob("*.js"))
EVIL = '</script><script>alert(1)</script><img src=x onerror="alert(2)">&"\''


def page_of(*sequences, **options):
    return view_page([pane_of(f"s{k}", one) for k, one in enumerate(sequences)], **options)


class Elements(HTMLParser):
    """Scripts by type, and every tag with its attributes."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        if self.cdata_elem:  # within a script or style
            self.texts.append((self.tags[-1][1].get("type", self.tags[-1][0]), data))


def test_the_page_runs_only_its_own_script_and_reaches_nothing():
    elements = Elements(page_of(sequence()).html)
    policy = next(tag["content"] for name, tag in elements.tags if tag.get("http-equiv") == "Content-Security-Policy")
    assert policy == security_policy()
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for kind, rule in (("module", "script-src"), ("style", "style-src")):
        (text,) = [text for sort, text in elements.texts if sort == kind]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{rule} 'sha256-{digest}'" in policy
    for name, attributes in elements.tags:
        assert not [key for key in attributes if key.startswith("on") or key in ("src", "style", "srcset")], name
        assert attributes.get("href", "data:,") == "data:,"


def test_names_are_escaped_wherever_they_stand():
    one = sequence(subject=EVIL)
    page = view_page([pane_of(EVIL, one)], title=EVIL)
    elements = Elements(page.html)
    assert sum(name == "script" for name, _ in elements.tags) == 3
    assert not [name for name, _ in elements.tags if name == "img"]
    (payload,) = [json.loads(text) for kind, text in elements.texts if kind == "application/json"]
    assert payload["title"] == EVIL
    assert payload["panes"][0]["name"].startswith("</script>")
    frame = Elements(page._repr_html_())
    (only,) = frame.tags
    assert only[0] == "iframe"
    assert only[1]["srcdoc"] == page.html
    assert "allow-same-origin" not in only[1]["sandbox"]


def test_the_payload_says_what_is_shown():
    one = sequence(shape=(200, 6, 5))
    pane = pane_of("a", one, start=0.1, stop=0.3, every=3)
    elements = Elements(view_page([pane], true_trains([one.labels], (6, 5))).html)
    (payload,) = [json.loads(text) for kind, text in elements.texts if kind == "application/json"]
    assert payload["start"] == pytest.approx(52 / 512)
    assert (payload["recordedRate"], payload["every"], payload["recordedFrames"]) == (512.0, 3, 200)
    assert payload["panes"][0]["frames"] == len(range(52, 154, 3))
    assert payload["spacing"] == [1.0, 0.5]
    assert [unit["times"] for unit in payload["trains"][0]["units"]] == [t.tolist() for t in one.labels.spike_times]
    spread = np.frombuffer(base64.b64decode(payload["panes"][0]["maps"]["sd"]["values"]), "<f4").reshape(6, 5)
    np.testing.assert_allclose(spread, 1e3 * one.velocity[52:154:3].std(0), rtol=1e-4)


def test_the_colours_end_at_a_round_number_above_nearly_all_velocities():
    one = sequence(shape=(100, 16, 16))
    elements = Elements(page_of(one).html)
    (payload,) = [json.loads(text) for kind, text in elements.texts if kind == "application/json"]
    share = np.mean(np.abs(1e3 * one.velocity) <= payload["limit"])
    assert share > 0.989
    assert payload["limit"] < 1.6 * 1e3 * np.percentile(np.abs(one.velocity), 99)


def test_a_page_is_saved_as_html_only(tmp_path):
    page = page_of(sequence())
    assert page.save(tmp_path / "a" / "b.html").read_text(encoding="utf-8") == page.html
    with pytest.raises(InputError, match=r"saved as \.html, a clip of it as \.gif or \.mp4, got \.txt"):
        page.save(tmp_path / "b.txt")
    assert re.fullmatch(r"ViewPage: s0; 1 sequence, 24 frames, \d\.\d MB; save it as \.html", repr(page))


def test_a_sequence_shows_itself():
    page = sequence().view(stop=0.02, title="mine")
    assert page.title == "mine"
    assert '"true units of A"' in page.html
    units = [np.array([0.01]), np.array([])]
    assert '"found units of A"' in sequence().view(units).html


def test_a_translated_sequence_shares_the_units_of_its_original():
    first, other = sequence(), sequence(seed=1, origin="vivo")
    lists = true_trains([first.labels, first.replace(origin="translated").labels, other.labels], (16, 16))
    assert [(one.title, one.panes) for one in lists] == [("true units of A, B", (0, 1))]


# ------------------------------------------------------------------------------- what cannot be


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"shape": (24, 16, 12)}, r"b has 16 x 12 pixels but a has 16 x 16; make them alike"),
        ({"frame_rate": 500.0}, r"b has 500 frames/s but a has 512"),
        (
            {"spacing": (0.002, 0.0005), "frame_rate": 1e3},
            r"1000 frames/s and pixels of 2 x 0\.5 mm but a has 512 and 1 x",
        ),
    ],
)
def test_sequences_that_differ_are_refused_by_name(changes, says):
    with pytest.raises(InputError, match=says):
        require_alike([pane_of("a", sequence()), pane_of("b", sequence(**changes))])


def test_no_sequence_and_five_are_refused():
    for count in (0, 5):
        with pytest.raises(InputError, match=rf"1 to 4 sequences, got {count}"):
            view_page([pane_of("a", sequence())] * count)


@pytest.mark.parametrize(("start", "stop"), [(1.0, 0.5), (2.0, None), (0.5, 0.5), (-1.0, 0.0), (0.5001, 0.5002)])
def test_an_empty_range_is_refused(start, stop):
    with pytest.raises(InputError, match=r"must hold a frame of the 2 s there are, got"):
        span_of(200, 100.0, start, stop, 1)


def test_ranges_take_the_frames_between():
    span = span_of(200, 100.0, 0.5, 0.6, 4)
    assert (span.first, span.last, span.shown) == (50, 60, 3)
    assert span_of(200, 100.0, -3, 99, 1)[:2] == (0, 200)
    with pytest.raises(InputError, match="every must be a whole number"):
        span_of(200, 100.0, 0, 1, 0)


def test_too_much_for_a_browser_is_refused_before_anything_is_made():
    small = sequence()
    huge = np.broadcast_to(np.float32(0), (LARGEST // 256 + 1, 16, 16))
    with pytest.raises(InputError, match=r"at most 537 million values.*every"):
        view_page([pane_of("a", small)._replace(velocity=huge)])


def test_units_must_be_units_of_these_pixels():
    with pytest.raises(InputError, match="units must lie on the 6 x 5 pixels shown, got 16 x 16"):
        trains_of("a", sequence().labels, (0,), (6, 5))
    with pytest.raises(InputError, match="spike times must be finite"):
        trains_of("a", [[0.1, np.nan]], (0,), (6, 5))
    with pytest.raises(WrongTypeError, match="units must be Units, MotorUnits or spike times"):
        trains_of("a", 3, (0,), (6, 5))


# ------------------------------------------------------------------------------------ the scripts


def test_a_name_stands_at_the_top_of_one_script_only():
    names = [
        name
        for path in SCRIPTS
        for name in re.findall(r"^(?:export )?(?:async )?(?:const|let|class|function) (\w+)", path.read_text(), re.M)
    ]
    assert len(names) > 60
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)


def test_every_script_is_in_the_page_once_after_those_it_needs():
    script = bundled_script()
    heads = {path.name: path.read_text().splitlines()[0] for path in SCRIPTS}
    places = {}
    for path in SCRIPTS:
        first = re.search(r"^export (?:async )?(?:const|class|function) (\w+)", path.read_text(), re.M)
        if first:
            pattern = rf"^(?:async )?(?:const|class|function) {first[1]}\b"
            (match,) = re.finditer(pattern, script, re.M)
            places[path.name] = match.start()
    assert places.keys() == heads.keys() - {"main.js"}
    for path in SCRIPTS:
        for needed in re.findall(r'from "\./(\w+\.js)"', path.read_text()):
            assert path.name == "main.js" or places[needed] < places[path.name], (path.name, needed)
    assert not re.search(r"^(import|export) ", script, re.M)
    assert "</script" not in script


def test_what_a_script_imports_is_there():
    for path in SCRIPTS:
        for names, module in re.findall(r'^import \{([^}]*)\} from "\./(\w+\.js)";$', path.read_text(), re.M):
            text = (path.parent / module).read_text()
            for name in names.split(","):
                assert re.search(rf"^export (?:async )?(?:const|class|function) {name.strip()}\b", text, re.M), (
                    path.name,
                    name,
                )


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_short_and_say_what_they_are_for(path):
    text = path.read_text()
    assert text.startswith("/**")
    assert len(text.splitlines()) <= 350
    assert not re.search(
        r"\b(eval|innerHTML|outerHTML|document\.write|insertAdjacentHTML|fetch|XMLHttpRequest)\b", text
    )


@pytest.mark.skipif(not shutil.which("tsc"), reason="needs TypeScript: npm install --global typescript")
def test_the_scripts_types_fit_together():
    done = subprocess.run(["tsc", "-p", Path(__file__).with_name("jsconfig.json")], capture_output=True, text=True)
    assert done.stdout == ""


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
def test_the_scripts_are_javascript(tmp_path):
    whole = tmp_path / "page.mjs"
    whole.write_text(bundled_script())
    subprocess.run(["node", "--check", whole], check=True)
