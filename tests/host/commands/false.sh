# false
$X/false
echo $?
$X/false -x --help >/dev/null
echo $?
