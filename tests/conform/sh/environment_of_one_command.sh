X=1 sh -c 'echo $X'; echo ${X-none}
export X=2; X=3 sh -c 'echo $X'; echo $X; sh -c 'echo $X'
X=4 Y=$X sh -c 'echo $X $Y'; unset X; sh -c 'echo ${X-unset}'
f() { sh -c 'echo $Z'; }; Z=5 f; IFS=: read a b <<E
c:d e
E
echo "$b $a" "$(echo 'x y')"
