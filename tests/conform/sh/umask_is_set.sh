umask 027; umask; : > f; ls -l f | cut -c1-10; rm f; umask 22; umask
