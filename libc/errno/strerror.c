/* The words for each error and signal number, and the functions that print them. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/*
 * The words stand one behind the other, and a table says where each begins: pointers would take four times the room
 * in every program that reports an error.
 */
#define MESSAGES(X)                                                \
    X(0, "Success")                                                \
    X(EPERM, "Operation not permitted")                            \
    X(ENOENT, "No such file or directory")                         \
    X(ESRCH, "No such process")                                    \
    X(EINTR, "Interrupted system call")                            \
    X(EIO, "Input/output error")                                   \
    X(ENXIO, "No such device or address")                          \
    X(E2BIG, "Argument list too long")                             \
    X(ENOEXEC, "Exec format error")                                \
    X(EBADF, "Bad file descriptor")                                \
    X(ECHILD, "No child processes")                                \
    X(EAGAIN, "Resource temporarily unavailable")                  \
    X(ENOMEM, "Cannot allocate memory")                            \
    X(EACCES, "Permission denied")                                 \
    X(EFAULT, "Bad address")                                       \
    X(ENOTBLK, "Block device required")                            \
    X(EBUSY, "Device or resource busy")                            \
    X(EEXIST, "File exists")                                       \
    X(EXDEV, "Invalid cross-device link")                          \
    X(ENODEV, "No such device")                                    \
    X(ENOTDIR, "Not a directory")                                  \
    X(EISDIR, "Is a directory")                                    \
    X(EINVAL, "Invalid argument")                                  \
    X(ENFILE, "Too many open files in system")                     \
    X(EMFILE, "Too many open files")                               \
    X(ENOTTY, "Inappropriate ioctl for device")                    \
    X(ETXTBSY, "Text file busy")                                   \
    X(EFBIG, "File too large")                                     \
    X(ENOSPC, "No space left on device")                           \
    X(ESPIPE, "Illegal seek")                                      \
    X(EROFS, "Read-only file system")                              \
    X(EMLINK, "Too many links")                                    \
    X(EPIPE, "Broken pipe")                                        \
    X(EDOM, "Numerical argument out of domain")                    \
    X(ERANGE, "Numerical result out of range")                     \
    X(EDEADLK, "Resource deadlock avoided")                        \
    X(ENAMETOOLONG, "File name too long")                          \
    X(ENOLCK, "No locks available")                                \
    X(ENOSYS, "Function not implemented")                          \
    X(ENOTEMPTY, "Directory not empty")                            \
    X(ELOOP, "Too many levels of symbolic links")                  \
    X(ENOMSG, "No message of desired type")                        \
    X(EIDRM, "Identifier removed")                                 \
    X(ENODATA, "No data available")                                \
    X(ETIME, "Timer expired")                                      \
    X(EPROTO, "Protocol error")                                    \
    X(EBADMSG, "Bad message")                                      \
    X(EOVERFLOW, "Value too large for defined data type")          \
    X(EILSEQ, "Invalid or incomplete multibyte or wide character") \
    X(ENOTSOCK, "Socket operation on non-socket")                  \
    X(EDESTADDRREQ, "Destination address required")                \
    X(EMSGSIZE, "Message too long")                                \
    X(EPROTOTYPE, "Protocol wrong type for socket")                \
    X(ENOPROTOOPT, "Protocol not available")                       \
    X(EPROTONOSUPPORT, "Protocol not supported")                   \
    X(ESOCKTNOSUPPORT, "Socket type not supported")                \
    X(EOPNOTSUPP, "Operation not supported")                       \
    X(EPFNOSUPPORT, "Protocol family not supported")               \
    X(EAFNOSUPPORT, "Address family not supported by protocol")    \
    X(EADDRINUSE, "Address already in use")                        \
    X(EADDRNOTAVAIL, "Cannot assign requested address")            \
    X(ENETDOWN, "Network is down")                                 \
    X(ENETUNREACH, "Network is unreachable")                       \
    X(ENETRESET, "Network dropped connection on reset")            \
    X(ECONNABORTED, "Software caused connection abort")            \
    X(ECONNRESET, "Connection reset by peer")                      \
    X(ENOBUFS, "No buffer space available")                        \
    X(EISCONN, "Transport endpoint is already connected")          \
    X(ENOTCONN, "Transport endpoint is not connected")             \
    X(ESHUTDOWN, "Cannot send after transport endpoint shutdown")  \
    X(ETIMEDOUT, "Connection timed out")                           \
    X(ECONNREFUSED, "Connection refused")                          \
    X(EHOSTDOWN, "Host is down")                                   \
    X(EHOSTUNREACH, "No route to host")                            \
    X(EALREADY, "Operation already in progress")                   \
    X(EINPROGRESS, "Operation now in progress")                    \
    X(ESTALE, "Stale file handle")                                 \
    X(EDQUOT, "Disk quota exceeded")                               \
    X(ECANCELED, "Operation canceled")                             \
    X(EOWNERDEAD, "Owner died")                                    \
    X(ENOTRECOVERABLE, "State not recoverable")

#define MEMBER(number, text) char of_##number[sizeof(text)];
#define TEXT(number, text) text,
#define PLACE(number, text) [number] = 1 + offsetof(struct messages, of_##number),
static const struct messages {
    MESSAGES(MEMBER)
} messages = {MESSAGES(TEXT)};
static const unsigned short places[] = {MESSAGES(PLACE)}; /* + 1; 0: there is no such error */

static const char *const signals[] = {
    [SIGHUP] = "Hangup",
    [SIGINT] = "Interrupt",
    [SIGQUIT] = "Quit",
    [SIGILL] = "Illegal instruction",
    [SIGTRAP] = "Trace/breakpoint trap",
    [SIGABRT] = "Aborted",
    [SIGBUS] = "Bus error",
    [SIGFPE] = "Floating point exception",
    [SIGKILL] = "Killed",
    [SIGUSR1] = "User defined signal 1",
    [SIGSEGV] = "Segmentation fault",
    [SIGUSR2] = "User defined signal 2",
    [SIGPIPE] = "Broken pipe",
    [SIGALRM] = "Alarm clock",
    [SIGTERM] = "Terminated",
    [SIGSTKFLT] = "Stack fault",
    [SIGCHLD] = "Child exited",
    [SIGCONT] = "Continued",
    [SIGSTOP] = "Stopped (signal)",
    [SIGTSTP] = "Stopped",
    [SIGTTIN] = "Stopped (tty input)",
    [SIGTTOU] = "Stopped (tty output)",
    [SIGURG] = "Urgent I/O condition",
    [SIGXCPU] = "CPU time limit exceeded",
    [SIGXFSZ] = "File size limit exceeded",
    [SIGVTALRM] = "Virtual timer expired",
    [SIGPROF] = "Profiling timer expired",
    [SIGWINCH] = "Window changed",
    [SIGIO] = "I/O possible",
    [SIGPWR] = "Power failure",
    [SIGSYS] = "Bad system call",
};

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

char *strerror(int error)
{
    static __thread char unknown[32];
    if (error >= 0 && error < COUNT(places) && places[error] != 0)
        return (char *)&messages + places[error] - 1;
    snprintf(unknown, sizeof(unknown), "Unknown error %d", error);
    return unknown;
}

int strerror_r(int error, char *buf, size_t size)
{
    const char *text = strerror(error);
    if (strlcpy(buf, text, size) >= size)
        return ERANGE;
    return strncmp(text, "Unknown", 7) == 0 ? EINVAL : 0;
}

char *strsignal(int sig)
{
    static __thread char unknown[32];
    if (sig > 0 && sig < COUNT(signals))
        return (char *)signals[sig];
    snprintf(unknown, sizeof(unknown), "Unknown signal %d", sig);
    return unknown;
}

void perror(const char *prefix)
{
    const char *text = strerror(errno);
    if (prefix && *prefix)
        fprintf(stderr, "%s: %s\n", prefix, text);
    else
        fprintf(stderr, "%s\n", text);
}
