"""The log of virt-v2v's first boot: which script came to an end last, and how often like that."""

import pytest

from bootgraft.windows.leftovers.first_boot import ScriptRun, last_run


def run(script: str, code: int, *said: str) -> list[str]:
    return [f'running "C:\\Program Files\\Guestfs\\Firstboot\\scripts\\{script}"', *said, f".... exit code {code}"]


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ([], None),
        (run("a.bat", 0)[:-1], None),
        (run("a.bat", 249, "no"), ScriptRun("a.bat", 249, ("no",), 1)),
        (run("a.bat", 249, "no") * 3, ScriptRun("a.bat", 249, ("no",), 3)),
        ([*run("a.bat", 249), *run("b.bat", 1), *run("a.bat", 249)], ScriptRun("a.bat", 249, (), 1)),
        ([*run("a.bat", 249), *run("A.BAT", 249)], ScriptRun("A.BAT", 249, (), 2)),
        ([*run("a.bat", 249), *run("a.bat", -1)], ScriptRun("a.bat", -1, (), 1)),
    ],
)
def test_runs(log: list[str], expected: ScriptRun | None) -> None:
    assert last_run(log) == expected


def test_only_the_last_lines_are_kept_and_none_is_long() -> None:
    found = last_run(run("a.bat", 249, *(f"{n} {'x' * 999}\x1b" for n in range(99))))
    assert found is not None
    assert found.lines[-1].startswith("98 x")
    assert (len(found.lines), max(map(len, found.lines))) == (12, 200)
