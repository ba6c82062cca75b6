i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done; echo $?
until [ $i -eq 0 ]; do i=$((i-1)); done; echo $i
while false; do :; done; echo $?
