# id_self
$X/id -u
$X/id -un
$X/id -g
$X/id -gn
$X/id -ur
$X/id root
$X/id none
