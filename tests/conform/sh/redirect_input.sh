echo text > f; cat < f; cat 0<f; rm f
cat < /nonexistent/file 2>/dev/null; echo $?
