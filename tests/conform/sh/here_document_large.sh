i=0; s=0123456789012345678901234567890123456789
s=$s$s$s$s; s=$s$s$s$s; s=$s$s$s$s; s=$s$s$s$s
cat <<E | wc -c | tr -d ' '
$s$s$s$s$s$s$s$s
E
