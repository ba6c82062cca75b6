echo if then else fi { } ! done
for for in in; do echo $for; done; for do in do; do echo $do; done 2>/dev/null
x=if; $x 2>/dev/null; echo $?
