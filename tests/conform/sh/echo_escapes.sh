echo 'a\tb' 'c\nd' 'e\\f' '\0101' 'x\cy' no
echo -n a; echo; echo -e b; echo '\q'
