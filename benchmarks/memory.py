"""How much memory a large file takes: in the browser, over its idle page, and in the application.

python benchmarks/memory.py [--size 20]
"""

from __future__ import annotations

import sys

from setting import Address, chromium, gunicorn, large_file, machine, memory_of, options, swift
from throughput import by_curl

BROWSER_AIM, APPLICATION_AIM = 150, 20  # MiB
WARM_UP = 20  # small uploads, so that both workers have loaded what they need


def main() -> None:
    given = options("20", __doc__)
    print(machine())
    with (
        swift(),
        gunicorn("direct") as (url, application),
        large_file(given.size) as path,
        chromium(Address(url)) as (visitor, browser),
    ):
        for _ in range(WARM_UP):
            by_curl(url, 1)
        visitor.visit()
        watched = {"browser": browser, "application": application}
        idle = {name: memory_of(pid) for name, pid in watched.items()}
        most = dict(idle)

        def is_over() -> bool:
            for name, pid in watched.items():
                most[name] = max(most[name], memory_of(pid))
            return bool(visitor.upload()["result"] or visitor.upload()["failure"])

        visitor.choose(path)
        visitor.wait(is_over, timeout=7200)
        visitor.result()
    print(f"a file of {given.size} GiB")
    grew = {name: most[name] - idle[name] for name in watched}
    for name in watched:
        print(f"{name:<12} idle {idle[name]:6.1f} MiB   most {most[name]:6.1f} MiB   grew {grew[name]:6.1f} MiB")
    sys.exit(grew["browser"] > BROWSER_AIM or grew["application"] > APPLICATION_AIM)


if __name__ == "__main__":
    main()
