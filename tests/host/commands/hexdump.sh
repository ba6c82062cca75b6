# hexdump_forms
printf 'Hello\n\0\tworld\377 and more' > f
for o in -C -b -c -d -o -x -v; do $X/hexdump $o f; done
$X/hexdump f

# hexdump_part
numbers 1 99 > f
$X/hexdump -C -s 10 -n 20 f
$X/hexdump -n 3 f f
$X/hexdump -C -s 280 f f
$X/hexdump -C -s 0x10 -n 4 f

# hexdump_equal_lines
$X/head -c 100 /dev/zero | $X/hexdump
$X/head -c 100 /dev/zero | $X/hexdump -vC
$X/hexdump /dev/null
$X/hexdump none
