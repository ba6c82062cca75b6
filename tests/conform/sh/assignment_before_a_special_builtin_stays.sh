x=1 :; echo $x
y=2 eval 'echo in $y'; echo $y
x=5 true; echo $x
