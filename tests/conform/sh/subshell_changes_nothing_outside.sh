x=1; (x=2; cd /; echo $x; pwd); echo $x
(exit 7); echo $?
(echo a; (echo b; (echo c)))
