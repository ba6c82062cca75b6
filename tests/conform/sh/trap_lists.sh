trap 'echo "it'\''s"' INT TERM EXIT; trap
trap - INT TERM EXIT; trap
trap 'x' NOSUCH 2>/dev/null; echo $?
