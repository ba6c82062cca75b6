(set -x; echo a 'b c'; x=1) 2>&1 | cat | grep -c '^+'
