f() { f() { echo second; }; echo first; }
f; f
g() { unset -f g; echo still here; }; g
