set -- a b c; shift; echo $*; shift 2; echo $#
set -- "a b" c; echo "$1"; set -- "$@" d; echo $# "$3"
