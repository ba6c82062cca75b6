a=1; export a; sh -c 'echo $a'
export b=2; sh -c 'echo $b'
c=3; sh -c 'echo <${c-unset}>' 2>/dev/null; sh -c 'echo ${c-unset}'
a=4; sh -c 'echo $a'
