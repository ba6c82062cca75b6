f() { for i in 1 2 3; do [ $i = 2 ] && return 9; echo $i; done; echo no; }
f; echo $?
echo 'echo sourced; return 5; echo no' > s; . ./s; echo $?; rm s
