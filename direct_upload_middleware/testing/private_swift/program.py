"""Run one of Swift's programs with the ``swift.conf`` of a private Swift.

Swift reads limits and storage policies from ``/etc/swift`` when it is imported. This program sets the other directory
first, so that a configuration in ``/etc/swift`` has no effect.
"""

from __future__ import annotations

import runpy
import sys


def main(directory: str, program: str, *arguments: str) -> None:
    """Run the program with these arguments."""
    from swift.common import constraints, utils

    utils.set_swift_dir(directory)
    constraints.reload_constraints()
    sys.argv = [program, *arguments]
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
