# env_print
$X/env -i A=b C='d e' $X/env
$X/env -i
$X/env - A=1; A=1 B=2 $X/env -u A -i B=3

# env_runs
$X/env -i A=b $X/echo x; A=b $X/env -u A $X/env | $X/grep ^A=
$X/env A=1 B=2 $X/env -i $X/env

# env_status
$X/env none
echo $?
$X/env /
echo $?
$X/env $X/false
echo $?
$X/env -u
echo $?
$X/env -u = 2>/dev/null
echo $?
