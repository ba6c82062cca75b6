HOME=/the/home; echo ~ ~/x "~" \~ a~ ~root
x=~; echo $x; p=/a:~/b:~; echo $p; q="~"; echo $q
echo x=~
