echo one > f; echo two >> f; cat f; rm f
> empty; test -s empty; echo $?; rm empty
echo a >f1 >f2; cat f1 f2; rm f1 f2
