# true
$X/true
echo $?
$X/true -x a
