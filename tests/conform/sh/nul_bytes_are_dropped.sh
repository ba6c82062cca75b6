printf 'echo a\000b\n' > s; sh ./s; rm s
