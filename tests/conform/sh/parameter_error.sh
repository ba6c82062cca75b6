(unset x; echo ${x?}; echo no) 2>/dev/null; echo $?
(x=; echo ${x:?message}; echo no) 2>&1 | sed 's/.*x/x/'
(x=1; echo ${x:?})
