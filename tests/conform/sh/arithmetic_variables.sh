x=5; echo $((x + 1)) $(($x + 1)) $((y))
echo $((x = 3)) $x $((x += 4)) $x $((x <<= 2)) $x $((x %= 5)) $x
y=x; i=0; while [ $i -lt 3 ]; do i=$((i + 1)); done; echo $i
echo $((x = y1 = 2)) $x $y1
