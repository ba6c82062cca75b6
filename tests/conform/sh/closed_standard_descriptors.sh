(exec <&-; read x; echo $? "<$x>") 2>/dev/null
(exec >&-; echo lost) 2>/dev/null; echo $?
echo a | (exec 2>&-; cat); (exec <&- >&- 2>&-; : | :); echo $?
