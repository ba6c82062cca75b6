x=; y=; i=0; while [ $i -lt 200 ]; do x="$x("; y="$y)"; i=$((i + 1)); done
eval "${x} echo deep ${y}"; echo $(($x 7 $y))
