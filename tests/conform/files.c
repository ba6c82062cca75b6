/* musl: open, creat, read, write, lseek, truncate and their errors, on regular files. */
#define _GNU_SOURCE
#include "tap.h"

#include <sys/syscall.h>
#include <sys/uio.h>

static char buf[8192];

TEST(create_gives_mode_without_umask)
{
    struct stat st;
    umask(027);
    works(close(works(open("f", O_CREAT | O_WRONLY, 0666))));
    works(stat("f", &st));
    same(st.st_mode, S_IFREG | 0640);
    same(st.st_size, 0);
    same(st.st_nlink, 1);
}

TEST(open_missing_file_is_enoent)
{
    fails(open("nowhere", O_RDONLY), ENOENT);
    fails(open("", O_RDONLY), ENOENT);
    fails(open("", O_CREAT | O_WRONLY, 0600), ENOENT);
}

TEST(o_excl_refuses_what_exists)
{
    make_file("f", "x");
    fails(open("f", O_CREAT | O_EXCL | O_WRONLY, 0600), EEXIST);
    works(symlink("nowhere", "dangling"));
    fails(open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0600), EEXIST);
    works(close(works(open("new", O_CREAT | O_EXCL | O_WRONLY, 0600))));
}

TEST(o_creat_follows_a_dangling_symlink)
{
    struct stat st;
    works(symlink("target", "link"));
    works(close(works(open("link", O_CREAT | O_WRONLY, 0600))));
    works(stat("target", &st));
    works(lstat("link", &st));
    check(S_ISLNK(st.st_mode), "the link is still a link");
}

TEST(o_trunc_empties)
{
    struct stat st;
    make_file("f", "some text");
    int fd = works(open("f", O_WRONLY | O_TRUNC));
    works(fstat(fd, &st));
    same(st.st_size, 0);
}

TEST(o_directory_refuses_files)
{
    make_file("f", "");
    fails(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
    works(close(works(open(".", O_RDONLY | O_DIRECTORY))));
}

TEST(o_nofollow_refuses_symlinks)
{
    make_file("f", "");
    works(symlink("f", "link"));
    fails(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
    works(close(works(open("f", O_RDONLY | O_NOFOLLOW))));
}

TEST(writing_to_a_directory_is_eisdir)
{
    fails(open(".", O_WRONLY), EISDIR);
    fails(open(".", O_RDWR), EISDIR);
    fails(open(".", O_RDONLY | O_CREAT, 0600), EISDIR);
    int fd = works(open(".", O_RDONLY));
    fails(read(fd, buf, 1), EISDIR);
    fails(write(fd, buf, 1), EBADF);
}

TEST(access_mode_is_enforced)
{
    make_file("f", "text");
    int r = works(open("f", O_RDONLY)), w = works(open("f", O_WRONLY));
    fails(write(r, "x", 1), EBADF);
    fails(read(w, buf, 1), EBADF);
    fails(ftruncate(r, 0), EINVAL);
}

TEST(read_stops_at_the_end)
{
    make_file("f", "hello");
    int fd = works(open("f", O_RDONLY));
    same(read(fd, buf, 3), 3);
    same(read(fd, buf, 100), 2);
    same(memcmp(buf, "lo", 2), 0);
    same(read(fd, buf, 100), 0);
}

TEST(zero_length_transfers_do_nothing)
{
    make_file("f", "hello");
    int fd = works(open("f", O_RDWR));
    same(read(fd, buf, 0), 0);
    same(write(fd, buf, 0), 0);
    same(lseek(fd, 0, SEEK_CUR), 0);
}

TEST(write_past_the_end_leaves_a_hole_of_zeroes)
{
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    same(pwrite(fd, "x", 1, 10000), 1);
    same(lseek(fd, 0, SEEK_END), 10001);
    memset(buf, 1, sizeof(buf));
    same(pread(fd, buf, sizeof(buf), 4000), 6001);
    for (int i = 0; i < 6000; i++)
        same(buf[i], 0);
    same(buf[6000], 'x');
}

TEST(lseek_has_three_origins)
{
    make_file("f", "0123456789");
    int fd = works(open("f", O_RDONLY));
    same(lseek(fd, 4, SEEK_SET), 4);
    same(lseek(fd, 3, SEEK_CUR), 7);
    same(lseek(fd, -2, SEEK_END), 8);
    same(lseek(fd, 100, SEEK_END), 110);
    same(read(fd, buf, 1), 0);
}

TEST(lseek_refuses_nonsense)
{
    make_file("f", "0123456789");
    int fd = works(open("f", O_RDONLY));
    fails(lseek(fd, -1, SEEK_SET), EINVAL);
    fails(lseek(fd, -11, SEEK_END), EINVAL);
    fails(lseek(fd, 0, 77), EINVAL);
    works(lseek(fd, 5, SEEK_SET));
    fails(lseek(fd, -6, SEEK_CUR), EINVAL);
    same(lseek(fd, 0, SEEK_CUR), 5);
    fails(lseek(99, 0, SEEK_SET), EBADF);
}

TEST(seek_data_and_seek_hole_end_at_the_size)
{
    make_file("f", "0123456789");
    int fd = works(open("f", O_RDONLY));
    same(lseek(fd, 0, SEEK_DATA), 0);
    same(lseek(fd, 0, SEEK_HOLE), 10);
    fails(lseek(fd, 10, SEEK_DATA), ENXIO);
    fails(lseek(fd, 10, SEEK_HOLE), ENXIO);
}

TEST(truncate_cuts_and_extends_with_zeroes)
{
    struct stat st;
    make_file("f", "0123456789");
    works(truncate("f", 4));
    works(stat("f", &st));
    same(st.st_size, 4);
    int fd = works(open("f", O_RDWR));
    works(ftruncate(fd, 9000));
    same(read(fd, buf, 8), 8);
    same(memcmp(buf, "0123\0\0\0\0", 8), 0);
    works(fstat(fd, &st));
    same(st.st_size, 9000);
}

TEST(cut_bytes_do_not_come_back)
{
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    memset(buf, 'a', sizeof(buf));
    same(write(fd, buf, 6000), 6000);
    works(ftruncate(fd, 100));
    works(ftruncate(fd, 6000));
    same(pread(fd, buf, 6000, 0), 6000);
    same(buf[99], 'a');
    for (int i = 100; i < 6000; i++)
        same(buf[i], 0);
}

TEST(truncate_refuses_what_it_should)
{
    make_file("f", "x");
    fails(truncate("f", -1), EINVAL);
    fails(truncate(".", 0), EISDIR);
    fails(truncate("nowhere", 0), ENOENT);
    fails(truncate("f/x", 0), ENOTDIR);
    int fd = works(open("f", O_RDWR));
    fails(ftruncate(fd, -1), EINVAL);
    fails(ftruncate(99, 0), EBADF);
}

TEST(unlinked_file_lives_until_closed)
{
    struct stat st;
    make_file("f", "still here");
    int fd = works(open("f", O_RDWR));
    works(unlink("f"));
    fails(open("f", O_RDONLY), ENOENT);
    works(fstat(fd, &st));
    same(st.st_nlink, 0);
    same(read(fd, buf, 5), 5);
    same(memcmp(buf, "still", 5), 0);
}

TEST(two_opens_have_two_offsets)
{
    make_file("f", "abc");
    int a = works(open("f", O_RDONLY)), b = works(open("f", O_RDONLY));
    same(read(a, buf, 2), 2);
    same(read(b, buf, 1), 1);
    same(buf[0], 'a');
}

TEST(append_writes_at_the_end_wherever_the_offset_is)
{
    make_file("f", "12345");
    int a = works(open("f", O_WRONLY | O_APPEND)), b = works(open("f", O_WRONLY | O_APPEND));
    works(lseek(a, 0, SEEK_SET));
    same(write(a, "A", 1), 1);
    same(write(b, "B", 1), 1);
    same(write(a, "C", 1), 1);
    same(lseek(a, 0, SEEK_CUR), 8);
    int r = works(open("f", O_RDONLY));
    same(read(r, buf, 100), 8);
    same(memcmp(buf, "12345ABC", 8), 0);
}

TEST(pwrite_to_an_append_file_appends_as_linux_does)
{
    make_file("f", "12345");
    int fd = works(open("f", O_RDWR | O_APPEND));
    same(pwrite(fd, "X", 1, 0), 1);
    same(pread(fd, buf, 10, 0), 6);
    same(buf[5], 'X');
}

TEST(pread_and_pwrite_leave_the_offset)
{
    make_file("f", "0123456789");
    int fd = works(open("f", O_RDWR));
    works(lseek(fd, 3, SEEK_SET));
    same(pread(fd, buf, 2, 7), 2);
    same(memcmp(buf, "78", 2), 0);
    same(pwrite(fd, "ab", 2, 1), 2);
    same(lseek(fd, 0, SEEK_CUR), 3);
    fails(pread(fd, buf, 1, -1), EINVAL);
    fails(pwrite(fd, buf, 1, -1), EINVAL);
    same(pread(fd, buf, 1, 1000), 0);
}

TEST(readv_and_writev_scatter_in_order)
{
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    struct iovec out[3] = {{"ab", 2}, {NULL, 0}, {"cde", 3}};
    same(writev(fd, out, 3), 5);
    char x[4] = "", y[4] = "";
    struct iovec in[2] = {{x, 3}, {y, 3}};
    works(lseek(fd, 0, SEEK_SET));
    same(readv(fd, in, 2), 5);
    same_text(x, "abc");
    same(memcmp(y, "de", 2), 0);
    same(preadv(fd, in, 2, 1), 4);
    same(memcmp(x, "bcd", 3), 0);
    same(pwritev(fd, out, 1, 3), 2);
    same(pread(fd, buf, 10, 0), 5);
    same(memcmp(buf, "abcab", 5), 0);
}

TEST(iovec_arrays_are_checked)
{
    static struct iovec many[1025];
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    fails(writev(fd, many, -1), EINVAL);
    fails(writev(fd, many, 1025), EINVAL);
    same(writev(fd, many, 0), 0);
    same(writev(fd, many, 1024), 0);
    many[0] = (struct iovec){buf, (size_t)-1};
    fails(readv(fd, many, 1), EINVAL);
    fails(preadv(fd, many, 1, -1), EINVAL);
}

TEST(a_bad_page_in_an_iovec_ends_the_transfer_there)
{
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    struct iovec out[2] = {{"good", 4}, {NOWHERE, 4}};
    same(writev(fd, out, 2), 4);
    struct iovec none[1] = {{NOWHERE, 4}};
    fails(writev(fd, none, 1), EFAULT);
    struct stat st;
    works(fstat(fd, &st));
    same(st.st_size, 4);
}

TEST(fsync_and_fdatasync_take_files_only)
{
    int fd = works(open("f", O_RDWR | O_CREAT, 0600)), p[2];
    works(fsync(fd));
    works(fdatasync(fd));
    works(pipe(p));
    fails(fsync(p[0]), EINVAL);
    fails(fsync(99), EBADF);
}

TEST(o_path_only_names)
{
    struct stat st;
    make_file("f", "x");
    int fd = works(open("f", O_PATH));
    works(fstat(fd, &st));
    same(st.st_size, 1);
    fails(read(fd, buf, 1), EBADF);
    fails(write(fd, buf, 1), EBADF);
    fails(lseek(fd, 0, SEEK_SET), EBADF);
    fails(syscall(SYS_fchmod, fd, 0600), EBADF);
    works(close(works(dup(fd))));
}

TEST(o_path_of_a_symlink_is_the_link)
{
    struct stat st;
    works(symlink("nowhere", "link"));
    int fd = works(open("link", O_PATH | O_NOFOLLOW));
    works(fstat(fd, &st));
    check(S_ISLNK(st.st_mode), "a symbolic link");
    same(readlinkat(fd, "", buf, sizeof(buf)), 7);
}

TEST(posix_fallocate_makes_room_that_reads_as_zero)
{
    struct stat st;
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    same(posix_fallocate(fd, 0, 5000), 0);
    works(fstat(fd, &st));
    same(st.st_size, 5000);
    same(pread(fd, buf, 10, 4995), 5);
    same(buf[0], 0);
    same(posix_fallocate(fd, -1, 10), EINVAL);
    same(posix_fallocate(fd, 0, 0), EINVAL);
    same(posix_fallocate(99, 0, 10), EBADF);
}

TEST(punched_hole_reads_as_zero_and_keeps_the_size)
{
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    memset(buf, 'a', sizeof(buf));
    same(write(fd, buf, 8192), 8192);
    works(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, 5000));
    same(pread(fd, buf, 8192, 0), 8192);
    same(buf[99], 'a');
    same(buf[100], 0);
    same(buf[5099], 0);
    same(buf[5100], 'a');
    fails(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10), EOPNOTSUPP);
}

TEST(large_write_and_read_back)
{
    enum { SIZE = 3 << 20 };
    unsigned char *big = malloc(SIZE), *back = malloc(SIZE);
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    for (size_t i = 0; i < SIZE; i++)
        big[i] = (unsigned char)(i * 2654435761U >> 24);
    same(write(fd, big, SIZE), SIZE);
    same(pread(fd, back, SIZE, 0), SIZE);
    same(memcmp(big, back, SIZE), 0);
}

TEST(o_tmpfile_has_no_name_until_linked)
{
    struct stat st;
    int fd = works(open(".", O_TMPFILE | O_RDWR, 0600));
    works(fstat(fd, &st));
    same(st.st_nlink, 0);
    same(write(fd, "x", 1), 1);
    works(linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH));
    works(stat("named", &st));
    same(st.st_nlink, 1);
    same(st.st_size, 1);
    fails(open(".", O_TMPFILE | O_RDONLY, 0600), EINVAL);
    fails(open("named", O_TMPFILE | O_RDWR, 0600), ENOTDIR);
}

int main(void)
{
    return tap_run("files");
}
