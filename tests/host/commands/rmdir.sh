# rmdir
$X/mkdir -p a/b/c d
$X/rmdir a
$X/rmdir a/b/c d
$X/ls
$X/rmdir -p a/b/
$X/ls
$X/rmdir none
: > f
$X/rmdir f
