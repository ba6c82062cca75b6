exec 5>f; exec 5>&-
{ echo x >&5; } 2>/dev/null; echo $?
echo a >&- 2>/dev/null; echo $?
rm f
