printf 'a\\ b c\n' | { read x y; echo "<$x><$y>"; }
printf 'a\\\nb\n' | { read x; echo "<$x>"; }
printf 'a\\b\\\\\n' | { read -r x; echo "<$x>"; }
