f() { echo "$# $1 $2"; }
f a b; f; set -- p q; f x; echo $1
g() { return 3; }; g; echo $?
h() { false; }; h; echo $?
k() (x=1; exit 4); k; echo $? $x
echo() { /bin/echo redefined "$@"; }; echo x; unset -f echo; echo x
