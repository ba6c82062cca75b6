{ { echo out; echo err >&2; } 2>&1 | sed 's/^/piped /'; echo after; } > f; cat f
{ echo 1; { echo 2; echo 3 >&3; } > g; echo 4; } 3> h; cat g h
f() { echo in f; { echo aside >&2; } 2>> g; }; f > h; cat g h; rm f g h
exec 3>&1; echo hidden > /dev/null; echo shown >&3; { echo swapped; } 3>&1 > /dev/null >&3; exec 3>&-
