i=0; x=; while [ $i -lt 100 ]; do x="$x 1 2 3 4 5 6 7 8 9 0"; i=$((i + 1)); done; set -- $x $x $x $x $x $x $x $x $x $x
echo $#; /bin/echo "$@" | wc -w | tr -d ' '
