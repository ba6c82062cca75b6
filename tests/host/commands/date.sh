# date_of_second
$X/date -u -d @1700000000 '+%Y-%m-%d %H:%M:%S %a %b %j %U %u %s %y %e %I %p %Z %%'

# date_default
$X/date -d @0
$X/date -u -d @951827696.25 +%N
$X/date -R -d @951827696
$X/date -I -d @951827696

# date_parse
for t in 2024-02-29 '2024-02-29 13:14' 2024-02-29T13:14:15 '2024-02-29 13:14:15+01:30' '2024-02-29 13:14:15Z' @-1
do
    $X/date -u -d "$t" '+%F %T'
done

# date_bad
$X/date -d 2023-02-29
$X/date -d rubbish
$X/date -d 2024-13-01

# date_of_file
$X/touch -t 200102030405.06 f
$X/date -r f +%F_%T
$X/date -r none
