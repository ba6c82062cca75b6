set -f; case $- in *f*) echo f;; esac; set +f; case $- in *f*) echo f;; *) echo no;; esac
set -f; echo *; set +f
(set -n; echo no); set -- -x; echo $1; set a b; echo $2; set -- ; echo $#
