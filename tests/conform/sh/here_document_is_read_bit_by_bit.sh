{ read a; read b; echo "$b $a"; cat; } <<X
first
second
the rest
of it
X
cat <<X - | tr a-z A-Z; cat <<Y
pipe
X
plain
Y
f() { cat; }; f <<X
to f $1
X
