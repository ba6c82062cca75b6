x=global
f() { local x=local y; y=1; echo $x; g; }
g() { echo sees $x; x=changed; }
f; echo $x ${y-unset}
