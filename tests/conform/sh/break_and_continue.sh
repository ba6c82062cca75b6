for i in 1 2 3 4; do [ $i = 2 ] && continue; [ $i = 4 ] && break; echo $i; done
for i in 1 2; do for j in a b; do [ $j = b ] && continue 2; echo $i$j; done; done
for i in 1 2; do while :; do break 2; done; echo no; done; echo $i
while :; do if true; then break; fi; done; echo $?
