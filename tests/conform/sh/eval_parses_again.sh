x='echo $y'; y=1; eval $x; eval "$x" '| cat'
eval; echo $?; eval false; echo $?
n=var; eval "$n=5"; echo $var; eval 'for i in 1 2
do echo $i
done'
