mkfifo p q; { read x < p; echo "got $x" > f; echo answer > q; } & echo question > p; read y < q; wait; cat f; echo $y
(exit 1) & (exit 2) & wait; echo $?; (exit 5) & a=$!; (exit 6) & wait $a; echo $?; wait $!; echo $?
{ echo piped | cat > f; } & wait; cat f; rm f p q
