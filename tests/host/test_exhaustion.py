"""When something runs out: an error or one killed process, a shell that goes on, and nothing lost."""

import pytest

from support import busybox

# What runs out: a script, and the status of what wanted too much.
CASES = {
    "memory": ("tail /dev/zero; echo $?", 137),
    "the_root_file_system": ("cat /dev/zero > /tmp/big; echo $?; rm /tmp/big", 1),
    "two_file_systems": ("cat /dev/zero > /tmp/big & cat /dev/zero > /dev/shm/big & tail /dev/zero & wait; "
                         "echo $(rm /tmp/big /dev/shm/big; echo $?)", 0),
    "the_stack": ("f() { f; }; (f); echo $?", 139),
    # On a busy machine there is always one to be killed for the next, until the parent has lost too many.
    "processes": ("(while sleep 1000 & do :; done); echo $?; killall -9 sleep; wait", 2),
    "memory_by_many": ("i=0; while [ $i -lt 300 ]; do (dd if=/dev/zero bs=64k count=1 | sleep 3) & "
                       "i=$((i + 1)); done; wait; echo $?", 0),
    "descriptors": ("(ulimit -n 5; exec 3</ 4</ 5</); echo $?", 1),
    "address_space": ("(ulimit -v 4000; awk 'BEGIN { for (s = 1;;) s = s s }'); echo $?", 1),
    "file_size": ("(ulimit -f 1; cat /dev/zero > /tmp/big); echo $?; rm /tmp/big", 153),
}


@pytest.mark.parametrize("what", CASES)
def test_out_of(what):
    script, status = CASES[what]
    result = busybox(f"{{ {script}; }} 2>/dev/null; echo the shell goes on",
                     "--debug", "--leak-check", "--mem", "64", "--smp", "4")
    assert (result.status, result.text) == (0, f"{status}\nthe shell goes on\n"), result.err
