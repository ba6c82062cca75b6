x=value
cat <<E
$x ${x} $(echo command) `echo old` $((1 + 2))
\$x \\ "quoted" 'single' \a
E
