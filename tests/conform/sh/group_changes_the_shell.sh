x=1; { x=2; echo in; }; echo $x
{ echo a; echo b; } | cat -n | wc -l
{ false; }; echo $?
