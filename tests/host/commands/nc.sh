# nc_local
$X/nc -lU s > got &
until lines hello there | $X/nc -U s 2>/dev/null; do $X/sleep 0.02; done
wait
$X/cat got
test -e s; echo $?
#> hello
#> there
#> 1

# nc_both_ways
A=127.77.$(($$ / 250 % 250)).$(($$ % 250 + 1))
lines answer | $X/nc -l $A 7001 > got &
until lines question | $X/nc $A 7001 > back 2>/dev/null; do $X/sleep 0.02; done
wait
$X/cat got back
#> question
#> answer

# nc_much_both_ways
A=127.77.$(($$ / 250 % 250)).$(($$ % 250 + 1))
$X/yes abcdefg | $X/head -c 3000000 > much
$X/nc -l $A 7002 < much > got &
until $X/nc $A 7002 < much > back 2>/dev/null; do $X/sleep 0.02; done
wait
$X/wc -c < got
$X/wc -c < back
#> 3000000
#> 3000000

# nc_keeps_listening
A=127.77.$(($$ / 250 % 250)).$(($$ % 250 + 1))
$X/nc -lk $A 7003 > got &
until lines one | $X/nc $A 7003 2>/dev/null; do $X/sleep 0.02; done
lines two | $X/nc $A 7003
lines three | $X/nc $A 7003
until_holds three got
$X/kill $!
$X/cat got
#> one
#> two
#> three

# nc_datagrams
A=127.77.$(($$ / 250 % 250)).$(($$ % 250 + 1))
lines answer | $X/nc -lu $A 7004 > got &
until lines question | $X/nc -u -w 3 $A 7004 > back 2>/dev/null; $X/grep -qs question got; do $X/sleep 0.02; done
wait
$X/head -n 1 got
$X/sort back | $X/head -n 1
#> question
#> answer

# nc_nobody_there
$X/nc 127.0.0.1 1 </dev/null; echo $?
$X/nc -z 127.0.0.1 1; echo $?
$X/nc -U none </dev/null; echo $?
#> 1
#> 1
#> 1

# nc_looks
A=127.77.$(($$ / 250 % 250)).$(($$ % 250 + 1))
$X/nc -lk $A 7005 </dev/null >/dev/null &
until $X/nc -z $A 7005 2>/dev/null; do $X/sleep 0.02; done
$X/nc -znv $A 7005 2>&1 | $X/wc -w
$X/kill $!
#> 4

# nc_bad_words
for w in '' 'a' '-k a b' 'a b c' '-w x a b' '-l' '-U a b' '127.0.0.1 70000' '127.0.0.1 nosuchservice'
do
    $X/nc $w </dev/null 2>/dev/null; echo $?
done
#> 1
#> 1
#> 1
#> 1
#> 1
#> 1
#> 1
#> 1
#> 1
