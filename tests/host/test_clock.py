"""The clock as programs read it without a call: it follows when somebody sets it, also in programs that run."""

import pytest

from support import EXTRA_WORDS, PATIENCE, busybox

SCRIPT = """
(until [ -e /tmp/set ]; do usleep 10000; done; date +%s) &
busybox date -s @1700000000 >/dev/null; : > /tmp/set
date +%s; busybox date +%s
wait
"""


@pytest.mark.skipif(bool(EXTRA_WORDS), reason="one kernel is enough")
def test_follows_when_it_is_set():
    result = busybox(SCRIPT, "--smp", "2")
    assert result.status == 0, result.err
    times = [int(line) for line in result.text.split()]
    assert len(times) == 3 and all(1700000000 <= seconds < 1700000000 + PATIENCE for seconds in times)
