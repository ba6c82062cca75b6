a=1 b=2; echo $a$b
a=$b; echo $a
a=; echo "<$a>"
a="x y"; b=$a; echo "$b"
a=1 a=2; echo $a
