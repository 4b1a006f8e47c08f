"""Settings: one vocabulary for YAML, Python and the shell, every mistake one clear line."""

import pytest

from myovivo.acquisition.settings import AcquireSettings
from myovivo.errors import FileError, InputError
from myovivo.identification.settings import IdentifySettings
from myovivo.models.presets import TRAIN_PRESETS
from myovivo.models.settings import TrainSettings
from myovivo.phantoms.settings import PhantomSettings
from myovivo.runtime.settings import Settings, settings_from
from myovivo.simulation.settings import SimulateSettings


def test_dotted_nested_yaml_and_ready_settings_are_the_same(tmp_path):
    (tmp_path / "s.yaml").write_text("firing:\n  rate: [9, 10]\ngrid.frames: 64\n")
    dotted = settings_from(SimulateSettings, **{"firing.rate": (9, 10), "grid.frames": 64})
    nested = settings_from(SimulateSettings, {"firing": {"rate": (9, 10)}, "grid": {"frames": 64}})
    assert (
        dotted
        == nested
        == settings_from(SimulateSettings, tmp_path / "s.yaml")
        == settings_from(SimulateSettings, dotted)
    )
    assert dotted.firing.ipi_cv == 0.2


def test_changes_win_over_the_source():
    assert settings_from(TrainSettings, "paper-3d-noise", **{"generator.noise": False}).generator.noise is False


def test_presets_add_the_papers_modifications_one_by_one():
    plain, stride, noise = (
        settings_from(TrainSettings, name) for name in ("paper-3d", "paper-3d-stride1", "paper-3d-noise")
    )
    assert (plain.generator.temporal_stride, plain.generator.noise) == (2, False)
    assert (stride.generator.temporal_stride, stride.generator.noise) == (1, False)
    assert (noise.generator.temporal_stride, noise.generator.noise) == (1, True)
    assert plain.loss == stride.loss == noise.loss
    assert (plain.loss.cycle_silico, plain.optimiser.learning_rate) == (10, 2e-4)
    assert (plain.loss.identity_silico, plain.loss.identity_vivo) == (5, 5)
    assert plain.loss.identity_norms == {"silico": "l1", "vivo": "l2"}
    for name in TRAIN_PRESETS:
        settings_from(TrainSettings, name)


def test_every_setting_explains_itself():
    def fields(kind):
        for name, field in kind.model_fields.items():
            default = field.get_default(call_default_factory=True)
            if isinstance(default, Settings):
                yield from fields(type(default))
            else:
                yield kind.__name__, name, field.description

    for kind in (SimulateSettings, PhantomSettings, TrainSettings, IdentifySettings):
        for group, name, description in fields(kind):
            assert description, f"{group}.{name} needs a description"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ({"grid.frame": 3}, "there is no setting 'grid.frame'"),
        ({"firing.rate": (9, 8)}, "swap the two"),
        ({"firing.ipi_cv": 2}, "firing.ipi_cv"),
        ({"territory.profile": "cube"}, "territory.profile"),
        ({"grid.frame_rate": float("nan")}, "grid.frame_rate"),
        ({"grid": 3}, "grid"),
    ],
)
def test_mistakes_are_named(source, says):
    with pytest.raises(InputError, match=says) as error:
        settings_from(SimulateSettings, source)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("kind", "name"), [(AcquireSettings, "conditioning.band"), (IdentifySettings, "band")])
def test_a_pass_band_is_not_empty(kind, name):
    with pytest.raises(InputError, match=rf"{name}: a pass band must end above where it starts, got 5 to 5 Hz"):
        settings_from(kind, None, **{name: (5.0, 5.0)})


def test_broken_yaml_is_named(tmp_path):
    (tmp_path / "bad.yaml").write_text("a: [1,")
    (tmp_path / "list.yaml").write_text("- 1\n- 2\n")
    for name, says in (
        ("bad.yaml", "not readable YAML"),
        ("list.yaml", "name: value"),
        ("gone.yaml", "neither a preset nor a file"),
    ):
        with pytest.raises(FileError, match=says):
            settings_from(SimulateSettings, tmp_path / name)


def test_settings_of_another_kind_are_refused():
    with pytest.raises(InputError, match="expected TrainSettings, got SimulateSettings"):
        settings_from(TrainSettings, SimulateSettings())


def test_setting_one_of_a_group_leaves_the_groups_own_defaults():
    # A phantom's firing has more units than the simulator's; asking for another rate must not change that.
    assert (
        settings_from(PhantomSettings, None, **{"firing.rate": (8, 9)}).firing.units == PhantomSettings().firing.units
    )


def test_settings_of_earlier_versions_are_read_at_the_value_that_is_left():
    old = {
        "generator": {"upsampling": "transposed", "pad_time": "reflect", "blocks": 4},
        "local": {"pad_time": "replicate"},
    }
    assert settings_from(TrainSettings, old) == settings_from(TrainSettings, {"generator.blocks": 4})
    with pytest.raises(InputError, match="generator: upsampling is transposed and nothing else in this version"):
        settings_from(TrainSettings, {"generator.upsampling": "nearest"})
