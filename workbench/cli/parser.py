"""The verbs and their options.

Responsible for what may be typed and for its help; knows nothing of what a verb does, so that help
appears at once. What a number may be is for the specs to say.
"""

from __future__ import annotations

import argparse
from typing import NoReturn

from workbench import __version__
from workbench.core.errors import InputError

#: The module of each verb; its `run(arguments)` returns the exit status.
VERBS = {
    "train": "workbench.cli.train",
    "evaluate": "workbench.cli.evaluate",
    "predict": "workbench.cli.predict",
    "tutorial": "workbench.cli.tutorial",
    "export": "workbench.cli.export",
    "import": "workbench.cli.import_parameters",
    "devices": "workbench.cli.devices",
    "bench": "workbench.cli.bench",
    "profile": "workbench.cli.profile",
    "tune": "workbench.cli.tune",
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in a sentence, without repeating the usage."""
        sentence = f"{message[0].upper()}{message[1:].rstrip('.')}."
        raise InputError(sentence, f"See {self.prog} --help.")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = _Parser(
        prog="workbench",
        usage="%(prog)s [MODEL.h5]\n       %(prog)s VERB ...",
        description="Train neural networks on any OpenCL device and see them learn. "
        "Without a verb the window opens, with a saved model if one is named.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    verbs = parser.add_subparsers(
        dest="verb", metavar="VERB", parser_class=_Parser, prog=parser.prog
    )
    _add_train(verbs)
    _add_evaluate(verbs)
    _add_predict(verbs)
    _add_tutorial(verbs)
    _add_export(verbs)
    _add_import(verbs)
    _add_devices(verbs)
    _add_bench(verbs)
    _add_profile(verbs)
    _add_tune(verbs)
    return parser


_Verbs = argparse._SubParsersAction  # its only name


def _verb(verbs: _Verbs[_Parser], name: str, about: str, json: str = "") -> _Parser:
    parser = verbs.add_parser(name, help=about, description=about, allow_abbrev=False)
    if json:
        parser.add_argument("--json", action="store_true", help=f"print {json} as one JSON object")
    parser.add_argument(
        "--debug", action="store_true", help="show the traceback of whatever goes wrong"
    )
    return parser


def _add_train(verbs: _Verbs[_Parser]) -> None:
    parser = _verb(verbs, "train", "Train a network.", json="the figures of every epoch")
    _add_network(parser)
    _add_dataset(parser, "digits")
    _add_device(parser)
    _add_precision(parser, "float32")
    parser.add_argument("--optimizer", metavar="NAME", help="how gradients become updates (sgd)")
    parser.add_argument("--rate", metavar="X", type=_number, help="learning rate (0.1)")
    _add_batch(parser)
    parser.add_argument("--epochs", metavar="N", type=_number, help="passes over the data (10)")
    parser.add_argument(
        "--limit", metavar="N", type=_number, help="train on the first N data points only"
    )
    parser.add_argument("--seed", metavar="N", type=_number, help="start of the random numbers (0)")
    parser.add_argument("--save", metavar="MODEL.h5", help="write the trained model to this file")
    parser.add_argument(
        "--log", metavar="RUN.csv", help="write a row for every iteration to this file"
    )


def _add_evaluate(verbs: _Verbs[_Parser]) -> None:
    parser = _verb(verbs, "evaluate", "Measure a model on a dataset.", json="the measures")
    parser.add_argument("model", metavar="MODEL.h5", help="a saved model")
    _add_dataset(parser, "the one it was trained on")
    parser.add_argument(
        "--split",
        choices=("train", "validation", "test"),
        default="test",
        help="part of the dataset (test)",
    )
    _add_device(parser)


def _add_predict(verbs: _Verbs[_Parser]) -> None:
    parser = _verb(verbs, "predict", "Read digits from pictures.", json="classes and probabilities")
    parser.add_argument("model", metavar="MODEL.h5", help="a saved model")
    parser.add_argument(
        "images", metavar="IMAGE", nargs="+", help="PNG or JPEG, one digit each, dark or light"
    )
    _add_device(parser)


def _add_tutorial(verbs: _Verbs[_Parser]) -> None:
    parser = _verb(
        verbs, "tutorial", "Run one of the tutorials' experiments.", json="the tutorial's table"
    )
    parser.add_argument("name", choices=("neuron", "logistic", "tanh", "relu"))
    _add_dataset(parser, "the tutorial's own")
    _add_device(parser)
    _add_precision(parser, "float64")


def _add_export(verbs: _Verbs[_Parser]) -> None:
    parser = _verb(verbs, "export", "Write a model's parameters to a NumPy file.", json="its path")
    parser.add_argument("model", metavar="MODEL.h5", help="a saved model")
    parser.add_argument("parameters", metavar="PARAMETERS.npz", help="the file to write")


def _add_import(verbs: _Verbs[_Parser]) -> None:
    parser = _verb(
        verbs, "import", "Make a model of a network and a NumPy file.", json="the model's path"
    )
    parser.add_argument("parameters", metavar="PARAMETERS.npz", help="one array for each parameter")
    parser.add_argument("model", metavar="MODEL.h5", help="the file to write")
    parser.add_argument(
        "--network",
        metavar="NAME|FILE.json",
        required=True,
        help="a network that comes along, or a network file",
    )


def _add_devices(verbs: _Verbs[_Parser]) -> None:
    parser = _verb(verbs, "devices", "List what can compute here.", json="the devices")
    parser.add_argument(
        "--check",
        action="store_true",
        help="compare what each computes with NumPy, and keep the result",
    )


def _add_bench(verbs: _Verbs[_Parser]) -> None:
    parser = _verb(
        verbs, "bench", "Time the workbench beside NumPy and PyTorch.", json="the figures"
    )
    parser.add_argument(
        "--only",
        metavar="NAME",
        nargs="+",
        help="pieces of work to time: relu, gemm-1024, ... (all)",
    )
    parser.add_argument("--rounds", metavar="N", type=_number, help="turns of each contender (5)")
    parser.add_argument(
        "--images", metavar="N", type=_number, help="training images, for a quick look (50000)"
    )
    parser.add_argument(
        "--device",
        metavar="ID",
        nargs="+",
        help="what computes, one or several; see workbench devices (the default device)",
    )


def _add_profile(verbs: _Verbs[_Parser]) -> None:
    parser = _verb(
        verbs, "profile", "Show which kernels training spends its time in.", json="the figures"
    )
    _add_network(parser)
    _add_dataset(parser, "digits")
    _add_device(parser)
    _add_precision(parser, "float32")
    _add_batch(parser)


def _add_tune(verbs: _Verbs[_Parser]) -> None:
    parser = _verb(
        verbs, "tune", "Find out how products are best cut on a device.", json="the figures"
    )
    _add_network(parser, "all that come along")
    _add_dataset(parser, "digits")
    _add_device(parser)
    _add_precision(parser, "float32")
    _add_batch(parser)
    parser.add_argument(
        "--seconds", metavar="N", type=_number, help="how long the search may take (60)"
    )


def _add_network(parser: _Parser, default: str = "relu") -> None:
    parser.add_argument(
        "--network",
        metavar="NAME|FILE.json",
        help=f"a network that comes along, or a network file (default: {default})",
    )


def _add_batch(parser: _Parser) -> None:
    parser.add_argument(
        "--batch", metavar="N|full", type=_number, help="data points in an iteration (128)"
    )


def _add_dataset(parser: _Parser, default: str) -> None:
    parser.add_argument(
        "--dataset", metavar="digits|mnist|PATH", help=f"a dataset by name or path ({default})"
    )


def _add_device(parser: _Parser) -> None:
    parser.add_argument(
        "--device",
        metavar="ID",
        help="what computes; see workbench devices (the fastest of those that compute right)",
    )
    parser.add_argument(
        "--untrusted",
        action="store_true",
        help="compute with it even if it was found to compute wrong",
    )


def _add_precision(parser: _Parser, default: str) -> None:
    parser.add_argument(
        "--precision", choices=("float32", "float64"), help=f"dtype of the arithmetic ({default})"
    )


def _number(text: str) -> int | float | str:
    """Read a number where there is one; the spec that takes it says what is wrong with the rest."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
