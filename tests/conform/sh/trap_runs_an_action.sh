trap 'echo got usr1' USR1; kill -USR1 $$; echo after
trap '' USR1; kill -USR1 $$; echo ignored
trap - USR1; (kill -USR1 $(sh -c 'echo $PPID'); echo no); echo $?
trap 'echo term; exit 4' TERM; kill $$; echo not reached
