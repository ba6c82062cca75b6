f() { echo out; cat; }
echo in | f > r; cat r; rm r
g() { echo to-file; } > r2
g; cat r2; rm r2
