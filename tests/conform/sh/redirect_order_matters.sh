ls /nonexistent > f 2>&1; test -s f; echo $?
ls /nonexistent 2>&1 > f | wc -l | tr -d ' '; test -s f; echo $?; rm f
