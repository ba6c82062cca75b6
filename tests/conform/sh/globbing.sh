mkdir g; cd g; : > a.c; : > b.c; : > c.h; : > .hidden; mkdir d; : > d/e.c
echo *; echo *.c; echo ?.?; echo [ab].c; echo [!a].c; echo */*.c; echo .h*; echo *.none; echo [c-z]*
echo "*" '*' \*.c; x='*.c'; echo $x "$x"; echo */; echo ./*.h
cd ..; rm -r g
