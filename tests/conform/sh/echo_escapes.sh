echo 'a\tb' 'c\nd' 'e\\f' 'x\cy' no
echo -n a; echo; echo -e b; echo '\q'
