"""The table: rows that must agree, pairs that must be left out, input that must be refused."""

import csv
import io
import json
import weakref

import h5py
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import myovivo.evaluation
from myovivo.errors import FileError, InputError
from myovivo.evaluation import columns, content, features, frechet, map_features, metrics, moments
from myovivo.evaluation.coherence import coherence
from myovivo.evaluation.evaluate import evaluate
from myovivo.sequences.header import read_velocity
from myovivo.sequences.labels import MotorUnits
from myovivo.sequences.sequence import Sequence

FRAME_RATE = 128.0
SPACING = (0.001, 0.001)
SHAPE = (96, 20, 18)
DISTANCES = ["DBhat", "Corr", "SSI", "SSI norm", "Corr Psd", "Coh dist"]


def make(seed, origin="vivo", scale=1e-3, subject="", smooth=2.0):
    """Smooth moving noise under a random amplitude map."""
    rng = np.random.default_rng(seed)
    amplitude = np.exp(gaussian_filter(rng.standard_normal(SHAPE[1:]), smooth) * 2 * smooth)
    velocity = gaussian_filter(rng.standard_normal(SHAPE), (2, 1, 1)) * amplitude
    return Sequence(scale * velocity / velocity.std(), FRAME_RATE, SPACING, origin=origin, subject=subject)


def save(folder, sequences):
    for index, one in enumerate(sequences):
        one.save(folder / f"sequence-{index:04d}.h5")
    return folder


@pytest.fixture(scope="module")
def vivo():
    return [make(seed, subject=f"s{seed % 2}") for seed in range(3)]


@pytest.fixture(scope="module")
def silico():
    return [make(10 + seed, "silico", scale=4e-3, smooth=4.0) for seed in range(4)]


@pytest.fixture(scope="module")
def translated(silico):
    """Inverted, late by three frames, noisy: content that is found back at a known lag."""
    noise = np.random.default_rng(5).standard_normal(SHAPE).astype(np.float32)
    return [
        one.replace(velocity=0.2 * np.roll(one.velocity, 3, axis=0) + 1e-4 * noise, origin="translated")
        for one in silico
    ]


def run(*args, **kwargs):
    return evaluate(*args, **kwargs, quiet=True, workers=1)


# ------------------------------------------------------------------------------ the figures themselves


def test_columns_are_the_metrics_of_standardised_sequences_over_all_pairs(silico, translated, vivo):
    constants = {"silico": (1e-5, 4e-3), "vivo": (-1e-5, 2e-3)}
    comparison = run(translated, vivo, silico, standardisation=constants)

    def standard(sequences, name):
        mean, std = constants[name]
        return [(one.velocity.astype(float) - mean) / std for one in sequences]

    a, b = standard(translated, "vivo"), standard(vivo, "vivo")
    log_a, log_b = ([map_features.log_variance_map(v) for v in group] for group in (a, b))
    expected = {
        "DBhat": [metrics.bhattacharyya_distance(x, y) for x in log_a for y in log_b],
        "Corr": [metrics.histogram_correlation(x, y) for x in log_a for y in log_b],
        "SSI": [metrics.kspace_ssim(x, y) for x in log_a for y in log_b],
        "SSI norm": [metrics.kspace_ssim_normalised(x, y) for x in log_a for y in log_b],
        "Corr Psd": [metrics.psd_correlation(x, y, FRAME_RATE) for x in a for y in b],
        "Coh dist": [np.sqrt(np.mean((coherence(x).curve() - coherence(y).curve()) ** 2)) for x in a for y in b],
    }
    for name, values in expected.items():
        found = comparison.row("translated").columns[name]
        assert found == pytest.approx(
            (np.mean(values), np.std(values), 12), abs=2e-3 if name in DISTANCES[:2] else 1e-5
        )
    silico_maps = [map_features.log_variance_map(v) for v in standard(silico, "silico")]
    none = [metrics.kspace_ssim(x, y) for x in silico_maps for y in log_b]
    assert comparison.row("none").columns["SSI"].mean == pytest.approx(np.mean(none), abs=1e-5)
    within = [metrics.kspace_ssim(log_b[i], log_b[j]) for i in range(3) for j in range(3) if i != j]
    assert comparison.row("vivo-vivo").columns["SSI"][:2] == pytest.approx((np.mean(within), np.std(within)), abs=1e-5)


def test_content_is_pooled_over_the_pixels_of_matched_pairs(silico, translated, vivo):
    columns = run(translated, vivo, silico, full_range=True).row("translated").columns
    found = [
        content.content_correlation(a.velocity, b.velocity, FRAME_RATE) for a, b in zip(silico, translated, strict=True)
    ]
    correlation, lag = (np.concatenate([one[i].ravel() for one in found]) for i in (0, 1))
    assert columns["xCorr"] == pytest.approx((correlation.mean(), correlation.std(), correlation.size))
    assert columns["lag"] == pytest.approx((lag.mean(), lag.std(), lag.size))
    assert columns["lag"].mean == pytest.approx(3 / FRAME_RATE, abs=0.05 / FRAME_RATE)
    assert columns["lag full range"].mean == pytest.approx(3 / FRAME_RATE, abs=0.05 / FRAME_RATE)


def test_partners_are_found_by_name_not_by_order(silico, translated, vivo, tmp_path):
    silico_folder = save(tmp_path / "silico", silico)
    translated_folder = save(tmp_path / "translated", translated)
    paths = sorted(translated_folder.iterdir(), reverse=True)[:3]
    columns = run(paths, vivo, silico_folder).row("translated").columns
    assert columns["xCorr"].mean > 0.8
    assert columns["xCorr"].n == 3 * SHAPE[1] * SHAPE[2]


def test_territories_alone_come_from_the_labels(silico, translated, vivo, tmp_path):
    mask = np.zeros((2, *SHAPE[1:]), bool)
    mask[0, 2:5, 3:6] = mask[1, 4:8, 5:9] = True
    labels = MotorUnits(
        spike_times=(np.array([0.1]), np.array([0.2])),
        sync_partner=(np.array([-1]), np.array([-1])),
        centre=np.zeros((2, 2)),
        diameter=np.ones(2),
        mask=mask,
        weight=mask.astype(np.float32),
        source=np.zeros((2, SHAPE[0]), np.float32),
    )
    labelled = [one.replace(labels=labels) for one in silico]
    inside = mask.any(axis=0)
    values = [
        content.content_correlation(a.velocity, b.velocity, FRAME_RATE)[0][inside]
        for a, b in zip(silico, translated, strict=True)
    ]
    for domain in (labelled, save(tmp_path, labelled)):
        target = translated if domain is labelled else save(tmp_path / "t", translated)
        found = run(target, vivo, domain).row("translated").columns["xCorr territories"]
        assert found == pytest.approx((np.mean(values), np.std(values), 4 * inside.sum()), rel=1e-6)


# ----------------------------------------------------------------------------------------- self-pairs


def test_a_domain_compared_with_itself_is_its_own_vivo_row(vivo, tmp_path):
    folder = save(tmp_path, vivo)
    for domain in (vivo, folder):
        comparison = run(domain, domain)
        model, reference = comparison.row("translated").columns, comparison.row("vivo-vivo").columns
        for name in DISTANCES:
            assert model[name][:2] == pytest.approx(reference[name][:2], abs=1e-12)
            assert (model[name].n, reference[name].n) == (6, 3)
        assert reference["DBhat"].mean > 0.01


def test_copies_of_vivo_are_compared_with_their_originals(vivo):
    copies = [one.replace(subject=one.subject) for one in vivo]
    assert run(copies, vivo).row("translated").columns["DBhat"].n == 9


# ------------------------------------------------------------------------------- files, models, options


def test_files_give_the_same_as_memory_whatever_the_workers(silico, translated, vivo, tmp_path):
    groups = {"silico": silico, "translated": translated, "vivo": vivo}
    folders = {name: save(tmp_path / name, group) for name, group in groups.items()}
    memory = run(translated, vivo, silico).to_dict()
    assert run(folders["translated"], folders["vivo"], folders["silico"]).to_dict() == memory
    assert (
        evaluate(folders["translated"], folders["vivo"], folders["silico"], workers=3, quiet=True).to_dict() == memory
    )


def test_no_more_than_one_pair_is_in_memory_at_a_time(silico, translated, vivo, tmp_path, monkeypatch):
    groups = {"silico": silico, "translated": translated, "vivo": vivo}
    folders = {name: save(tmp_path / name, group) for name, group in groups.items()}
    reads, alive, most = [], [], 0
    read = read_velocity

    def counted(path, start, stop):
        nonlocal most
        velocity = read(path, start, stop)
        reads.append(path)
        alive[:] = [reference for reference in alive if reference() is not None]
        alive.append(weakref.ref(velocity))
        most = max(most, len(alive))
        return velocity

    monkeypatch.setattr("myovivo.sequences.source.read_velocity", counted)
    run(folders["translated"], folders["vivo"], folders["silico"])
    assert len(reads) == len(set(reads)) == 11  # each file once
    assert most <= 3  # a pair, and the last one until its name is bound anew


def test_several_models_make_several_rows(silico, translated, vivo):
    comparison = run({"good": translated, "identity": silico}, vivo, silico)
    assert [row.name for row in comparison.rows] == ["none", "good", "identity", "vivo-vivo"]
    assert comparison.row("identity").columns["xCorr"].mean == pytest.approx(1.0, abs=1e-5)
    assert comparison.row("identity").columns["lag"][:2] == (0.0, 0.0)
    assert comparison.row("good").columns["xCorr"].mean < 0.999


def test_without_translation_there_is_none_and_vivo(silico, vivo):
    assert [row.name for row in run(None, vivo, silico).rows] == ["none", "vivo-vivo"]


def test_standardisation_is_given_or_that_of_the_files(silico, translated, vivo):
    values = np.stack([one.velocity for one in vivo]).astype(float)
    domains = run(translated, vivo, silico, standardisation={"silico": (0.0, 2e-3)}).domains
    assert (domains["silico"].standardisation.std, domains["silico"].standardisation.source) == (2e-3, "given")
    for name in ("vivo", "translated"):  # translated sequences claim to be vivo: they take its constants
        found = domains[name].standardisation
        assert (found.mean, found.std) == pytest.approx((values.mean(), values.std()), rel=1e-9)
        assert found.source == "these files"


def test_constants_stored_by_a_training_run_are_taken_if_all_agree(silico, translated, vivo):
    stored = {"silico": [0.0, 3e-3], "vivo": [1e-5, 2e-3]}
    marked = [one.replace(provenance={"standardisation": stored}) for one in translated]
    domains = run(marked, vivo, silico).domains
    assert [domains[name].standardisation.std for name in ("silico", "translated", "vivo")] == [3e-3, 2e-3, 2e-3]
    assert domains["silico"].standardisation.source == "training run"
    mixed = run([*marked[:3], translated[3]], vivo, silico).domains
    assert mixed["silico"].standardisation.source == "these files"


def test_a_domain_of_unequal_lengths_is_standardised_by_every_value_once():
    rng = np.random.default_rng(4)
    group = [Sequence(k + rng.standard_normal((frames, 9, 9)), 100.0, SPACING) for k, frames in enumerate((8, 40))]
    found = features.scale_of([features.summarise(one) for one in features.sources(group)])
    values = np.concatenate([one.velocity.ravel().astype(float) for one in group])
    assert (found.mean, found.std) == pytest.approx((values.mean(), values.std()), rel=1e-9)


def test_the_first_frames_make_sequences_of_unequal_length_comparable(translated, vivo):
    longer = vivo[0].replace(velocity=np.concatenate([vivo[0].velocity] * 2))
    with pytest.raises(InputError, match="frames=96"):
        run(translated, [longer, *vivo[1:]])
    cut = run(translated, [longer, *vivo[1:]], frames=96)
    assert cut.to_dict()["rows"] == run(translated, vivo).to_dict()["rows"]


def test_domain_features_are_those_of_the_standardised_sequence(vivo, tmp_path):
    constants = features.DomainScale(0.0, 5e-4)
    found = features.domain_features(save(tmp_path, vivo), constants, quiet=True, workers=1)
    assert [one.name for one in found] == ["sequence-0000", "sequence-0001", "sequence-0002"]
    standard = vivo[1].velocity.astype(float) / 5e-4
    np.testing.assert_allclose(found[1].log_variance, map_features.log_variance_map(standard), atol=1e-6)
    np.testing.assert_allclose(np.exp(found[1].log_psd), moments.mean_psd(standard, FRAME_RATE)[1], rtol=1e-4)
    assert (found[1].subject, found[1].frame_rate) == ("s1", FRAME_RATE)


# ---------------------------------------------------------------------------------------------- output


def test_table_csv_and_json_hold_the_same_figures(silico, translated, vivo, tmp_path):
    comparison = run(translated, vivo, silico)
    value = comparison.row("translated").columns["SSI"]
    line = next(line for line in comparison.table().splitlines() if line.startswith("translated"))
    assert f"{value.mean:.2f} ± {value.sd:.2f}" in line
    assert comparison.table().splitlines()[0].split()[0] == "DBhat"
    comparison.to_csv(tmp_path / "table.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "table.csv").read_text())))
    assert [row["row"] for row in rows] == ["none", "translated", "vivo-vivo"]
    assert float(rows[1]["SSI mean"]) == value.mean
    assert rows[0]["xCorr mean"] == ""
    plain = json.loads(json.dumps(comparison.to_dict(), allow_nan=False))
    cell = plain["rows"][1]["columns"]["SSI"]
    assert (cell["mean"], cell["sd"], cell["n"]) == (value.mean, value.sd, 12)
    assert (cell["verdict"]["decision"], cell["verdict"]["low"]) == ("cannot be told", None)  # of two subjects
    assert plain["domains"]["vivo"] | {"mean_m_per_s": 0, "sd_m_per_s": 0} == {
        "sequences": 3,
        "subjects": 2,
        "origins": {"vivo": 3},
        "mean_m_per_s": 0,
        "sd_m_per_s": 0,
        "standardised_by": "these files",
    }


@pytest.fixture(scope="module")
def many():
    """Eight recordings of four subjects, as many translations like them, and as many simulations unlike them."""
    vivo = [make(100 + k, subject=f"s{k // 2}") for k in range(8)]
    translated = [make(200 + k, "translated", subject=f"t{k}") for k in range(8)]
    silico = [make(300 + k, "silico", smooth=5.0, subject=f"t{k}") for k in range(8)]
    return run(translated, vivo, silico)


def test_intervals_by_subject_stand_beside_the_means_over_pairs(many):
    for row in many.rows:
        assert set(row.intervals) == set(DISTANCES)
        for name, (low, high) in row.intervals.items():
            assert low < row.columns[name].mean < high, (row.name, name)
            assert high - low < 4 * row.columns[name].sd
    low, high = many.row("translated").intervals["DBhat"]
    assert f"DBhat {many.row('translated').columns['DBhat'].mean:.2f} ({low:.2f} to {high:.2f})" in many.intervals()
    plain = many.to_dict()["rows"][1]["columns"]
    assert plain["DBhat"]["interval"] == [low, high]
    assert "interval" not in plain["FD maps"]
    line = next(csv.DictReader(io.StringIO(many.to_csv())))
    assert float(line["SSI norm low"]) == many.row("none").intervals["SSI norm"][0]
    assert line["FD maps low"] == ""


def test_the_verdict_is_towards_where_translation_helps_away_where_it_harms_and_open_where_it_does_nothing():
    vivo = [make(100 + k, subject=f"s{k}") for k in range(8)]
    alike = [make(200 + k, "silico", subject=f"t{k}") for k in range(8)]
    rough = np.exp(3 * np.random.default_rng(0).standard_normal(SHAPE[1:]))
    unlike = [one.replace(velocity=1e-2 * rough * one.velocity) for one in alike]
    comparison = run(alike, vivo, unlike)
    told = {column.name: text for column, text in comparison.told("translated")}
    assert told["SSI"].startswith("moved towards vivo-vivo: ")
    assert told["Coh dist"].startswith("cannot be told: ")  # no gain changes it
    assert "xCorr" not in told  # there is no such row as vivo-vivo
    comparison = run({"harmful": unlike, "idle": alike}, vivo, alike)
    assert comparison.row("harmful").verdicts["SSI"].decision == "away"
    assert {verdict.decision for verdict in comparison.row("idle").verdicts.values()} == {"cannot be told"}
    assert "From none to harmful" in str(comparison)
    assert "moved away from vivo-vivo" in comparison.verdicts()
    assert "verdict" not in comparison.to_dict()["rows"][0]["columns"]["SSI"]


def test_frechet_distances_are_small_for_domains_alike_and_left_out_with_few_sequences(many, translated, vivo):
    distance = {row.name: row.columns["FD maps"] for row in many.rows}
    assert distance["none"].mean > 2 * distance["translated"].mean
    assert distance["translated"].mean == pytest.approx(distance["vivo-vivo"].mean, rel=0.5)
    assert distance["none"].n == frechet.SPLITS
    assert "FD maps" not in [column.name for column in run(translated, vivo).columns()]


def test_a_wide_table_is_printed_in_blocks(many):
    assert max(map(len, many.table().splitlines())) <= 120
    heads = [block.splitlines()[0] for block in many.table().split("\n\n")]
    assert len(heads) == 2
    assert "DBhat" in heads[0]
    assert "lag (ms)" in heads[1]
    assert all(block.splitlines()[-1].startswith("vivo-vivo") for block in many.table().split("\n\n"))


def test_a_comparison_introduces_itself_in_six_lines_and_as_a_small_table(silico, translated, vivo):
    comparison = run({"a <b>": translated, "identity": silico}, vivo, silico)
    lines = repr(comparison).splitlines()
    assert len(lines) <= 6
    for words in ("none, a <b>, identity, vivo-vivo", "4 silico", "3 vivo", f"{SHAPE[0]} frames at {FRAME_RATE:g} Hz"):
        assert any(words in line for line in lines)
    page = comparison._repr_html_()
    assert "<th>a &lt;b&gt;</th>" in page
    assert page.count("<tr>") == 5
    assert f"<td>{comparison.row('none').columns['DBhat']}</td>" in page


def test_a_column_is_one_entry(silico, translated, vivo, monkeypatch):
    extra = columns.Column(
        "Range", "range (dB)", "↓", "how differently wide the maps' range is", "Is it as wide?",
        columns.OverPairs(lambda a, b: np.abs(a - b.T), lambda one: np.ptp(one.log_variance)[None]), 1, 10 / np.log(10),
    )  # fmt: skip
    for module in ("columns", "comparison", "distances", "reading"):
        monkeypatch.setattr(f"myovivo.evaluation.{module}.COLUMNS", (*columns.COLUMNS, extra))
    comparison = run(translated, vivo, silico)
    ranges = {name: [np.ptp(one.log_variance) for one in comparison.features[name]] for name in ("translated", "vivo")}
    expected = np.mean(np.abs(np.subtract.outer(ranges["translated"], ranges["vivo"])))
    assert comparison.row("translated").columns["Range"].mean == pytest.approx(expected)
    assert "range (dB)" in comparison.table()
    assert "Range mean" in comparison.to_csv()


def test_a_phantom_is_never_called_in_vivo(silico, translated, vivo):
    phantom = [one.replace(origin="phantom", subject="p1") for one in vivo]
    comparison = run(translated, phantom, silico)
    assert "the reference domain is a tissue phantom, not measured in vivo" in comparison.warnings
    assert "vivo-vivo (phantom)" in comparison.table()
    assert any("one subject" in warning for warning in comparison.warnings)
    measured = run(translated, vivo, silico)
    assert not any("subject" in warning or "phantom" in warning for warning in measured.warnings)
    assert "phantom" not in str(measured)


def test_what_cannot_be_paired_or_compared_is_said(silico, translated, vivo, tmp_path):
    folder = save(tmp_path, translated)
    (folder / "sequence-0000.h5").rename(folder / "other.h5")
    warnings = run(folder, vivo, silico).warnings
    assert "1 of 4 sequences of translated have no silico one of their name" in warnings
    comparison = run([folder / "other.h5"], vivo, silico)
    assert any("xCorr and lag are left out" in warning for warning in comparison.warnings)
    assert "xCorr" not in comparison.row("translated").columns
    still = [one.replace(velocity=np.where(np.arange(18) < 9, one.velocity, np.float32(0))) for one in silico]
    assert any(warning.startswith("50.0% of the silico pixels") for warning in run(translated, vivo, still).warnings)


def test_the_package_is_its_main_function(translated, vivo):
    assert myovivo.evaluate(translated, vivo, quiet=True, workers=1).rows
    assert myovivo.evaluation.map_features.log_variance_map is map_features.log_variance_map


# --------------------------------------------------------------------------------------------- refusal


def test_two_vivo_sequences_are_the_least(translated, vivo):
    with pytest.raises(InputError, match="at least two sequences"):
        run(translated, vivo[:1])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda one: one.replace(frame_rate=256.0), "must share a frame rate, got 128 and 256 Hz"),
        (lambda one: one.replace(velocity=one.velocity[:, 1:]), "must share a size"),
        (lambda one: one.replace(velocity=one.velocity[1:]), "must be equally long"),
    ],
)
def test_domains_that_do_not_fit_are_refused_in_one_line(translated, vivo, change, words):
    with pytest.raises(InputError, match=words) as caught:
        run([*translated[:2], change(translated[2])], vivo)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"standardisation": {"vivo": (0.0, 0.0)}}, "SD positive, got 0.0 and 0.0"),
        ({"standardisation": {"vivo": 3.0}}, r"must be \(mean, std\)"),
        ({"standardisation": (0.0, 1.0)}, "standardisation must be"),
        ({"frames": 97}, "fewer than frames=97"),
    ],
)
def test_settings_that_break_a_rule_are_refused(translated, vivo, given, words):
    with pytest.raises(InputError, match=words):
        run(translated, vivo, **given)


def test_nan_in_a_file_is_refused_with_its_name(translated, vivo, tmp_path):
    folder = save(tmp_path, vivo)

    with h5py.File(folder / "sequence-0001.h5", "r+") as file:
        file["data/velocity"][3, 4, 5] = np.nan
    with pytest.raises(FileError, match=r"sequence-0001\.h5: velocity must be finite") as caught:
        run(translated, folder)
    assert "\n" not in str(caught.value)


def test_names_of_models_and_sequences_must_be_unambiguous(silico, translated, vivo, tmp_path):
    with pytest.raises(InputError, match="cannot be called 'none'"):
        run({"none": translated}, vivo)
    twice = [save(tmp_path / name, silico[:1]) / "sequence-0000.h5" for name in "ab"]
    with pytest.raises(InputError, match="two silico sequences are called 'sequence-0000'"):
        run(translated, vivo, twice)


def test_a_motionless_domain_is_refused(translated):
    still = Sequence(np.zeros(SHAPE), FRAME_RATE, SPACING)
    with pytest.raises(InputError, match="must move"):
        run(translated, [still, still.replace(subject="b")])
