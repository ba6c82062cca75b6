trap 'echo bye $?' EXIT
echo hello
(echo sub)
exit 3
