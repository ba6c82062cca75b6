# echo_words
$X/echo a 'b  c' d
$X/echo
$X/echo -n x
$X/echo -nope
$X/echo -- -n
$X/echo - a

# echo_escapes
$X/echo -e 'a\tb\\c\0101\x41\101\e[\q\0' | $X/hexdump -C
$X/echo -e 'a\cb' c
$X/echo -E 'a\tb'
$X/echo 'a\n'
$X/echo -ne 'a\n'
$X/echo -e 'x\'
