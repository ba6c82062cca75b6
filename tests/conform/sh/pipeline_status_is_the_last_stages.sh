false | true; echo $?
true | false; echo $?
echo a b c | tr ' ' '\n' | sort -r | head -n 2
