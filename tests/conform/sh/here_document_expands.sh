x=value
cat <<E
$x ${x} $(echo command) $(echo "a  b") $((1 + 2))
\$x \\ "quoted" 'single' \a
E
