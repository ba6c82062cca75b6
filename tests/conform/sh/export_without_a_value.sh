export LATER; sh -c 'echo ${LATER-unset}'
LATER=now; sh -c 'echo $LATER'; LATER=; sh -c 'echo "<${LATER-unset}>"'
unset LATER; LATER=again; sh -c 'echo ${LATER-unset}'
