"""Mistakes that people make on the command line, each answered with the command that works when it is pasted."""

import pytest

from bootgraft.cli.main import _parser
from bootgraft.cli.mistakes import CHECKS, REPAIRS, WITH_VALUE


def options_of(command: str, capsys: pytest.CaptureFixture[str]) -> set[str]:
    """The options in a command's help."""
    with pytest.raises(SystemExit):
        _parser([command]).parse_args([command, "--help"])
    return {word.strip(",[]") for word in capsys.readouterr().out.split() if word.strip(",[]").startswith("--")}


def test_the_tables_of_options_are_those_of_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    inspect, check, repair = (options_of(each, capsys) for each in ("inspect", "check", "repair"))
    assert check - inspect == CHECKS
    assert repair - check - {"--dry-run", "--resume"} == REPAIRS
    for each in WITH_VALUE & (check | repair):
        command = "check" if each in check else "repair"
        with pytest.raises(Exception, match="expected one argument"):
            _parser([command]).parse_args([command, "x", each])
