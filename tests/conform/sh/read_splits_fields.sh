echo 'a b  c d ' | { read x y z; echo "<$x><$y><$z>"; }
echo '  a  ' | { read x; echo "<$x>"; }
echo 'a:b:c' | { IFS=: read x y; echo "<$x><$y>"; }
echo 'one' | { read x y; echo "<$x><$y>"; }
printf 'no newline' | { read x; echo "$? <$x>"; }
read x < /dev/null; echo $? "<$x>"
