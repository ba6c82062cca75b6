s=0123456789abcdef; s=$s$s$s$s; s=$s$s$s$s; s=$s$s$s$s; s=$s$s$s$s; s=$s$s$s$s; s=$s$s$s$s; s=$s$s$s$s; s=$s$s$s$s
echo ${#s}; printf 'echo %s | wc -c\n' $(echo $s | cut -c1-100000) > f; sh ./f | tr -d ' '
{
    printf 'x='; i=0
    while [ $i -lt 16 ]; do echo "$s" | tr -d '\n' | head -c 65536; i=$((i + 1)); done
    echo; echo 'echo ${#x}'
} > f
sh ./f; rm f
