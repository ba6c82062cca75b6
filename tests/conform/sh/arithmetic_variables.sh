x=5; echo $((x + 1)) $(($x + 1)) $((y))
i=0; while [ $i -lt 3 ]; do i=$((i + 1)); done; echo $i $((-i)) $((x*i-1))
