for i in 1 2 3; do echo $i; done > f
while read x; do echo "<$x>"; done < f; rm f
if true; then echo y; fi > f; cat f; rm f
