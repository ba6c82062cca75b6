echo `echo a` "`echo b`" `echo \`echo nested\``
x=5; echo `echo $x \$x '\$x'`
echo "`echo "inner"`"
