for s in 'if' 'then' 'echo )' '(' '{ echo' 'for 1 in a; do :; done' 'case x' 'echo "x' "echo 'x" 'a && && b' \
    '| a' 'while :; do' 'f( x' ';;' 'echo `x' 'echo ${x' 'echo $((1' \
    'echo $(x' '&' 'if true; then fi' '( )' 'for i in a; do done' '> ;' 'f() '; do
    sh -c "$s" 2>/dev/null >/dev/null; echo "$s: $?"
done
