x=; y=; i=0; while [ $i -lt 200 ]; do x="$x("; y="$y)"; i=$((i + 1)); done
echo "${x} echo deep ${y}" > f; . ./f; rm f; echo $(($x 7 $y))
