sleep 10 & kill -s TERM $!; wait $!; echo $?
sleep 10 & kill -9 $!; wait $!; echo $?
kill -0 $$; echo $?
kill -NOSUCH $$ 2>/dev/null; echo $?
