unset x; e=; s=set
echo "<${x+a}>" "<${x:+a}>" "<${e+a}>" "<${e:+a}>" "<${s+a}>" "<${s:+a}>"
set -- ${s+b c}; echo $#
