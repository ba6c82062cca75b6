unset x; e=
echo ${x-a} ${x:-b} ${e-c} ${e:-d} "<${e-}>"
echo ${x-"a  b"} "${x-a  b}" ${x-$(echo cmd)}
echo "${x-'q'}" ${x-'q  q'}
set -- ${x-one two}; echo $#
set -- "${x-one two}"; echo $#
