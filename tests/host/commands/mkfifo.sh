# mkfifo
$X/mkfifo a
$X/mkfifo -m 600 b
$X/stat -c '%F %a' a b
$X/mkfifo a
echo x > a & $X/cat a
