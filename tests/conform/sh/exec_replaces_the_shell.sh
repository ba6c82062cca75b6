(exec echo replaced; echo no)
(exec nonexistent_one 2>/dev/null; echo no); echo $?
exec 3>f; echo x >&3; exec 3>&-; cat f; rm f
