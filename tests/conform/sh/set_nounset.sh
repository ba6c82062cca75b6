(set -u; echo ${x-ok}; echo $x; echo no) 2>/dev/null; echo $?
(set -u; echo $#; echo "$@"; echo ${#nope}; echo no) 2>/dev/null; echo $?
