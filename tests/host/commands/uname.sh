# uname
[ "$($X/uname)" = "$($X/uname -s)" ]
echo $?
$X/uname -m
$X/uname -sm
$X/uname -p
$X/uname x 2>/dev/null
echo $?
