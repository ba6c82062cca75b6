unset x; echo ${x=1} $x ${x=2}
e=; echo "<${e=3}>" "<${e:=4}>" $e
unset y; : ${y:="a  b"}; echo "$y"
