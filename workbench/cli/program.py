"""From the words on the command line to an exit status.

Responsible for choosing the verb, and for how errors and interruptions end; knows no verb's work.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from types import TracebackType

from workbench.cli.parser import VERBS, make_parser
from workbench.core.errors import InputError, WorkbenchError

#: Exit status after Ctrl-C: 128 and the number of the signal.
INTERRUPTED = 130


def main(words: Sequence[str]) -> int:
    """Run the verb that `words` name and return the exit status.

    0 is success, 2 wrong use or bad input, 1 a failure at work, 130 an interruption by Ctrl-C.
    """
    debug = "--debug" in words
    try:
        return _run(words)
    except WorkbenchError as error:
        if debug:
            traceback.print_exc()
        else:
            print(f"workbench: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        if debug:
            traceback.print_exc()
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; Python must not complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(words: Sequence[str]) -> int:
    options = make_parser().parse_args(words)
    if options.verb is None:
        raise InputError(
            "No verb was given.", "See workbench --help; workbench alone opens the window."
        )
    # By name, so that asking for help or listing devices loads nothing that other verbs need.
    status: int = importlib.import_module(VERBS[options.verb]).run(options)
    sys.stdout.flush()
    return status


def brief_excepthook(
    kind: type[BaseException], error: BaseException, _: TracebackType | None
) -> None:
    """Tell of a failure that nobody foresaw in a sentence; Python then exits with status 1."""
    print(
        f"workbench: an unforeseen failure: {kind.__name__}: {error}. "
        "Run it again with --debug for the traceback.",
        file=sys.stderr,
    )
