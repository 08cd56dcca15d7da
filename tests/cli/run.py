"""Run commands in this process."""

from click.testing import CliRunner

from ztfml.cli import main


def ztfml(*arguments, code=0):
    """Run a command in this process and return its output."""
    result = CliRunner().invoke(main, list(map(str, arguments)))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def one_sentence(result, *names):
    """Check that the error is one line that contains the names, without a traceback."""
    lines = [line for line in result.stderr.splitlines() if line.startswith("Error:")]
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.stderr
    if "please report it" not in names:
        assert "internal error" not in lines[0]
    for name in names:
        assert str(name) in lines[0]
    return lines[0]
