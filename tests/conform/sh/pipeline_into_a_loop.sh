for i in 3 1 2; do echo $i; done | sort | while read x; do echo "<$x>"; done
printf 'a b\nc d\n' | while read x y; do echo $y $x; last=$x; done; echo "${last-unset}"
while read line; do echo "$line" | tr a-z A-Z; done <<E
one
two
E
