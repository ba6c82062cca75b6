# sync
: > f
$X/sync
$X/sync f
$X/sync -d f
$X/sync none
$X/sync -f .
