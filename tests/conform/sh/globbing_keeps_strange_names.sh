mkdir g; cd g; : > 'a b'; : > 'x*y'; : > '[z]'
for i in *; do echo "<$i>"; done
echo x\*y x'*'* '['*; cd ..; rm -r g
