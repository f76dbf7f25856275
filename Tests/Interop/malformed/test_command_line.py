"""A command line that says nothing sensible gets exit status 64 (sysexits.h, EX_USAGE) and is told what is wrong."""

import subprocess

import pytest
from gateway import BINARY


@pytest.mark.parametrize("arguments", [["nope"], ["help", "nope"], []], ids=" ".join)
def test_an_unknown_command(arguments):
    done = subprocess.run([str(BINARY), *arguments], capture_output=True, text=True, timeout=20)
    assert done.returncode == 64 and ("unknown command “nope”" if arguments else "no command given") in done.stderr, done


@pytest.mark.parametrize("arguments", [["help"], ["help", "route"]], ids=" ".join)
def test_help(arguments):
    done = subprocess.run([str(BINARY), *arguments], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and "tandem" in done.stdout, done
