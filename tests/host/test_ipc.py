"""System V objects as other programs see them: util-linux's ipcs and ipcrm, unmodified, with their libraries."""

import os
import re
import shutil
import subprocess

import pytest

from support import PATIENCE, run

PROGRAMS = [shutil.which(name) for name in ("ipcs", "ipcmk", "ipcrm")]
SCRIPT = """
shm=$(/old/ipcmk -M 5000 -p 600); sem=$(/bin/ipcmk -S 3); queue=$(/old/ipcmk -Q)
for kind in m s q; do echo "ours $kind"; /bin/ipcs -$kind; echo "theirs $kind"; /old/ipcs -$kind; done
/old/ipcrm -m ${shm##* } -s ${sem##* } -q ${queue##* }; echo "removed $?"
/old/ipcs | grep -c ^0x
"""

pytestmark = pytest.mark.skipif(not all(PROGRAMS), reason="no util-linux here")


@pytest.fixture(name="overlay")
def fixture_overlay(tmp_path):
    """A tree with the programs in /old, and the libraries where they want them."""
    os.mkdir(tmp_path / "old")
    for program in PROGRAMS:
        shutil.copy(program, tmp_path / "old")
        listed = subprocess.run(["ldd", program], capture_output=True, check=True, text=True, timeout=PATIENCE).stdout
        for library in re.findall(r"(/\S+) \(0x", listed):
            os.makedirs(tmp_path / os.path.dirname(library)[1:], exist_ok=True)
            shutil.copy(library, tmp_path / library[1:])
    return tmp_path


def test_other_programs_see_and_remove_what_is_there(overlay):
    result = run("--overlay", str(overlay), "--", "/bin/busybox", "sh", "-c", SCRIPT)
    result.must_have_run()
    words = [line.split() for line in result.text.splitlines()]
    rows = {}
    for line in words:
        if line and line[0] in ("ours", "theirs"):
            rows[tuple(line)] = seen = []
        elif line and line[0].startswith("0x"):
            seen.append(line)
    assert ["removed", "0"] in words and words[-1] == ["0"], result.text + result.err
    for kind, expected in ("m", ["600", "5000", "0"]), ("s", ["644", "3"]), ("q", ["644", "0", "0"]):
        assert rows["ours", kind] == rows["theirs", kind], result.text
        assert [line[3:] for line in rows["ours", kind]] == [expected]
