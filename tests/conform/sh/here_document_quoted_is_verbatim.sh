x=value
cat <<'E'
$x `cmd` \$ \\ "
E
cat <<\E
$x
E
cat <<"E F"
$x
E F
