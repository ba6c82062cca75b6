mkdir -p a/b; cd a/b; case $(pwd) in */a/b) echo ok;; esac
cd ..; case $PWD in */a) echo ok;; esac; cd - > /dev/null; case $PWD in */a/b) echo ok;; esac
cd ..; cd /nonexistent 2>/dev/null; echo $?; cd /; pwd; cd /dev/../dev/.; pwd; HOME=/dev; cd; pwd
