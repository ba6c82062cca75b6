echo 'single $x `y` \ "' "double 'x'"
echo a\ b \$x \\ "\$x \\ \" \`" "\a"
echo 'a'"b"c 'a
b'
echo "a\
b" c\
d
echo "" '' | cat -A 2>/dev/null || echo
