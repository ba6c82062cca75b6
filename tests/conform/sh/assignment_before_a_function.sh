f() { echo $x; sh -c 'echo ${x-unset}'; }
x=1
x=2 f
echo $x
