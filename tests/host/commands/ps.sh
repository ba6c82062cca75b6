# ps_shows_processes
$X/ps -o pid=,ppid= -p $$ | $X/env awk "{ print \$1 == $$ }"
$X/ps -p $$ -o comm= -o pid=X | $X/wc -l
$X/sleep 50.$$ & p=$!
until [ "$($X/ps -p $p -o s= -o comm=)" = 'S sleep' ]; do $X/sleep 0.05; done
$X/ps -A -o args | $X/grep -c "sleep 50\.$$\$"
$X/ps -ef | $X/grep -c "sleep 50\.$$\$"
$X/ps -p $p -o stat= | $X/env cut -c1
kill $p
$X/ps -p 99999999 > /dev/null
echo $?
$X/ps -o nonsense 2>/dev/null
echo $?
$X/ps aux | $X/head -n 1 | $X/env tr -s ' '
#> 1
#> 2
#> 1
#> 1
#> S
#> 1
#> 1
#> USER PID %CPU VSZ RSS TTY STAT START TIME COMMAND
