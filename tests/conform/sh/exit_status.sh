(exit 0); echo $?; (exit 255); echo $?; (false; exit); echo $?
nonexistent_command 2>/dev/null; echo $?
: > f; ./f 2>/dev/null; echo $?; rm f
/nonexistent/x 2>/dev/null; echo $?; / 2>/dev/null; echo $?
sh -c 'kill -9 $$' ; echo $?
