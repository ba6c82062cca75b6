n=2; echo text > $(echo f)$n; cat < "f$(echo 2)"; echo more >> f$((1 + 1)); cat f2; rm f2
d=$(pwd); cd /; echo far > "$d/f"; cd - > /dev/null; cat f; rm f; x='a b'; echo blank > "$x"; ls; rm "$x"
