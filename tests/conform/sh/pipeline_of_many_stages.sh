echo 0 | { read n; echo $((n + 1)); } | { read n; echo $((n + 1)); } | { read n; echo $((n + 1)); } | cat | cat
f() { while read n; do echo $((n * 2)); done; }; echo 5 | f | f | f
: | : | (exit 7); echo $?; i=0; while [ $i -lt 5 ]; do echo $i; i=$((i + 1)); done | head -n 2
