for e in '-n x' '-z x' 'x = x' 'x != x' '1 -eq 01' '1 -ne 1' '1 -lt 2' '2 -le 1' '2 -gt 1' '1 -ge 2' \
    '-n' '! x' '! -z x' '! x = y' '! 1 -lt 2' '-3 -lt 2'; do
    test $e; echo "$e: $?"
done
[ "" ]; echo $?; [ x ]; echo $?; test; echo $?; [ "(" = "(" ]; echo $?; [ ! = x ]; echo $?
[ 1 -eq x ] 2>/dev/null; echo $?; [ x 2>/dev/null; echo $?
