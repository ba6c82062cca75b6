# tty
$X/tty < /dev/null
echo $?
$X/tty -s < /dev/null
echo $?
$X/tty x
echo $?
