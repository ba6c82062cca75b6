{ echo out; echo err >&2; } 2>&1 | sort
{ echo x >&3; } 3>&1
exec 4>f; echo hello >&4; exec 4>&-; cat f; rm f
echo lost 2>&1 >/dev/null
