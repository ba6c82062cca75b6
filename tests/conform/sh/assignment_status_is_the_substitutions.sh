x=$(exit 5); echo $?
x=$(false) y=$(true); echo $?
x=1; echo $?
