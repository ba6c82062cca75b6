echo before
exec 2>/dev/null
echo ${x!y}
echo not reached
