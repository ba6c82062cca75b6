HOME=/the/home; echo ~ ~/x "~" \~ a~
x=~; echo $x; p=/a:~/b:~; echo $p; q="~"; echo $q
echo x=~
