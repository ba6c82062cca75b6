# ipc_makes_lists_and_removes
row() { set -- $($X/ipcs -$1 | $X/grep "^0x[0-9a-f]* $2 "); shift 3; echo "$@"; }
m=$($X/ipcmk -M 5000 -p 600); s=$($X/ipcmk -S 3); q=$($X/ipcmk -Q -p 0622)
echo "${m% *}, ${s% *}, ${q% *}"
m=${m##* } s=${s##* } q=${q##* }
row m $m; row s $s; row q $q
$X/ipcs | $X/grep -c "^0x[0-9a-f]* \($m\|$s\|$q\) "
$X/ipcrm -m $m -s $s -q $q; echo $?
$X/ipcs | $X/grep -c "^0x[0-9a-f]* \($m\|$s\|$q\) "
$X/ipcrm -m $m 2>/dev/null; echo $?
#> Shared memory id:, Semaphore id:, Message queue id:
#> 600 5000 0
#> 644 3
#> 622 0 0
#> 3
#> 0
#> 0
#> 1

# ipc_by_key_and_by_the_old_words
key() { set -- $($X/ipcs -$1 | $X/grep "^0x[0-9a-f]* $2 "); echo $1; }
m=$($X/ipcmk -M 0x1000); m=${m##* }
$X/ipcrm -M $(key m $m); echo $?
q=$($X/ipcmk -Q); q=${q##* }
$X/ipcrm msg $q; echo $?
$X/ipcrm msg $q 2>/dev/null; echo $?
$X/ipcrm -M 0 2>/dev/null; echo $?
#> 0
#> 0
#> 1
#> 1

# ipc_other_lists
m=$($X/ipcmk -M 1 -p 640); m=${m##* }
last() { n=$2; set -- $($X/ipcs -m -$1 | $X/grep "^$m "); shift $n; echo "$@"; }
last t 2 | $X/grep -c '^Not set Not set [A-Z][a-z][a-z] *[0-9]* ..:..:..$'
last c 1 | $X/grep -c '^640 '
last p 3
$X/ipcs -l | $X/grep -c '= [1-9][0-9]*$'
$X/ipcs -u | $X/grep -c '^segments allocated [1-9]'
$X/ipcrm -m $m
#> 1
#> 1
#> 0
#> 12
#> 1

# ipc_nonsense
$X/ipcmk -M 0 2>/dev/null; echo $?
$X/ipcmk -M x 2>/dev/null; echo $?
$X/ipcmk -S -1 2>/dev/null; echo $?
$X/ipcmk 2>/dev/null; echo $?
$X/ipcrm 2>/dev/null; echo $?
$X/ipcrm -m x 2>/dev/null; echo $?
$X/ipcs x 2>/dev/null; echo $?
#> 1
#> 1
#> 1
#> 1
#> 1
#> 1
#> 1
