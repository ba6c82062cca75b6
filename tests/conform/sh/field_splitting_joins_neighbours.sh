x="a b"; for i in p${x}s; do echo "<$i>"; done
y=" c "; for i in p${y}s; do echo "<$i>"; done
for i in ''$y''; do echo "<$i>"; done
for i in $empty; do echo no; done; for i in "$empty"; do echo yes; done
