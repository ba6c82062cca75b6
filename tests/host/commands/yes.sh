# yes
$X/yes | $X/head -n 3
$X/yes a b | $X/head -n 2
$X/yes -- -x | $X/head -n 1
