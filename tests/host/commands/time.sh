# time_says_how_long
$X/time -p $X/sleep 0.2 2>e
$X/grep -Ec '^real (0\.[2-9]|[1-9])' e
$X/grep -Ec '^(user|sys) [0-9]+\.[0-9]{2}$' e
$X/time $X/false 2>e
echo $?
$X/grep -Ec '^(real|user|sys).[0-9]+m[0-5][0-9]\.' e
#> 1
#> 2
#> 1
#> 3

# time_status
$X/time none 2>/dev/null
echo $?
$X/time / 2>/dev/null
echo $?
$X/time $X/env sh -c 'kill -9 $$' 2>/dev/null
echo $?
#> 127
#> 126
#> 137
