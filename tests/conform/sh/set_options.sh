set -f; case $- in *f*) echo f;; esac; set +f; case $- in *f*) echo f;; *) echo no;; esac
set -o noglob; echo *; set +o noglob
set -a; exported=1; set +a; sh -c 'echo $exported'
(set -n; echo no); set -- -x; echo $1; set a b; echo $2; set -- ; echo $#
