"""Runs one of Swift's programs with the ``swift.conf`` of a private Swift.

Swift reads the limits and the storage policies in that file as it is imported, when it has not heard of any directory
but ``/etc/swift`` yet. So this tells it of the other one first, and keeps out what a machine may have there.
"""

from __future__ import annotations

import runpy
import sys


def main(directory: str, program: str, *arguments: str) -> None:
    from swift.common import constraints, utils

    utils.set_swift_dir(directory)
    constraints.reload_constraints()
    sys.argv = [program, *arguments]
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
