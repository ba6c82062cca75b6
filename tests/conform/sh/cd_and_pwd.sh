mkdir -p a/b; cd a/b; case $(pwd) in */a/b) echo ok;; esac
cd ..; case $PWD in */a) echo ok;; esac; cd - > /dev/null; case $PWD in */a/b) echo ok;; esac
ln -s a/b ../../l; cd ../../l; case $(pwd) in */l) echo logical;; esac; case $(pwd -P) in */a/b) echo physical;; esac
cd ..; cd /nonexistent 2>/dev/null; echo $?; cd /; pwd; cd /usr/../usr/./bin; pwd; HOME=/usr; cd; pwd; cd //;
