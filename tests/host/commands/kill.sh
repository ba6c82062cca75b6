# kill_lists
$X/kill -l 9
$X/kill -l TERM
$X/kill -l 15

# kill_sends
$X/sleep 100 & $X/kill $!
wait $!
echo $?
$X/sleep 100 & $X/kill -9 $!
wait $!
echo $?
$X/sleep 100 & $X/kill -s HUP $!
wait $!
echo $?
$X/sleep 100 & $X/kill -USR1 $!
wait $!
echo $?
$X/kill -0 $$

# kill_nobody
$X/kill 2000000000
echo $?
$X/kill x 2>/dev/null
echo $?
