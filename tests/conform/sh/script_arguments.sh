cat > s <<'E'
echo "$0 $# $1 $2"
E
sh ./s a 'b c'; sh -c 'echo $0 $1' name arg; sh -s x y <<'E'
echo "$# $2"
E
rm s
