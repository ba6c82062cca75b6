echo a # comment
# another 'with quote
echo b#c "#d" #e
echo f\#g; #h
