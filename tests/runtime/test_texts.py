"""Text, JSON and YAML from files: bounded, and plain values only."""

import gzip
import itertools
import zlib

import pytest

from myovivo.errors import FileError
from myovivo.runtime.texts import json_of, read_bytes, read_text, yaml_of
from myovivo.runtime.unfolding import inflated

LETTERS = "abcdefghijkl"
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in itertools.pairwise(LETTERS)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{name}: &{name} {{<<: [{','.join([f'*{before}'] * 9)}]}}\n" for before, name in itertools.pairwise(LETTERS)
)


def test_honest_yaml_is_read_aliases_and_all():
    assert yaml_of("a: &a {x: 1}\nb: {<<: *a, y: [2, 3]}\n") == {"a": {"x": 1}, "b": {"x": 1, "y": [2, 3]}}
    assert yaml_of("") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "unfold to over"),
        (MERGES, "unfold to over"),
        ("a: &a [*a]", "within its own anchor"),
        ("[" * 20000, "nested too deep"),
        ("[" * 100 + "]" * 100, "nested over 60 levels deep"),
        ("x" * (2 << 20), "too long"),
        ("a: !!python/object/apply:os.system ['true']", "could not determine a constructor"),
        ("a: !!python/name:os.system", "could not determine a constructor"),
        ("a: [1", "expected"),
        ("? [a]\n: 1", "unhashable"),
        ("\0", "special characters"),
        ("9" * 5000, "digits"),
    ],
)
def test_yaml_that_is_no_data_is_one_line(text, message):
    with pytest.raises(ValueError, match=message) as refusal:
        yaml_of(text)
    assert "\n" not in str(refusal.value)


def test_json_that_is_nested_without_end_is_refused():
    for text in ("[" * 200_000, '{"a":' * 200_000):
        with pytest.raises(ValueError, match="nested too deep"):
            json_of(text)


def test_files_are_read_up_to_a_bound(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"x" * 100)
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"y" * 100))
    assert (read_text(tmp_path / "a.txt"), read_bytes(tmp_path / "b.gz")) == ("x" * 100, b"y" * 100)
    for name in ("a.txt", "b.gz"):
        with pytest.raises(FileError, match="is too long"):
            read_bytes(tmp_path / name, 99)


def test_a_broken_gzip_is_one_line(tmp_path):
    whole = gzip.compress(bytes(range(256)) * 9)
    for number, content in enumerate((whole[:40], whole[:-8] + bytes(8), whole[:10] + b"\xff" * 40)):
        (tmp_path / f"{number}.gz").write_bytes(content)
        with pytest.raises(FileError, match="is a broken gzip"):
            read_bytes(tmp_path / f"{number}.gz")


def test_a_stream_must_end_where_it_is_told_to():

    stream = zlib.compress(b"abcdef")
    assert inflated([stream], 6) == b"abcdef"
    assert inflated([stream], 4, whole=False) == b"abcd"
    for size in (5, 7):
        with pytest.raises(ValueError, match=f"{size} bytes are told"):
            inflated([stream], size)


def test_a_stream_that_was_flushed_and_never_ended_is_read_as_far_as_it_is_told():
    stream = zlib.compressobj()
    content = stream.compress(b"abcdef") + stream.flush(zlib.Z_SYNC_FLUSH)  # as MATLAB leaves some
    assert inflated([content], 6) == b"abcdef"


def test_a_stream_whose_check_sum_is_wrong_is_refused():
    stream = zlib.compress(b"abcdef")
    with pytest.raises(zlib.error):
        inflated([stream[:-1] + bytes([stream[-1] ^ 1])], 6)
