echo $(echo a; echo b) "$(echo a; echo b)"
x=$(printf 'a\n\n\n'); echo "<$x>"
echo $(echo $(echo $(echo deep)))
echo "$(echo "in $(echo "quoted")")"
echo "$(case x in x) echo ')';; esac)"
echo a$(true)b "$(echo ' s ')"
