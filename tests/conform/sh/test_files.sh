mkdir t; cd t; : > e; echo x > f; ln -s f l; mkfifo p; chmod +x f
for o in -e -f -d -s -x -L -h -p -r -w -c -b -S; do
    for f in e f l p . /dev/null none; do test $o $f && echo $o $f; done
done
cd ..; rm -r t
