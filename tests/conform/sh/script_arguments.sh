cat > s <<'E'
echo "$0 $# $1 $2"
E
sh ./s a 'b c'; sh -c 'echo $0 $1' name arg; sh <<'E'
echo "$0 $#"
E
rm s
