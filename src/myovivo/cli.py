"""The command line: each command is a call of one public function.

A setting's option is its dotted name, so that YAML, Python and the shell share one vocabulary.
Problems a user can mend come out as one line, with status 2.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import yaml

from .acquisition.settings import AcquireSettings
from .errors import InputError, MyovivoError
from .identification.settings import IdentifySettings, LearnSettings
from .models.presets import TRAIN_PRESETS
from .models.settings import TrainSettings
from .phantoms.settings import PhantomSettings
from .runtime.settings import Settings, settings_from
from .simulation.settings import SimulateSettings
from .studies.presets import STUDY_PRESETS
from .studies.settings import StudySettings
from .version import __version__

_SETTING = "setting:"  # keeps a setting's name apart from the other options'


_ARGUMENTS = {
    "simulate": "OUT",
    "phantom": "OUT",
    "acquire": "SOURCE OUT",
    "inspect": "FILE",
    "train": "PRESET --silico DIR --vivo DIR --out DIR",
    "translate": "RUN OUT",
    "export": "RUN FILE",
    "evaluate": "--translated DIR (--run RUN | --vivo DIR [--silico DIR])",
    "identify": "SOURCE OUT",
    "train-identifier": "SOURCE OUT",
    "study": "CONFIG OUT",
    "report": "OUT --translated DIR (--run RUN | --vivo DIR --silico DIR)",
    "demo": "OUT [--vivo PATH]",
}


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one line."""

    def __init__(self, **options: Any):
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status: 0, 2 for what a user can mend, 130 when interrupted."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    warnings.showwarning = _one_line
    try:
        with _cluster(options):
            options.run(options)
    except MyovivoError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; run the same command again to go on", file=sys.stderr)
        return 130
    return 0


def build_parser() -> Parser:
    """All commands with their options and help."""
    parser = Parser(
        prog="myovivo",
        description="Make simulated muscle motion look recorded, keep its labels, and measure how well it went.",
        epilog=(
            "The whole way once, on your machine in minutes:\n"
            "  myovivo demo OUT\n\n"
            "Step by step:\n"
            "  myovivo simulate silico --sequences 24\n"
            "  myovivo phantom vivo --subjects 8\n"
            "  myovivo train house --silico silico --vivo vivo --out run\n"
            "  myovivo translate run translated\n"
            "  myovivo evaluate --translated translated --run run\n"
            "  myovivo report report --translated translated --run run\n\n"
            "Every command can be interrupted; the same command again goes on where it was."
        ),
    )
    parser.add_argument("--version", action="version", version=f"myovivo {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    for add in (
        _simulate,
        _phantom,
        _inspect,
        _acquire,
        _train,
        _translate,
        _export,
        _evaluate,
        _identify,
        _train_identifier,
        _report,
        _study,
        _demo,
    ):
        add(commands)
    return parser


# ------------------------------------------------------------------------------- the commands


def _simulate(commands: Any) -> None:
    parser = _command(
        commands,
        "simulate",
        "Simulate labelled TVI sequences of a contracting muscle (in silico).",
        "myovivo simulate silico --sequences 24 --grid.frames 512 --territory.profile gauss",
    )
    parser.add_argument("out", type=Path, help="folder for the sequences")
    parser.add_argument("--sequences", type=int, default=16, help="how many (default 16)")
    _seed_and_workers(parser)
    _settings_options(parser, SimulateSettings)

    def run(options: argparse.Namespace) -> None:
        from .simulation.simulate import simulate_domain

        settings = _settings(options, SimulateSettings)
        files = simulate_domain(
            options.out, options.sequences, settings, seed=options.seed, workers=options.workers, quiet=options.quiet
        )
        _made(files, options.out)

    parser.set_defaults(run=run)


def _phantom(commands: Any) -> None:
    parser = _command(
        commands,
        "phantom",
        "Record contractions of the tissue phantom: a stand-in for in vivo recordings, never in vivo.",
        "myovivo phantom phantom --subjects 8 --runs 3 --imaging.snr_db '[15, 25]'",
    )
    parser.add_argument("out", type=Path, help="folder for the sequences")
    parser.add_argument("--subjects", type=int, default=8, help="tissue realisations (default 8)")
    parser.add_argument("--runs", type=int, default=3, help="sequences of each subject (default 3)")
    parser.add_argument("--iq", action="store_true", help="write IQ recordings for `acquire` instead; 1 GB per 2 s")
    _seed_and_workers(parser)
    _settings_options(parser, PhantomSettings)

    def run(options: argparse.Namespace) -> None:
        from .phantoms.phantom import phantom_domain

        files = phantom_domain(
            options.out,
            options.subjects,
            options.runs,
            _settings(options, PhantomSettings),
            iq=options.iq,
            seed=options.seed,
            workers=options.workers,
            quiet=options.quiet,
        )
        _made(files, options.out)

    parser.set_defaults(run=run)


def _inspect(commands: Any) -> None:
    parser = _command(
        commands,
        "inspect",
        "Say what is in a recording, where each parameter was found, what is missing and how to give it.",
        "myovivo inspect scan.mat\n  myovivo inspect scan.mat --mapping verasonics.yaml --scan.pulse_rate 6000",
    )
    parser.add_argument("file", type=Path, help="a recording of any format")
    _mapping(parser)
    _settings_options(parser, AcquireSettings)

    def run(options: argparse.Namespace) -> None:
        from .acquisition.inspection import inspect

        print(inspect(options.file, _settings(options, AcquireSettings), mapping=options.mapping))

    parser.set_defaults(run=run)


def _acquire(commands: Any) -> None:
    parser = _command(
        commands,
        "acquire",
        "Turn recordings into TVI sequences: channel RF or IQ, beamformed IQ, B-mode video or velocity, from MATLAB, "
        "HDF5, UFF, NPY, NPZ, video or DICOM files, told from their content.",
        "myovivo acquire scan.mat vivo --scan.frame_rate 2000\n"
        "  myovivo acquire clips vivo --subject 01 --video.pixel 0.0000883 --video.crop '[45, 619, 215, 935]' "
        "--conditioning.band '[5, 25]'",
    )
    parser.add_argument("source", type=Path, help="a recording, or a folder of recordings")
    parser.add_argument("out", type=Path, help="folder for the sequences")
    parser.add_argument("--subject", help="who was recorded, if all recordings are of one subject")
    _mapping(parser)
    parser.add_argument("--frame-rate", type=float, metavar="HZ", help="short for --scan.frame_rate")
    parser.add_argument("--spacing", type=float, nargs=2, metavar=("DZ", "DX"), help="short for --scan.spacing, m")
    parser.add_argument("--variable", help="short for --scan.variable")
    parser.add_argument(
        "--device", default="auto", help="auto, cpu or cuda, for beamforming and velocity (default auto)"
    )
    _workers(parser)
    _settings_options(parser, AcquireSettings)

    def run(options: argparse.Namespace) -> None:
        from .acquisition.acquire import acquire_domain
        from .acquisition.inspection import parameter_tables

        files = acquire_domain(
            options.source,
            options.out,
            _settings(options, AcquireSettings),
            mapping=options.mapping,
            subject=options.subject,
            frame_rate=options.frame_rate,
            spacing=tuple(options.spacing) if options.spacing else None,
            variable=options.variable,
            device=options.device,
            workers=options.workers,
            quiet=options.quiet,
        )
        if not options.quiet:
            print(parameter_tables(files))
        _made(files, options.out)

    parser.set_defaults(run=run)


def _train(commands: Any) -> None:
    parser = _command(
        commands,
        "train",
        "Train a translator between two unpaired folders of sequences.",
        "myovivo train paper-3d-noise --silico silico --vivo vivo --out run --optimiser.batch 4",
    )
    presets = ", ".join(TRAIN_PRESETS)
    parser.add_argument("preset", help=f"one of {presets}; or a YAML file of settings")
    parser.add_argument("--silico", type=Path, required=True, help="folder of simulated sequences")
    parser.add_argument("--vivo", type=Path, required=True, help="folder of recorded sequences")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; the same command again resumes it")
    parser.add_argument("--seed", type=int, default=0, help="of split, weights, order and noise (default 0)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default auto)")
    parser.add_argument("--devices", type=int, default=1, metavar="N", help="processes on this node, one per device")
    parser.add_argument("--nodes", type=int, default=1, metavar="M", help="nodes, under SLURM or torchrun")
    parser.add_argument("--compile", action="store_true", help="torch.compile the networks")
    parser.add_argument("--tensorboard", action="store_true", help="write the losses for TensorBoard too")
    parser.add_argument("--dry-run", action="store_true", help="say what it would take, from three steps, and stop")
    _quiet(parser)
    _settings_options(parser, TrainSettings, config=False)

    def run(options: argparse.Namespace) -> None:
        changes = _changes(options)
        if options.print_settings:
            _print_settings(settings_from(TrainSettings, options.preset, **changes))
            return
        if options.dry_run:
            from .training.estimate import estimate

            data = options.preset, options.silico, options.vivo, options.seed
            print(estimate(*data, device=options.device, **changes))
            return
        from .training.train import train

        folder = train(
            options.preset,
            options.silico,
            options.vivo,
            options.out,
            options.seed,
            device=options.device,
            devices=options.devices,
            nodes=options.nodes,
            compile=options.compile,
            tensorboard=options.tensorboard,
            quiet=options.quiet,
            **changes,
        )
        print(f"trained: {folder}; next: myovivo translate {folder} OUT")

    parser.set_defaults(run=run)


def _translate(commands: Any) -> None:
    parser = _command(
        commands,
        "translate",
        "Translate sequences with a trained run; labels travel along.",
        "myovivo translate run translated --source silico --seed 1",
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder of a training run")
    parser.add_argument("out", type=Path, help="folder for the translated sequences")
    parser.add_argument("--source", type=Path, help="sequences to translate; the run's held-out ones if not given")
    parser.add_argument("--direction", choices=("silico_to_vivo", "vivo_to_silico"), default="silico_to_vivo")
    parser.add_argument("--seed", type=int, default=0, help="of the noise inputs (default 0)")
    parser.add_argument("--frames-at-once", type=int, metavar="N", help="translate in windows of N frames")
    parser.add_argument(
        "--band",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="band-pass the result, Hz, as recordings: 5 50",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default auto)")
    _quiet(parser)

    def run(options: argparse.Namespace) -> None:
        from .translation.translate import translate_domain

        files = translate_domain(
            options.run_folder,
            options.source,
            options.out,
            options.seed,
            direction=options.direction,
            frames_at_once=options.frames_at_once,
            band=options.band and tuple(options.band),
            device=options.device,
            quiet=options.quiet,
        )
        _made(files, options.out)

    parser.set_defaults(run=run)


def _export(commands: Any) -> None:
    parser = _command(
        commands,
        "export",
        "Write a translator as ONNX, with free length and the noise as an input.",
        "myovivo export run translator.onnx",
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder of a training run, or bundled weights")
    parser.add_argument("out", type=Path, help="the file to write")
    parser.add_argument("--direction", choices=("silico_to_vivo", "vivo_to_silico"), default="silico_to_vivo")
    parser.add_argument("--size", type=int, nargs=2, metavar=("ROWS", "COLUMNS"), help="those of training if not given")

    def run(options: argparse.Namespace) -> None:
        from .translation.export import export

        size = tuple(options.size) if options.size else None
        print(f"exported: {export(options.run_folder, options.out, options.direction, size)}")

    parser.set_defaults(run=run)


def _evaluate(commands: Any) -> None:
    parser = _command(
        commands,
        "evaluate",
        "Compare translated sequences with recorded and simulated ones: the paper's table.",
        "myovivo evaluate --translated translated --run run --csv table.csv",
    )
    _domains(parser)
    parser.add_argument("--full-range", action="store_true", help="also correlate over all lags")
    parser.add_argument("--csv", type=Path, help="write the table here too")

    def run(options: argparse.Namespace) -> None:
        from .evaluation.evaluate import evaluate

        vivo, silico = _references(options)
        comparison = evaluate(
            options.translated,
            vivo,
            silico,
            frames=options.frames,
            full_range=options.full_range,
            workers=options.workers,
            quiet=options.quiet,
        )
        print(comparison)
        if options.csv:
            comparison.to_csv(options.csv)

    parser.set_defaults(run=run)


def _identify(commands: Any) -> None:
    parser = _command(
        commands,
        "identify",
        "Find the motor units that move in sequences: spike trains as BIDS events and openhdemg JSON, and a figure; "
        "where labels exist, how well they agree.",
        "myovivo identify translated units --workers 2\n  myovivo identify vivo units --method wavelet\n"
        "  myovivo identify vivo units --method network --network identifier/identifier.safetensors",
    )
    parser.add_argument("source", type=Path, help="a sequence, or a folder of sequences")
    parser.add_argument("out", type=Path, help="folder for the spike trains and figures")
    _workers(parser)
    _settings_options(parser, IdentifySettings)

    def run(options: argparse.Namespace) -> None:
        from .identification.folder import identify_domain, summary

        settings = _settings(options, IdentifySettings)
        files = identify_domain(options.source, options.out, settings, workers=options.workers, quiet=options.quiet)
        for file in files:
            print(summary(file))
        print(f"{len(files)} sequences in {options.out}")

    parser.set_defaults(run=run)


def _train_identifier(commands: Any) -> None:
    parser = _command(
        commands,
        "train-identifier",
        "Train a network to identify motor units, on sequences with labels.",
        "myovivo train-identifier translated identifier --steps 1000\n"
        "  myovivo identify vivo units --method network --network identifier/identifier.safetensors",
    )
    parser.add_argument("source", type=Path, help="a folder of sequences with labels")
    parser.add_argument("out", type=Path, help="folder for the weights; the same command again goes on")
    parser.add_argument("--seed", type=int, default=0, help="of the first weights and the clips (default 0)")
    _quiet(parser)
    _settings_options(parser, LearnSettings)

    def run(options: argparse.Namespace) -> None:
        from .identification.learning import train_identifier
        from .sequences.header import sequence_files

        settings = _settings(options, LearnSettings)
        files = sequence_files(options.source)
        print(train_identifier(files, options.out, settings, seed=options.seed, quiet=options.quiet))

    parser.set_defaults(run=run)


def _report(commands: Any) -> None:
    parser = _command(
        commands,
        "report",
        "Write one self-contained HTML page with the table and figures, and metrics.json.",
        "myovivo report report --translated translated --run run",
    )
    parser.add_argument("out", type=Path, help="folder for report.html and metrics.json")
    _domains(parser)
    parser.add_argument("--title", help="heading of the page")

    def run(options: argparse.Namespace) -> None:
        from .reporting.report import report

        vivo, silico = _references(options)
        if silico is None or options.translated is None:
            raise InputError("a report needs --silico and --translated")
        page = report(
            options.out,
            silico,
            options.translated,
            vivo,
            run=options.run_folder,
            frames=options.frames,
            title=options.title,
            workers=options.workers,
            quiet=options.quiet,
        )
        print(f"report: {page}")

    parser.set_defaults(run=run)


def _study(commands: Any) -> None:
    parser = _command(
        commands,
        "study",
        "The paper's whole experiment: make or take the data, train every model, translate, compare, draw its tables "
        "and figures. Run again, only what is missing or changed is done.",
        "myovivo study small study\n  myovivo study paper study --device cuda\n"
        "  myovivo study small mine --vivo.folder recordings --experiments.identification none",
    )
    parser.add_argument("config", help=f"one of {', '.join(STUDY_PRESETS)}; or a YAML file of settings")
    parser.add_argument("out", type=Path, help="folder for everything it makes")
    parser.add_argument("--jobs", type=int, metavar="N", help="steps at a time (default: one per core, at most 4)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default auto)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a dask cluster that makes the data and compares")
    _quiet(parser)
    _settings_options(parser, StudySettings, config=False)

    def run(options: argparse.Namespace) -> None:
        from .studies.study import study, study_settings

        settings = study_settings(options.config, **_changes(options))
        if options.print_settings:
            _print_settings(settings)
            return
        page = study(
            settings,
            options.out,
            jobs=options.jobs,
            device=options.device,
            scheduler=options.scheduler,
            quiet=options.quiet,
        )
        print((page.parent / "table1.csv").read_text(encoding="utf-8"), end="")
        print(f"\nstudy: {page}")

    parser.set_defaults(run=run)


def _demo(commands: Any) -> None:
    parser = _command(
        commands,
        "demo",
        "The whole way once, in minutes: simulate, record, translate, evaluate, report.",
        "myovivo demo demo\n  myovivo demo demo-video --vivo clips",
    )
    parser.add_argument("out", type=Path, help="folder for everything it makes")
    parser.add_argument("--vivo", type=Path, help="recordings to use instead of the phantom")
    parser.add_argument("--seed", type=int, default=0, help="of everything random (default 0)")
    _quiet(parser)

    def run(options: argparse.Namespace) -> None:
        from .studies.demo import demo

        demo(options.out, options.vivo, seed=options.seed, quiet=options.quiet)

    parser.set_defaults(run=run)


# ------------------------------------------------------------------------------------- parts


def _command(commands: Any, name: str, text: str, example: str) -> Parser:
    usage = f"myovivo {name} {_ARGUMENTS[name]} [options]"
    return commands.add_parser(name, help=text, description=text, usage=usage, epilog=f"Example:\n  {example}")


def _quiet(parser: Parser) -> None:
    parser.add_argument("--quiet", action="store_true", help="no progress")


def _mapping(parser: Parser) -> None:
    text = "YAML or JSON file that says where in the recording the frames and parameters are"
    parser.add_argument("--mapping", type=Path, metavar="FILE", help=text)


def _workers(parser: Parser) -> None:
    parser.add_argument("--workers", type=int, default=-1, metavar="N", help="processes (default: one per core)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a dask cluster whose workers to use instead")
    _quiet(parser)


def _cluster(options: argparse.Namespace) -> contextlib.AbstractContextManager[None]:
    """The cluster that was asked for, if any."""
    if getattr(options, "scheduler", None) is None:
        return contextlib.nullcontext()
    from .runtime.parallel import on_cluster

    return on_cluster(options.scheduler)


def _seed_and_workers(parser: Parser) -> None:
    parser.add_argument("--seed", type=int, default=0, help="same seed, same bytes (default 0)")
    _workers(parser)


def _domains(parser: Parser) -> None:
    held_out = "a training run: compare with the sequences that it held out"
    parser.add_argument("--run", dest="run_folder", metavar="RUN", type=Path, help=held_out)
    parser.add_argument("--vivo", type=Path, help="folder of recorded sequences, instead of the run's held-out ones")
    parser.add_argument("--translated", type=Path, help="folder of translated sequences")
    parser.add_argument("--silico", type=Path, help="folder of the simulated sequences they came from")
    parser.add_argument("--frames", type=int, metavar="N", help="compare the first N frames, where lengths differ")
    _workers(parser)


def _references(options: argparse.Namespace) -> tuple[Any, Any]:
    """The vivo and silico sequences to compare with: those named, else those the run held out."""
    vivo, silico = options.vivo, options.silico
    if options.run_folder is not None:
        from .runs.folder import test_files

        vivo, silico = (
            vivo or test_files(options.run_folder, "vivo"),
            silico or test_files(options.run_folder, "silico"),
        )
    if vivo is None:
        raise InputError("name the recordings with --vivo, or a training run with --run to take those it held out")
    return vivo, silico


def _settings_options(parser: Parser, kind: type[Settings], config: bool = True) -> None:
    """One option per setting, under its dotted name, with its text and default."""
    if config:
        parser.add_argument("--config", type=Path, metavar="YAML", help="file of settings; options win over it")
    parser.add_argument("--print-settings", action="store_true", help="print the settings as YAML and stop")
    top = parser.add_argument_group(
        "settings", "SI units; a range is given as '[low, high]'; [P] marks the paper's values"
    )
    for name, field in kind.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if not isinstance(default, Settings):
            _option(top, name, field)
            continue
        group = parser.add_argument_group(name)
        for inner, inner_field in type(default).model_fields.items():
            _option(group, f"{name}.{inner}", inner_field, getattr(default, inner))


def _option(group: Any, name: str, field: Any, default: Any = None) -> None:
    shown = field.get_default() if default is None else default
    text = f"{field.description} (default {_short(shown)})".replace("%", "%%")
    group.add_argument(
        f"--{name}", dest=_SETTING + name, type=_value, default=argparse.SUPPRESS, metavar="VALUE", help=text
    )


def _short(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return "[" + ", ".join(_short(part) for part in value) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _value(text: str) -> Any:
    """A setting as YAML reads it; numbers such as 2e-4, which YAML 1.1 takes for text, as numbers."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise argparse.ArgumentTypeError(f"not readable: {text!r}") from error
    if value in ("none", "None"):
        return None
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _changes(options: argparse.Namespace) -> dict[str, Any]:
    return {name.removeprefix(_SETTING): value for name, value in vars(options).items() if name.startswith(_SETTING)}


def _settings(options: argparse.Namespace, kind: type[Settings]) -> Any:
    settings = settings_from(kind, options.config, **_changes(options))
    if options.print_settings:
        _print_settings(settings)
        raise SystemExit(0)
    return settings


def _print_settings(settings: Settings) -> None:
    print(yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False), end="")


def _made(files: Sequence[Path], out: Path) -> None:
    print(f"{len(files)} sequences in {out}")


def _one_line(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
    print(f"warning: {' '.join(str(message).split())}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
