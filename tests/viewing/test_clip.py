"""A clip shows the frames there are, in the colours of the page, as fast as it says."""

import numpy as np
import pytest
from domains import sequence
from PIL import Image

from myovivo.errors import InputError
from myovivo.viewing.colours import coloured
from myovivo.viewing.page import view_page
from myovivo.viewing.panes import pane_of


def page(frames=16):
    """Two sequences whose frames are of one velocity each, that of the other being the opposite."""
    velocity = np.broadcast_to(np.linspace(-1e-3, 1e-3, frames, dtype=np.float32)[:, None, None], (frames, 16, 16))
    one = sequence(shape=(frames, 16, 16), spacing=(0.001, 0.001)).replace(velocity=velocity)
    return view_page([pane_of("a", one), pane_of("b_$x$", one.replace(velocity=-velocity))]), velocity


def commonest(picture):
    """The colour that most pixels have which are not white."""
    colours, counts = np.unique(picture.reshape(-1, 3), axis=0, return_counts=True)
    counts[colours.sum(1) > 750] = 0
    return colours[np.argmax(counts)]


def test_a_gif_has_the_frames_in_the_colours_of_the_page(tmp_path):
    shown, velocity = page()
    path = shown.save(tmp_path / "clip.gif", speed=1 / 64)  # 8 frames/s
    limit = float(shown.html.split('"limit": ')[1].split(",")[0])
    with Image.open(path) as clip:
        assert clip.n_frames == 16
        assert clip.info["duration"] == pytest.approx(125, abs=5)
        for frame in (0, 7, 13):
            clip.seek(frame)
            picture = np.asarray(clip.convert("RGB")).astype(int)
            half = picture.shape[1] // 2
            for side, sign in ((picture[:, :half], 1), (picture[:, half:], -1)):
                expected = coloured(sign * 1e3 * velocity[frame, 0, 0], limit, "light")
                np.testing.assert_allclose(commonest(side), expected, atol=6)
    assert [file.name for file in tmp_path.iterdir()] == ["clip.gif"]


def test_a_fast_clip_leaves_frames_out_and_keeps_the_time(tmp_path):
    path = page(frames=64)[0].save(tmp_path / "clip.gif", speed=0.5)  # 256 frames/s are too many
    with Image.open(path) as clip:
        assert clip.n_frames == 6
        assert clip.n_frames * clip.info["duration"] == pytest.approx(1000 * 64 / 256, rel=0.15)


def test_an_mp4_can_be_played(tmp_path):
    cv2 = pytest.importorskip("cv2", reason="needs the extra video")
    path = page()[0].save(tmp_path / "clip.mp4", speed=1 / 32)
    video = cv2.VideoCapture(str(path))
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(16)
    assert int(video.get(cv2.CAP_PROP_FRAME_COUNT)) == 16
    assert video.read()[1].std() > 10
    assert [file.name for file in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_clip_has_a_speed(tmp_path):
    with pytest.raises(InputError, match="speed must be positive"):
        page()[0].save(tmp_path / "clip.gif", speed=0)
    assert not list(tmp_path.iterdir())
