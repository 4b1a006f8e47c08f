"""The page for those who change myovivo says what is there."""

import re
from pathlib import Path

import myovivo

ROOT = Path(myovivo.__file__).parent
PAGE = (Path(__file__).parents[1] / "docs" / "inside.rst").read_text(encoding="utf-8")
ROOMS = {path.parent.name for path in ROOT.glob("*/__init__.py")}


def test_every_room_has_a_sentence_and_none_is_gone():
    table = PAGE[PAGE.index("The rooms") : PAGE.index("The way of a recording")]
    rooms = re.findall(r"^   \* - ``(\w+)``\n     - (.+)", table, re.M)
    assert {name for name, _ in rooms} == ROOMS
    assert all(len(sentence.split()) > 5 for _, sentence in rooms)


def test_rooms_stand_in_the_order_of_their_imports():
    from test_architecture import FLOOR

    listed = re.findall(r"^   \* - ``(\w+)``\n", PAGE, re.M)
    floors = [FLOOR[name] for name in listed]
    assert floors == sorted(floors, reverse=True)


def test_every_module_and_name_that_the_page_mentions_exists():
    mentioned = re.findall(r"``((?:\w+)(?:\.\w+)+)``", PAGE)
    assert len(mentioned) > 20
    for dotted in mentioned:
        parts = dotted.split(".")
        if parts[0] not in ROOMS:
            continue
        place = ROOT
        while parts and ((place / parts[0]).is_dir() or (place / f"{parts[0]}.py").is_file()):
            place = place / parts.pop(0) if (place / parts[0]).is_dir() else place / f"{parts.pop(0)}.py"
        text = place.read_text(encoding="utf-8") if place.is_file() else ""
        assert not parts or all(re.search(rf"\b(class|def) {name}\b|^{name} = ", text, re.M) for name in parts), dotted
    for path in re.findall(r"``(\w+/[\w/]+\.py)``", PAGE):
        assert (ROOT / path).is_file() or (ROOT.parents[1] / path).is_file() or "NAME" in path, path
