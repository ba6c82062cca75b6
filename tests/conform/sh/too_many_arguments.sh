s=0123456789abcdef; s=$s$s$s$s; s=$s$s$s$s; s=$s$s$s$s; s=$s$s$s$s; s=$s$s$s$s
set -- $s $s $s $s $s $s $s $s; set -- "$@" "$@" "$@" "$@" "$@" "$@" "$@" "$@"; set -- "$@" "$@" "$@"
/bin/true "$@" 2>/dev/null; echo $?; echo alive $#
