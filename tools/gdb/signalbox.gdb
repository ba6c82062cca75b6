# What gdb should know before it looks at the kernel. `make gdb` reads this and connects.

# The machine starts in 16-bit mode; without this gdb takes its registers for shorter ones when it
# attaches early, and breaks off later with "'g' packet reply is too long".
set architecture i386:x86-64
set pagination off
set confirm off
set print pretty on
set disassembly-flavor intel

define signalbox-connect
    target remote $arg0
    # A CPU is a thread to gdb: stepping one shall not let the others run away.
    set scheduler-locking step
    echo The machine is halted. Breakpoints before the kernel is loaded: hbreak, e.g. hbreak sys_write\n
end
document signalbox-connect
signalbox-connect SOCKET: attach to the machine that listens there.
end

define cpus
    info threads
end
document cpus
Where each CPU is.
end
