i=0; set --; while [ $i -lt 300 ]; do set -- "$@" $i; i=$((i + 1)); done; echo $# $1 ${300}
echo "$@" | wc -w | tr -d ' '
