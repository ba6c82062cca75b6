echo x > /nonexistent/y 2>/dev/null; echo status $?
cat /dev/null > /nonexistent/y 2>/dev/null || echo failed
