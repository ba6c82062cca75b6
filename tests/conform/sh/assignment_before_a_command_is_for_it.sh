x=outer
x=inner sh -c 'echo $x'
echo $x
y=1 env | grep '^y='
echo "<$y>"
