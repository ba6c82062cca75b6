readonly r=1; echo $r
(r=2; echo not reached) 2>/dev/null; echo $?
(unset r) 2>/dev/null; echo $?
readonly -p | grep 'r='
