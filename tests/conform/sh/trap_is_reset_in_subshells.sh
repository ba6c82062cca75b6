trap 'echo trapped' USR1 EXIT
(echo in)
sh -c 'kill -USR1 $$'; echo $?
trap - EXIT
