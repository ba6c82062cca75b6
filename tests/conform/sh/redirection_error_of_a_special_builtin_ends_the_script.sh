echo before
exec 2>/dev/null
: > /nonexistent/y
echo not reached
