if true; then
	cat <<-E
		one
	  two
	E
fi
cat <<-'E'
	a	b
	E
