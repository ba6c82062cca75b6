echo a > f; echo c >| f; cat f
echo d >> f; cat f; echo x > /dev/null; echo $?
rm f
