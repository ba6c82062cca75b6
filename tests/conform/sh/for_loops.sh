for i in a b c; do echo $i; done
for i
do echo no; done
set -- x y; for i do echo $i; done
for i in; do echo no; done; echo $?
for i in 1 2; do for j in a b; do echo $i$j; done; done
