(exit 3) & wait $!; echo $?
sleep 0 & a=$!; (exit 4) & b=$!; wait $a; echo $?; wait $b; echo $?
wait; echo $?; wait 999999; echo $?
sleep 10 & kill $!; wait $!; echo $?
