"""Profile this process, and what it forks, into files of the folder that BENCHMARKS_PROFILE names.

Python imports a module of this name at its start, before the program, which need not know. With BENCHMARKS_IMPORTS in
its place, what ``-X importtime`` prints goes into a file for each process.
"""

import os


def _profile(folder: str) -> None:
    import atexit
    import cProfile
    import signal
    import sys
    import time

    profile = cProfile.Profile(time.process_time)  # what waiting costs is another's time
    name = " ".join(sys.orig_argv)

    def begin() -> None:
        nonlocal name
        profile.clear()
        name = f"forked by {os.getppid()}"
        profile.enable()

    def end() -> None:
        profile.disable()
        profile.create_stats()
        profile.dump_stats(f"{folder}/{os.getpid()}.prof")
        with open(f"{folder}/{os.getpid()}.name", "w", encoding="utf-8") as file:  # noqa: PTH123  no imports of ours
            file.write(name)

    at_once, kill = os._exit, os.kill

    def exit_at_once(status: int) -> None:
        end()
        at_once(status)

    def spare(process: int, number: int) -> None:
        """The child ends by itself when its parent has hung up: killed then, it would leave no profile."""
        if number != signal.SIGKILL:
            kill(process, number)

    atexit.register(end)
    os.register_at_fork(after_in_child=begin)
    os._exit = exit_at_once  # type: ignore[assignment]  # how a forked child ends
    os.kill = spare
    profile.enable()


def _imports(folder: str) -> None:
    def into_a_file() -> None:
        file = os.open(f"{folder}/{os.getpid()}.imports", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        os.dup2(file, 2)
        os.close(file)

    into_a_file()
    os.register_at_fork(after_in_child=into_a_file)


if "BENCHMARKS_PROFILE" in os.environ:
    _profile(os.environ["BENCHMARKS_PROFILE"])
elif "BENCHMARKS_IMPORTS" in os.environ:
    _imports(os.environ["BENCHMARKS_IMPORTS"])
