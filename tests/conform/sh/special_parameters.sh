set -- a b c
echo $# $1 $3 "$*" "$@"
echo $?; false; echo $?
test $$ -gt 1; echo $?
sleep 0 & test $! -gt $$ || test $! -gt 1; echo $?; wait
