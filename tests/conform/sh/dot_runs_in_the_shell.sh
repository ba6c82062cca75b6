echo 'x=set; echo "$1"' > s; set -- arg; . ./s; echo $x; rm s
(. ./nonexistent) 2>/dev/null; echo $?
