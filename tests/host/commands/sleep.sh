# sleep
$X/sleep 0.01 0
echo $?
$X/sleep 0s 0m 0h 0d
$X/sleep x
echo $?
$X/sleep 1y
$X/sleep
$X/sleep -- -1
