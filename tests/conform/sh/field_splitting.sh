x="  a   b  "; for i in $x; do echo "<$i>"; done
IFS=:; x="a::b:"; for i in $x; do echo "<$i>"; done
x=":a"; for i in $x; do echo "<$i>"; done
IFS=' :'; x="a : b:c  d"; for i in $x; do echo "<$i>"; done
IFS=; x="a b"; for i in $x; do echo "<$i>"; done
IFS=x; y=1x2; for i in $y 3x4 "5x6" $(echo 7x8); do echo "<$i>"; done
