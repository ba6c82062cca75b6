echo if then else fi do done { } ! case esac in for while until
echo a=b -n "a;b" 'c|d' e\&f \(g\) h#i '#j' #k
x=y=z; echo $x; echo x=$x; 'if' 2>/dev/null; echo $?; i\f 2>/dev/null; echo $?
